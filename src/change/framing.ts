import type { RecordBatch } from '../source/source.ts';

/**
 * Names the schema that a record was written with: a number in Confluent's framing (`0x00`, four bytes, then the value), a text in Azure Schema Registry's (the record's content type is
 * `avro/binary+<id>`, and the body is the bare value).
 */
export type SchemaId = number | string;

/** Bytes before a value in Confluent's framing. */
export const FRAME_BYTES = 5;

const AZURE_TYPE = 'avro/binary+';
const AZURE_ID_MAX = 256;

/** Schema number of the value `bytes[start..end)`, -1 when it is not framed so. */
export function framedSchema(bytes: Uint8Array, start: number, end: number): number {
  if (start < 0 || end - start < FRAME_BYTES || bytes[start] !== 0) return -1;
  return ((bytes[start + 1] << 24) | (bytes[start + 2] << 16) | (bytes[start + 3] << 8) | bytes[start + 4]) >>> 0;
}

/** The same for a message key. Numbers begin at 1, and a 64-bit integer as a key begins with zeros: that is no frame. */
export function framedKeySchema(bytes: Uint8Array, start: number, end: number): number {
  const schema = framedSchema(bytes, start, end);
  return schema === 0 ? -1 : schema;
}

/** Schema id in every content type of a batch, null where there is none; null when no record has one. */
export function contentSchemas(batch: RecordBatch): readonly (string | null)[] | null {
  if (batch.contentTypes === undefined) return null;
  const ids = batch.contentTypes.names.map((name) => (name.toLowerCase().startsWith(AZURE_TYPE) ? name.slice(AZURE_TYPE.length, AZURE_TYPE.length + AZURE_ID_MAX).trim() : null));
  return ids.some((id) => id !== null) ? ids : null;
}
