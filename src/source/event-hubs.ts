import { createSystemClock, type Clock } from '../runtime/clock.ts';
import type { HubClient } from './event-hubs-client.ts';
import { HubFollower } from './event-hubs-follow.ts';
import { openHubs } from './event-hubs-open.ts';
import { EVENT_HUBS_TIMING, type EventHubsConfig, type EventHubsTiming } from './event-hubs-options.ts';
import type { PartitionPosition } from './positions.ts';
import type { OpenedLog, OpenOptions, Source, SourceEvent } from './source.ts';

/**
 * Hubs of an Azure Event Hubs namespace as a log, over AMQP. A hub is a topic, an event's sequence number is its offset, and its offset text is the position's token.
 *
 * `@azure/event-hubs` makes the connection and makes it anew, puts claims, and answers questions about hubs and partitions; its `subscribe` is not used, with or without a checkpoint store.
 * Read in its source: after a handler that throws it starts again at the first start position; after an error marked `retryable` it leaves a batch out; a link that was taken from it is taken
 * back at the first start position; a link that was lost is attached again by sequence number, without a word and unchecked, which a geo-replicated namespace does not support; each of its calls
 * for events adds the whole prefetch to what was granted before, so that nothing bounds what arrives. Here a link is attached by ourselves over the client's connection, and the positions of
 * the state are the only truth:
 *
 * - Each attach, the first and any later one, starts *at* the event that was read last, by its offset text, and compares that event by sequence number, time and hash before anything is handed on.
 *   A hub that was made again, and a failover that lost events, are noticed and stop the partition. Where retention took that event, reading starts behind it, and the first sequence number is checked.
 * - Sequence numbers of a partition are dense: an event at or below the last one was sent again and is dropped, a hole is asked for again once and then stops the partition (or is a gap, where
 *   gaps are accepted). Bounds are asked for before each attach, because the service begins at the first event it still has when a position has expired, and says nothing.
 * - A link has exactly as much credit as there is room: at most `WAITING_EVENTS_MAX` events of all partitions have arrived or are on their way, and 32 MiB by their mean size.
 *
 * Links have no owner level. Every instance reads everything, so there is nothing to own; two instances read at the same time, also while one takes over from another, and positions are fenced
 * where they are kept, in the store. Each instance needs a consumer group of its own, because the service lets five readers at most into a partition of one group, and one reader with an owner level
 * shuts out all others; that is said, and waited out. Nothing is written to the namespace.
 */
export function createEventHubsSource(config: EventHubsConfig, timing: Partial<EventHubsTiming> = {}, clock: Clock = createSystemClock()): Source {
  return new EventHubsSource(config, { ...EVENT_HUBS_TIMING, ...timing }, clock);
}

class EventHubsSource implements Source {
  readonly #config: EventHubsConfig;
  readonly #timing: EventHubsTiming;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #clients: readonly HubClient[] = [];
  #follower: HubFollower | null = null;
  #batches: AsyncGenerator<SourceEvent, void, void> | null = null;

  constructor(config: EventHubsConfig, timing: EventHubsTiming, clock: Clock) {
    this.#config = config;
    this.#timing = timing;
    this.#clock = clock;
  }

  async open(options: OpenOptions): Promise<OpenedLog> {
    // The client library is large: what does not read hubs does without it.
    const { HubClient } = await import('./event-hubs-client.ts');
    const { consumerGroup, hubs, namespace } = this.#config;
    this.#clients = hubs.map((hub) => new HubClient(this.#config, hub, this.#timing, this.#clock, this.#ending.signal));
    const parts = { clients: this.#clients, consumerGroup, timing: this.#timing, clock: this.#clock, signal: this.#ending.signal };
    try {
      const { partitions, gaps, notes, waiting } = await openHubs({ ...parts, credentialOption: 'RENTFOLD_EVENT_HUBS_CONNECTION_STRING' }, options);
      this.#follower = new HubFollower({ ...parts, partitions, waiting, recordsMax: options.recordsMax, acceptsHoles: options.acceptIncompleteHistory });
      return { bounds: partitions.map(({ bounds }) => bounds), gaps, notes, waiting, identity: `event-hubs:${namespace}/${hubs.join(',')}` };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  batches(signal: AbortSignal): AsyncGenerator<SourceEvent, void, void> {
    if (this.#follower === null || this.#batches !== null) throw new Error('An Event Hubs source is opened once and read once.');
    const end = (): void => this.#ending.abort();
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    this.#batches = this.#follower.events();
    return this.#batches;
  }

  /** Nothing: the namespace keeps no positions of ours, and lag is told by status and metrics. */
  async commit(_positions: readonly PartitionPosition[]): Promise<void> {
    await Promise.resolve();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#batches?.return();
    await this.#follower?.ended();
    await Promise.all(this.#clients.map(async (client) => await client.close()));
    this.#clients = [];
  }
}
