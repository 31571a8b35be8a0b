import type { TestRecord } from '../dump.ts';
import type { HubEvent } from './event.ts';

/** Which annotation carries a record's key: that of an AMQP producer, or that of a Kafka producer. */
export type KeyStyle = 'partition-key' | 'kafka-key';

/** A record's key and value, and Kafka headers where it has some. */
export type EventRecord = Pick<TestRecord, 'key' | 'value' | 'time'> & { readonly headers?: Readonly<Record<string, string>> };

/**
 * A record as an event: the value as one data section, null as an empty one (AMQP has no other tombstone); no key as no annotation; a time
 * that is not known as the time it is appended.
 */
export function eventOf({ key, value, time, headers }: EventRecord, keys: KeyStyle = 'partition-key'): HubEvent {
  return {
    body: Buffer.from(value ?? ''),
    ...(key === null ? {} : keys === 'kafka-key' ? { kafkaKey: Buffer.from(key) } : { partitionKey: key }),
    ...(headers === undefined ? {} : { properties: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])) }),
    ...(time === null ? {} : { enqueuedTime: time }),
  };
}
