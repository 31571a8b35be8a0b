import type { SchemaId } from '../change/framing.ts';
import type { SchemaAnswer } from '../change/schemas.ts';

/** A schema registry. What it says about an id never changes, but for an id that it does not know yet. */
export interface SchemaRegistry {
  /** What the registry is to people: kind and address, without secrets. */
  readonly name: string;
  /** True for ids of the registry's own kind. */
  covers(id: SchemaId): boolean;
  /** Asks for a schema. Throws a RegistryTrouble when the registry cannot say now; nothing is known about the id then. */
  ask(id: SchemaId, signal: AbortSignal): Promise<SchemaAnswer>;
}

/** The registry did not say anything that can be relied on: it is away, refuses, or something else answers in its place. The message ends a sentence and holds no secret. */
export class RegistryTrouble extends Error {
  /** Milliseconds that the registry wants to be left alone; 0 when it does not say. */
  readonly restMs: number;

  constructor(message: string, restMs = 0) {
    super(message);
    this.restMs = restMs;
  }
}
