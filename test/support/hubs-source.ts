import type { Clock } from '../../src/runtime/clock.ts';
import { createEventHubsSource } from '../../src/source/event-hubs.ts';
import type { EventHubsConfig, EventHubsTiming } from '../../src/source/event-hubs-options.ts';
import type { Source } from '../../src/source/source.ts';
import type { EventHubsDouble } from './event-hubs/event-hubs-double.ts';

/** Times for tests: a service that is well needs no patience. */
export const QUICK_HUBS: Partial<EventHubsTiming> = { patienceMs: 600, lookMs: 100, retryMs: [20, 200], stolenRetryMs: [20, 200] };

/** A source that reads the hub `t` of a double, unless it is told otherwise. */
export function hubsSource(double: EventHubsDouble, over: Partial<EventHubsConfig> = {}, timing: Partial<EventHubsTiming> = {}, clock?: Clock): Source {
  const credential = { kind: 'connection-string', connectionString: double.connectionString() } as const;
  return createEventHubsSource({ credential, namespace: double.host, hubs: ['t'], consumerGroup: '$Default', ...over }, { ...QUICK_HUBS, ...timing }, clock);
}
