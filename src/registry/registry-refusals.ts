import type { SchemaAnswer } from '../change/schemas.ts';

/** Why values with a schema are dead letters, in the words of every kind of registry. */

/** A registry's word that a schema cannot be had, or is of no use. */
export type Refusal = Extract<SchemaAnswer, { kind: 'refused' }>;

/** Largest schema read, in bytes. */
export const SCHEMA_BYTES_MAX = 4 * 1024 * 1024;

/** The registry does not know the id, but may later; `name`: what it is to people. */
export function unknownTo(name: string): Refusal {
  return { kind: 'refused', code: 'SCHEMA_UNKNOWN', reason: `${name} does not know it`, mayChange: true };
}

/** The schema is larger than `SCHEMA_BYTES_MAX`. */
export function tooLarge(): Refusal {
  return { kind: 'refused', code: 'SCHEMA_INVALID', reason: `what the registry has under it is larger than ${SCHEMA_BYTES_MAX} bytes, the most that is read of a schema: register a smaller one for what is written from now on`, mayChange: false };
}

/** A schema of a kind that is not read; `type`: as the registry calls it. */
export function typeNotRead(type: string): Refusal {
  return { kind: 'refused', code: 'FRAMING_UNSUPPORTED', reason: `that is a schema of the type ${type}, which is not read; Avro and JSON Schema are`, mayChange: false };
}
