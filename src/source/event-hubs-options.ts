/** How rentfold proves to an Event Hubs namespace who it is. Plain data that can cross a thread border. */
export type EventHubsCredential = { readonly kind: 'connection-string'; readonly connectionString: string };

/** Which hubs of a namespace to read, and as whom. Plain data that can cross a thread border. */
export interface EventHubsConfig {
  readonly credential: EventHubsCredential;
  /** Host of the namespace, e.g. `rental.servicebus.windows.net`: part of the identity of what was read. */
  readonly namespace: string;
  /** Names of hubs, at least one. A hub is a topic. */
  readonly hubs: readonly string[];
  readonly consumerGroup: string;
}

/** Times of the Event Hubs source, milliseconds. Constants but for tests. */
export interface EventHubsTiming {
  /** How long the service may answer with an older end, without a hub, or not at all, before that is believed. */
  readonly patienceMs: number;
  /** Time between two looks at the hubs: new ones, new partitions, bounds. */
  readonly lookMs: number;
  /** Longest for an answer that does not wait for events. */
  readonly requestMs: number;
  /** Least and most time between two attempts after a failure. */
  readonly retryMs: readonly [first: number, longest: number];
  /** The same after somebody with an owner level took our link. */
  readonly stolenRetryMs: readonly [first: number, longest: number];
}

/** Times used unless a test gives others. */
export const EVENT_HUBS_TIMING: EventHubsTiming = { patienceMs: 10_000, lookMs: 10_000, requestMs: 20_000, retryMs: [250, 15_000], stolenRetryMs: [2_000, 60_000] };
