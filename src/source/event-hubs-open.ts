import { RentfoldError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HubClient } from './event-hubs-client.ts';
import { HubFailure, hubFailure } from './event-hubs-errors.ts';
import type { HubLink, LinkStart } from './event-hubs-link.ts';
import { readEvent, type HubEvent } from './event-hubs-message.ts';
import type { EventHubsTiming } from './event-hubs-options.ts';
import { HubPartition, lastOfEvent, lastOfPosition } from './event-hubs-partition.ts';
import { positionRefused } from './event-hubs-stops.ts';
import { checkPositions, type FoundPartition, type LogWords } from './position-check.ts';
import { partitionName, type PartitionBounds, type PartitionPosition } from './positions.ts';
import type { OpenOptions } from './source.ts';

/** Hubs that were opened. */
export interface OpenedHubs {
  readonly partitions: readonly HubPartition[];
  readonly gaps: readonly string[];
  readonly notes: readonly string[];
  readonly waiting: readonly string[];
}

/** What is needed to open hubs. */
export interface OpenParts {
  readonly clients: readonly HubClient[];
  readonly consumerGroup: string;
  /** Option that says who we are, named when the service refuses us. */
  readonly credentialOption: string;
  readonly timing: EventHubsTiming;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Time between two looks at hubs that are not as they should be. */
const LOOK_AGAIN_MS = 250;
/** Partitions asked about at the same time. */
const TOGETHER_MAX = 8;
/** Events asked for at most when one is looked for: more come only where an offset leads elsewhere. */
const PEEK_EVENTS_MAX = 100;

const WORDS: LogWords = {
  holder: () => 'the hub',
  absent: 'the namespace does not have it: the hub was deleted, or RENTFOLD_EVENT_HUBS_NAMES does not name it any more',
  check: 'Check that RENTFOLD_EVENT_HUBS_NAMES and the namespace are those this store was made from; otherwise replay into an empty store',
  wayBack: 'a log that reaches back',
};

/** What one look at the hubs showed. */
interface Look {
  readonly bounds: readonly PartitionBounds[];
  readonly waiting: readonly string[];
  readonly absent: readonly PartitionPosition[];
  readonly isBeyond: boolean;
}

/**
 * Looks at the hubs until positions and log fit together, for as long as a service that just failed over may take; then compares the event before each position. Throws
 * SOURCE_UNAVAILABLE, POSITION_BEYOND_END when the service refuses a position, and what `checkPositions` throws.
 */
export async function openHubs(parts: OpenParts, options: OpenOptions): Promise<OpenedHubs> {
  const positions = options.positions.filter(({ next }) => next > 0);
  const { bounds, waiting, absent } = await patiently(parts, async () => await lookOnce(parts, positions), (look) => look.absent.length === 0 && !look.isBeyond);
  const found = await patiently(parts, async () => await together(bounds, async (place) => await findPartition(parts, place, positions)), () => true);
  if (!found.some(({ applied }) => applied !== null)) await patiently(parts, async () => await probe(parts, bounds), () => true);
  const { gaps, notes } = checkPositions(found, absent, WORDS, options.acceptIncompleteHistory);
  const partitions = found.map((f) => {
    const next = Math.max(f.start, f.position?.next ?? 0);
    const partition = new HubPartition(f, f, next, f.position === null ? null : lastOfPosition(f.position));
    partition.isAwaited = f.end > next;
    if (next > (f.position?.next ?? 0)) partition.movedTo = next;
    return partition;
  });
  return { partitions, gaps, notes, waiting };
}

/** Tries until it succeeds and is sound, or patience is at its end. What is unsound then is answered all the same; a failure is thrown as SOURCE_UNAVAILABLE, unless it has a code. */
async function patiently<Answer>(parts: OpenParts, act: () => Promise<Answer>, isSound: (answer: Answer) => boolean): Promise<Answer> {
  const { clock, timing, signal } = parts;
  const until = clock.monotonicMs() + timing.patienceMs;
  for (;;) {
    try {
      const answer = await act();
      if (isSound(answer) || clock.monotonicMs() >= until) return answer;
    } catch (error) {
      const failure = hubFailure(error);
      if (!signal.aborted && (failure.kind === 'unauthorized' || clock.monotonicMs() >= until)) throw error instanceof RentfoldError ? error : unavailable(parts, failure);
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
    if (signal.aborted) throw new RentfoldError('SOURCE_FAILED', 'The Event Hubs source was closed while it was being opened.');
  }
}

function unavailable({ credentialOption, consumerGroup }: OpenParts, failure: HubFailure): RentfoldError {
  const options = { cause: failure };
  switch (failure.kind) {
    case 'unauthorized': return new RentfoldError('SOURCE_UNAVAILABLE', `${credentialOption}: the service refuses us: ${failure.message}. Give it the right to listen (role Azure Event Hubs Data Receiver, or a policy with Listen).`, options);
    case 'missing': return new RentfoldError('SOURCE_UNAVAILABLE', `RENTFOLD_EVENT_HUBS_CONSUMER_GROUP: the consumer group ${consumerGroup} cannot be read: ${failure.message}. Make it, or name one that exists.`, options);
    case 'stolen': return new RentfoldError('SOURCE_UNAVAILABLE', `RENTFOLD_EVENT_HUBS_CONSUMER_GROUP: another program reads the consumer group ${consumerGroup} alone (with an owner level): ${failure.message}. Give every rentfold, and every other program, a consumer group of its own.`, options);
    case 'position': case 'busy': case 'full': case 'silent': case 'passing': return new RentfoldError('SOURCE_UNAVAILABLE', `${credentialOption}: the hubs cannot be read: ${failure.message}.`, options);
  }
}

async function lookOnce({ clients }: OpenParts, positions: readonly PartitionPosition[]): Promise<Look> {
  const waiting: string[] = [];
  const bounds: PartitionBounds[] = [];
  for (const client of clients) {
    const numbers = await partitionsOf(client);
    if (numbers === null) waiting.push(client.hub);
    else bounds.push(...await together(numbers, async (partition) => ({ topic: client.hub, partition, ...(await client.bounds(partition)) })));
  }
  const byName = new Map(bounds.map((b) => [partitionName(b), b]));
  return {
    bounds, waiting, absent: positions.filter((position) => !byName.has(partitionName(position))),
    isBeyond: positions.some((position) => position.next > (byName.get(partitionName(position))?.end ?? Infinity)),
  };
}

/** Null: the hub is not there. */
async function partitionsOf(client: HubClient): Promise<number[] | null> {
  try {
    return await client.partitions();
  } catch (error) {
    if (hubFailure(error).kind === 'missing') return null;
    throw error;
  }
}

/** A partition with its position and the event at the position's `lastOffset`, where that is still there. */
async function findPartition(parts: OpenParts, place: PartitionBounds, positions: readonly PartitionPosition[]): Promise<FoundPartition> {
  const position = positions.find((p) => partitionName(p) === partitionName(place)) ?? null;
  const last = position === null ? null : lastOfPosition(position);
  if (position === null || last === null || last.sequence < place.start || last.sequence >= place.end || position.next > place.end) return { ...place, position, applied: null };
  const client = clientOf(parts, place);
  const event = await peek(client, place.partition, { kind: 'at', sequence: last.sequence, offset: last.offset }, last.sequence, parts).catch((error: unknown) => {
    const failure = hubFailure(error);
    if (failure.kind !== 'position') throw failure;
    throw new RentfoldError('POSITION_BEYOND_END', positionRefused({ ...place, arrivedNext: position.next }, failure.message).message, { cause: failure });
  });
  if (event.sequence === last.sequence) return { ...place, position, applied: { time: event.time, hash: lastOfEvent(event).hash()! } };
  const now = await client.bounds(place.partition);
  // Retention took it just now, or its offset leads elsewhere: then this is another log.
  return { ...place, ...now, position, applied: last.sequence < now.start ? null : { time: event.time, hash: '' } };
}

/** Whether we may read at all in our consumer group, when no position made us ask. */
async function probe(parts: OpenParts, bounds: readonly PartitionBounds[]): Promise<void> {
  const place = bounds.find(({ start, end }) => end > start);
  if (place !== undefined) await peek(clientOf(parts, place), place.partition, { kind: 'earliest' }, 0, parts);
}

function clientOf({ clients }: OpenParts, { topic }: PartitionBounds): HubClient {
  return clients.find(({ hub }) => hub === topic)!;
}

/** The first event from `start` on whose sequence number is not below `sequence`; the last one asked for when all are. */
async function peek(client: HubClient, partition: number, start: LinkStart, sequence: number, { clock, timing, signal }: OpenParts): Promise<HubEvent> {
  const found = Promise.withResolvers<HubEvent>();
  found.promise.catch(() => undefined);
  const done = new AbortController();
  let link: HubLink | null = null;
  let left = PEEK_EVENTS_MAX;
  const message = (received: Parameters<typeof readEvent>[0]): void => {
    const event = readEvent(received);
    if (event !== null && (event.sequence >= sequence || --left === 0)) found.resolve(event);
    else link?.addCredit(1);
  };
  link = await client.attach(partition, start, { message, ended: (failure) => found.reject(failure) }, () => undefined);
  try {
    link.addCredit(1);
    const late = clock.sleep(timing.requestMs, AbortSignal.any([done.signal, signal])).then(() => { throw new HubFailure('passing', `no event came from partition ${partition} of hub ${client.hub} within ${timing.requestMs} ms`); });
    return await Promise.race([found.promise, late]);
  } finally {
    done.abort();
    await client.detach(link);
  }
}

/** Does the same for each of many, a few at a time, and answers in their order. */
async function together<Item, Answer>(items: readonly Item[], act: (item: Item) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let first = 0; first < items.length; first += TOGETHER_MAX) answers.push(...await Promise.all(items.slice(first, first + TOGETHER_MAX).map(act)));
  return answers;
}
