import rhea, { type Message } from 'rhea';

const { message, types } = rhea;
/** Message format of a transfer that holds several events. */
export const BATCH_FORMAT = 0x80013700;

/**
 * The body of an event: bytes (one data section), several data sections, text (an AMQP value section), null (a value section with
 * null in it). An event without any body section has none at all.
 */
export type EventBody = Uint8Array | readonly Uint8Array[] | string | null;

/** An event as a producer gives it. */
export interface HubEvent {
  readonly body?: EventBody;
  readonly contentType?: string;
  /** Text key of an AMQP producer: annotation `x-opt-partition-key`. */
  readonly partitionKey?: string;
  /** Key of a Kafka producer: annotation `x-opt-kafka-key`. */
  readonly kafkaKey?: Uint8Array | string;
  /** Application properties. Headers of a Kafka producer are bytes here. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** Further message annotations. */
  readonly annotations?: Readonly<Record<string, unknown>>;
  /** Milliseconds; now, unless given. */
  readonly enqueuedTime?: number;
}

/** Where the log put an event. */
export interface EventPlace {
  readonly sequenceNumber: number;
  readonly offset: string;
  /** Milliseconds. */
  readonly enqueuedTime: number;
}

/** What a receiver that asked for the runtime metric hears with each event. */
export interface LastEnqueued extends EventPlace {
  readonly retrievedAt: number;
}

/** The bytes of an event as it is transferred to a receiver. */
export function encodeEvent(event: HubEvent, place: EventPlace): Buffer {
  const annotations: Record<string, unknown> = {
    'x-opt-sequence-number': types.wrap_long(place.sequenceNumber),
    'x-opt-offset': place.offset,
    'x-opt-enqueued-time': types.wrap_timestamp(place.enqueuedTime),
    ...(event.partitionKey === undefined ? {} : { 'x-opt-partition-key': event.partitionKey }),
    ...(event.kafkaKey === undefined ? {} : { 'x-opt-kafka-key': event.kafkaKey }),
    ...event.annotations,
  };
  const encoded = message.encode({
    message_annotations: annotations,
    ...(event.properties === undefined ? {} : { application_properties: event.properties }),
    ...(event.contentType === undefined ? {} : { content_type: event.contentType }),
    body: bodySection(event.body),
  });
  return event.body === undefined ? encoded.subarray(0, encoded.length - NULL_VALUE_SECTION_BYTES) : encoded;
}

/** rhea always writes a body: descriptor and null, when there is none. */
const NULL_VALUE_SECTION_BYTES = 4;

function bodySection(body: EventBody | undefined): unknown {
  if (body === undefined || body === null || typeof body === 'string') return body;
  return body instanceof Uint8Array ? message.data_section(Buffer.from(body)) : message.data_sections(body.map((part) => Buffer.from(part)));
}

/** rhea's types leave it out. */
const { Writer } = types as unknown as { readonly Writer: new () => { write(value: unknown): void; toBuffer(): Buffer } };

/** The section of delivery annotations that goes before an event's other sections. */
export function encodeRuntimeMetric(last: LastEnqueued): Buffer {
  const writer = new Writer();
  writer.write(types.described_nc(types.wrap_ulong(0x71), types.wrap_symbolic_map({
    last_enqueued_sequence_number: types.wrap_long(last.sequenceNumber),
    last_enqueued_offset: last.offset,
    last_enqueued_time_utc: types.wrap_timestamp(last.enqueuedTime),
    runtime_info_retrieval_time_utc: types.wrap_timestamp(last.retrievedAt),
  })));
  return writer.toBuffer();
}

/** The events in one transfer of a producer: a message, or a batch of encoded messages. */
export function decodeTransfer(transferred: Message | Buffer): HubEvent[] {
  if (!Buffer.isBuffer(transferred)) return [eventOf(transferred)];
  const { content } = message.decode(transferred).body as { content: Buffer | Buffer[] };
  return [content].flat().map((encoded) => eventOf(message.decode(encoded) as unknown as Message));
}

/** An encoded event as it was given. */
export function decodeEvent(encoded: Buffer): HubEvent {
  return eventOf(message.decode(encoded) as unknown as Message);
}

const OWN_ANNOTATIONS = new Set(['x-opt-sequence-number', 'x-opt-offset', 'x-opt-enqueued-time', 'x-opt-partition-key', 'x-opt-kafka-key']);

function eventOf(received: Message): HubEvent {
  const annotations: Record<string, unknown> = received.message_annotations ?? {};
  const others = Object.entries(annotations).filter(([name]) => !OWN_ANNOTATIONS.has(name));
  const { 'x-opt-partition-key': partitionKey, 'x-opt-kafka-key': kafkaKey } = annotations;
  const body = bodyOf(received.body);
  return {
    ...(body === undefined ? {} : { body }),
    ...(received.content_type === undefined ? {} : { contentType: received.content_type }),
    ...(typeof partitionKey === 'string' ? { partitionKey } : {}),
    ...(Buffer.isBuffer(kafkaKey) || typeof kafkaKey === 'string' ? { kafkaKey } : {}),
    ...(received.application_properties === undefined ? {} : { properties: received.application_properties }),
    ...(others.length === 0 ? {} : { annotations: Object.fromEntries(others) }),
  };
}

function bodyOf(body: unknown): EventBody | undefined {
  if (body === undefined || body === null || typeof body === 'string') return body;
  if (typeof body === 'object' && 'content' in body) return body.content as Uint8Array | Uint8Array[];
  throw new Error(`the double keeps bodies of bytes and text, not ${JSON.stringify(body)}`);
}
