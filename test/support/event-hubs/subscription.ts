import type { AmqpError, Sender } from 'rhea';
import type { Counters } from './counters.ts';
import { encodeRuntimeMetric } from './event.ts';
import type { PartitionFaults } from './faults.ts';
import type { PartitionLog } from './partition-log.ts';

/** What a receiver is, once it is let in. */
export interface SubscriptionOptions {
  readonly link: Sender;
  readonly hub: string;
  readonly partition: number;
  readonly group: string;
  readonly epoch: number | null;
  readonly runtimeMetric: boolean;
  readonly log: PartitionLog;
  /** Sequence number to begin with. */
  readonly next: number;
  readonly faults: PartitionFaults;
  readonly counters: Counters;
  readonly now: () => number;
}

/** Fields of a rhea link that its types leave out. */
interface LinkState {
  readonly credit: number;
  readonly delivery_count: number;
}

/** A client's receiver on one partition: sends it the events in order, as far as its credit goes. */
export class Subscription {
  readonly options: SubscriptionOptions;
  readonly #unwatch: () => void;
  #next: number;
  #sent = 0;
  #closed = false;
  #creditMax = 0;
  /** Events that may go before the pace's next tick. */
  #allowed: number | null = null;
  #tick: NodeJS.Timeout | null = null;

  constructor(options: SubscriptionOptions) {
    this.options = options;
    this.#next = options.next;
    this.#unwatch = options.log.watch(() => this.pump());
    options.link.on('sender_flow', () => this.pump());
    options.link.on('sendable', () => this.pump());
    for (const end of ['sender_close', 'session_close']) options.link.on(end, () => this.end());
  }

  /** Events that the client would take now. */
  get credit(): number {
    const { credit, delivery_count } = this.options.link as unknown as LinkState;
    return credit - (this.#sent - delivery_count);
  }

  /** The most that `credit` has been. */
  get creditMax(): number {
    return this.#creditMax;
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Sends what may go. */
  pump(): void {
    if (this.#closed) return;
    this.#creditMax = Math.max(this.#creditMax, this.credit);
    const { link, log, faults } = this.options;
    while (this.credit > 0 && link.sendable() && this.#mayGo()) {
      this.#next = Math.max(this.#next, log.first);
      if (this.#next >= log.next) return;
      if (faults.skip > 0) {
        faults.skip--;
        this.#next++;
      } else this.#send();
    }
  }

  /** The pace of the partition has changed. */
  repace(): void {
    if (this.#tick !== null) clearTimeout(this.#tick);
    this.#tick = null;
    this.#allowed = null;
    this.pump();
  }

  /** Closes the link, with the reason the client is told. */
  detach(error: AmqpError): void {
    if (this.#closed) return;
    this.end();
    this.options.link.close(error);
  }

  /** The link is gone. */
  end(): void {
    this.#closed = true;
    this.#unwatch();
    if (this.#tick !== null) clearTimeout(this.#tick);
  }

  #send(): void {
    const { link, log, faults, counters, hub, partition, runtimeMetric, now } = this.options;
    const { encoded } = log.at(this.#next)!;
    link.send(runtimeMetric ? Buffer.concat([encodeRuntimeMetric({ ...log.last, retrievedAt: now() }), encoded]) : encoded, undefined, 0);
    this.#sent++;
    counters.countTransfer(hub, partition);
    if (this.#allowed !== null) this.#allowed--;
    const { repeat } = faults;
    if (repeat !== null) {
      repeat.from ??= this.#next;
      if (--repeat.left === 0) {
        this.#next = repeat.from;
        faults.repeat = null;
        return;
      }
    }
    this.#next++;
  }

  /** False while the partition's pace makes the next event wait. */
  #mayGo(): boolean {
    const { pace } = this.options.faults;
    if (pace === null) return true;
    if (pace === 'stopped') return false;
    this.#allowed ??= pace.events;
    if (this.#allowed > 0) return true;
    this.#tick ??= setTimeout(() => this.repace(), pace.everyMs);
    return false;
  }
}
