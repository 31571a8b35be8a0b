import { Backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HubBounds, HubClient } from './event-hubs-client.ts';
import { HubFailure, hubFailure } from './event-hubs-errors.ts';
import type { HubLink } from './event-hubs-link.ts';
import { newestSequence, readEvent, type AmqpMessage, type HubEvent } from './event-hubs-message.ts';
import type { Notices } from './notices.ts';
import type { EventHubsTiming } from './event-hubs-options.ts';
import type { HubPartition } from './event-hubs-partition.ts';
import { SequenceCheck } from './event-hubs-sequence.ts';
import { beyondEnd, overtaken, overtakenText, positionRefused, unnumbered } from './event-hubs-stops.ts';
import { partitionName } from './positions.ts';
import type { PartitionStop, SourceEvent } from './source.ts';

/** A link that carried for so long, or brought an event, was well: what ends it then is new trouble. */
const STEADY_MS = 5_000;
/** Bytes that wait may grow to so many shares of a partition before its link is given up. */
const FULL_SHARES = 2;

/** What all readers of a source share. */
export interface ReaderParts {
  readonly timing: EventHubsTiming;
  readonly clock: Clock;
  readonly consumerGroup: string;
  /** Events that are missing are told, and do not stop a partition. */
  readonly acceptsHoles: boolean;
  readonly notices: Notices;
  /** How much of one partition may have arrived or be on its way; bytes by the mean size of its events. */
  share(): { readonly events: number; readonly bytes: number };
  say(event: SourceEvent): void;
  /** Something arrived: events, a stop, bounds. */
  arrived(hasBounds: boolean): void;
  /** The hub or the consumer group is not there. */
  missing(partition: HubPartition): void;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/**
 * Reads one partition: attaches where the state says, looks at what comes, attaches again when the link ends. Each time the event before our position is asked for too and compared, so
 * that a hub that was made again is noticed and nothing is handed over twice or left out.
 */
export class PartitionReader {
  readonly state: HubPartition;
  readonly #client: HubClient;
  readonly #parts: ReaderParts;
  readonly #check: SequenceCheck;
  readonly #over = new AbortController();
  #link: HubLink | null = null;
  #endLink: (failure: HubFailure) => void = () => undefined;
  /** Events that were asked for and have not come. */
  #credit = 0;
  /** What follows over this link is not taken: it comes again with the next one. */
  #isEnding = false;
  /** When the log was first found shorter than our position, and when our position was first refused. */
  #beyondSince: number | null = null;
  #refusedSince: number | null = null;

  constructor(state: HubPartition, client: HubClient, parts: ReaderParts) {
    this.state = state;
    this.#client = client;
    this.#parts = parts;
    this.#check = new SequenceCheck(state, parts.acceptsHoles);
  }

  /** Reads until the signal aborts, the partition stops, or it is let go. */
  async run(): Promise<void> {
    const { timing, clock, signal, notices } = this.#parts;
    const [backoff, stolenBackoff] = [new Backoff(timing.retryMs), new Backoff(timing.stolenRetryMs)];
    const over = AbortSignal.any([signal, this.#over.signal]);
    over.addEventListener('abort', () => this.drop('rentfold is ending'), { once: true });
    while (!over.aborted && this.state.stop === null) {
      const began = clock.monotonicMs();
      const { failure, wasWell } = await this.#readOnce(began);
      if (over.aborted || this.state.stop !== null) return;
      if (wasWell) {
        backoff.reset();
        stolenBackoff.reset();
        notices.over(partitionName(this.state));
      }
      if (failure.kind === 'missing') this.#parts.missing(this.state);
      this.#warn(failure);
      await clock.sleep((failure.kind === 'stolen' ? stolenBackoff : backoff).next(), over);
    }
  }

  /** Lets the partition go. */
  end(): void {
    this.#over.abort();
  }

  /** Ends the link, which does not carry what is there; it is attached again. */
  drop(reason: string): void {
    this.#endLink(new HubFailure('passing', reason));
  }

  /** True when events were asked for over a link. */
  get isAsking(): boolean {
    return this.#link !== null && this.#credit > 0;
  }

  /** Asks for as many more events as may wait. Few large requests instead of many small ones. */
  ask(): void {
    const { state } = this;
    const { events, bytes } = this.#parts.share();
    const most = Math.max(1, Math.min(events, Math.floor(bytes / state.meanBytes)));
    const wanted = most - this.#credit - state.queue.length;
    if (this.#link === null || state.stop !== null || wanted < most / 2) return;
    this.#credit += wanted;
    this.#link.addCredit(wanted);
  }

  async #readOnce(began: number): Promise<{ failure: HubFailure; wasWell: boolean }> {
    this.#isEnding = false;
    const ended = new Promise<HubFailure>((resolve) => {
      this.#endLink = (why) => {
        this.#isEnding = true;
        resolve(why);
      };
    });
    let failure: HubFailure;
    try {
      const bounds = await this.#client.bounds(this.state.partition);
      if (this.state.see(bounds)) this.#parts.arrived(true);
      const unfit = this.#unfit(bounds);
      if (unfit !== null) return { failure: unfit, wasWell: false };
      const start = this.#check.start(bounds);
      this.#link = await this.#client.attach(this.state.partition, start, { message: (message) => this.#take(message), ended: (why) => this.#endLink(why) }, (why) => this.#claimed(why));
      this.#credit = 0;
      this.ask();
      failure = await ended;
    } catch (error) {
      failure = hubFailure(error);
    }
    const link = this.#link;
    this.#link = null;
    if (link !== null) await this.#client.detach(link);
    this.#refused(failure);
    return { failure, wasWell: link !== null && (link.received > 0 || this.#parts.clock.monotonicMs() - began >= STEADY_MS) };
  }

  /** Why the partition cannot be read on from where we are; null when it can. What cannot mend stops it. */
  #unfit({ start, end }: HubBounds): HubFailure | null {
    const { state } = this;
    if (end < state.arrivedNext) {
      this.#beyondSince ??= this.#parts.clock.monotonicMs();
      if (this.#lasts(this.#beyondSince)) this.#stop(beyondEnd(state, end));
      return new HubFailure('passing', `it ends before sequence number ${end}, and was read up to ${state.arrivedNext}`);
    }
    this.#beyondSince = null;
    if (start > state.arrivedNext) {
      if (!this.#parts.acceptsHoles) {
        this.#stop(overtaken(state, start));
        return new HubFailure('passing', 'retention was faster');
      }
      this.#parts.say({ kind: 'gap', gap: overtakenText(state, start) });
      state.arrivedNext = start;
      state.movedTo = start;
      this.#parts.arrived(false);
    }
    return null;
  }

  #take(message: AmqpMessage): void {
    const { state } = this;
    this.#credit = Math.max(0, this.#credit - 1);
    if (this.#isEnding) return;
    const newest = newestSequence(message);
    if (newest !== null && newest + 1 > state.end) {
      state.end = newest + 1;
      this.#parts.arrived(true);
    }
    const event = readEvent(message);
    if (event === null) this.#stop(unnumbered(state));
    else this.#judge(event);
    this.ask();
  }

  #judge(event: HubEvent): void {
    const { state } = this;
    const verdict = this.#check.judge(event);
    switch (verdict.kind) {
      case 'drop': return;
      case 'again': return this.drop(verdict.why);
      case 'stop': return this.#stop(verdict.stop);
      case 'take':
        if (verdict.gap !== undefined) this.#parts.say({ kind: 'gap', gap: verdict.gap });
        state.push(event);
        // What was asked for when events were small may be too much: the link is given up, and the rest comes when there is room.
        if (this.#credit > 0 && state.queueBytes > FULL_SHARES * this.#parts.share().bytes) this.#endLink(new HubFailure('full', 'more bytes wait than there is room for'));
        this.#parts.arrived(false);
    }
  }

  /** The service may refuse our position, although its bounds fit: believed after a while. */
  #refused(failure: HubFailure): void {
    this.#refusedSince = failure.kind === 'position' ? this.#refusedSince ?? this.#parts.clock.monotonicMs() : null;
    if (this.#refusedSince !== null && this.#lasts(this.#refusedSince)) this.#stop(positionRefused(this.state, failure.message));
  }

  /** True when what is wrong was wrong for as long as a service that was just restarted may need. */
  #lasts(since: number): boolean {
    return this.#parts.clock.monotonicMs() - since >= this.#parts.timing.patienceMs;
  }

  #stop(stop: PartitionStop): void {
    this.state.stop ??= stop;
    this.#parts.arrived(false);
    this.#endLink(new HubFailure('passing', 'the partition stopped'));
  }

  /** `failure`: why the claim to read could not be made anew; null: it was. */
  #claimed(failure: HubFailure | null): void {
    const name = partitionName(this.state);
    const about = `claim ${name}`;
    if (failure === null) this.#parts.notices.over(about);
    else this.#parts.notices.warn(about, `${name}: the claim to read could not be renewed: ${failure.message}. It is tried again; reading goes on for as long as the last one holds.`);
  }

  #warn(failure: HubFailure): void {
    if (failure.kind === 'full') return;
    const { notices, consumerGroup } = this.#parts;
    const name = partitionName(this.state);
    if (failure.kind === 'stolen') {
      notices.warn(name, `${name}: another reader took over in the consumer group ${consumerGroup} (${failure.message}). Give every rentfold, and every other program, a consumer group of its own (RENTFOLD_EVENT_HUBS_CONSUMER_GROUP). Reading goes on from our position once the other one ends.`);
    } else if (failure.kind === 'unauthorized') {
      notices.warn(name, `${name} cannot be read at the moment: ${failure.message}. Give the right to listen again; it is tried again until it can.`);
    } else notices.warn(name, `${name} cannot be read at the moment: ${failure.message}. It is tried again until it can, from where it ended.`);
  }
}
