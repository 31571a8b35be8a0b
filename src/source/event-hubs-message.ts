/** An AMQP message as the client decodes it: only what is read of it. */
export interface AmqpMessage {
  readonly body?: unknown;
  readonly message_annotations?: Readonly<Record<string, unknown>> | undefined;
  readonly delivery_annotations?: Readonly<Record<string, unknown>> | undefined;
  readonly application_properties?: Readonly<Record<string, unknown>> | undefined;
  readonly content_type?: unknown;
}

/** An event of a hub. */
export interface HubEvent {
  readonly sequence: number;
  /** Offset text; null when the service gave none. */
  readonly offset: string | null;
  /** When the hub took it, milliseconds; NaN when unknown. */
  readonly time: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** `''` for none. */
  readonly contentType: string;
}

const DATA_SECTION = 0x75;
const SEQUENCE_SECTION = 0x76;
const encoder = new TextEncoder();
/** Begins what stands for a body that has no exact text: it is no JSON, so that it becomes a dead letter. */
const NOT_TEXT = 'an AMQP value that is neither bytes nor text:';
/** A body is not nested deeper than any change event. */
const DEPTH_MAX = 64;

/** Reads an event; null when it does not say its sequence number. */
export function readEvent(message: AmqpMessage): HubEvent | null {
  const annotations = message.message_annotations ?? {};
  const sequence = annotations['x-opt-sequence-number'];
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 0) return null;
  const offset = annotations['x-opt-offset'];
  const time = annotations['x-opt-enqueued-time'];
  return {
    sequence,
    offset: typeof offset === 'string' ? offset : typeof offset === 'number' ? String(offset) : null,
    time: time instanceof Date || typeof time === 'number' ? Number(time) : Number.NaN,
    key: keyOf(annotations), value: valueOf(message.body), contentType: contentTypeOf(message),
  };
}

/** Sequence number of the newest event of the partition, which comes with each event; null when it did not. */
export function newestSequence({ delivery_annotations: annotations }: AmqpMessage): number | null {
  const newest = annotations?.['last_enqueued_sequence_number'];
  return typeof newest === 'number' && Number.isSafeInteger(newest) ? newest : null;
}

/** The key of a Kafka producer as bytes, else the partition key of an AMQP producer, else null. */
function keyOf(annotations: Readonly<Record<string, unknown>>): Uint8Array | null {
  return bytesOf(annotations['x-opt-kafka-key']) ?? bytesOf(annotations['x-opt-partition-key']);
}

/** An empty body, as one that is not there, is a tombstone. */
function valueOf(body: unknown): Uint8Array | null {
  const bytes = bodyBytes(body);
  return bytes === null || bytes.length === 0 ? null : bytes;
}

function bodyBytes(body: unknown): Uint8Array | null {
  if (body === undefined || body === null) return null;
  const plain = bytesOf(body);
  if (plain !== null) return plain;
  const { typecode, content, multiple } = body as { readonly typecode?: unknown; readonly content?: unknown; readonly multiple?: unknown };
  if (typecode === DATA_SECTION) {
    if (multiple === true && Array.isArray(content)) return Buffer.concat(content.map((part) => bytesOf(part) ?? new Uint8Array(0)));
    return bytesOf(content) ?? (content === undefined || content === null ? null : exactText(content));
  }
  return exactText(typecode === SEQUENCE_SECTION ? content : body);
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? encoder.encode(value) : null;
}

/** A value or list of AMQP as JSON text where that says the same; else text that is no JSON. */
function exactText(value: unknown): Uint8Array {
  return encoder.encode(isJson(value, 0) ? JSON.stringify(value) : `${NOT_TEXT} ${Array.isArray(value) ? 'a list' : typeof value}`);
}

function isJson(value: unknown, depth: number): boolean {
  if (depth > DEPTH_MAX) return false;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every((item) => isJson(item, depth + 1));
}

/** The content type of the message, else the header of that name, which is bytes when it comes from Kafka. */
function contentTypeOf({ content_type: own, application_properties: properties }: AmqpMessage): string {
  if (typeof own === 'string' && own !== '') return own;
  if (properties === undefined) return '';
  const header = properties['content-type'] ?? properties['contentType'] ?? properties['Content-Type'];
  if (typeof header === 'string') return header;
  return header instanceof Uint8Array ? Buffer.from(header.buffer, header.byteOffset, header.byteLength).toString('latin1') : '';
}
