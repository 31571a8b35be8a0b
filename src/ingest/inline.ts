import type { Decoder, DecodeOptions, DecoderMemory } from '../change/decoder.ts';
import type { SchemaRegistry } from '../registry/registry.ts';
import { createSystemClock, type Clock } from '../runtime/clock.ts';
import { asRentfoldError } from '../runtime/workers.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { OpenedLog, Source, SourceEvent } from '../source/source.ts';
import type { Ingest, IngestEvent, IngestOptions } from './ingest.ts';
import { SchemaGate } from './schema-gate.ts';

/** Makes a decoder for a source that is opened at remembered positions. */
export type DecoderFactory = (options: DecodeOptions, memory: DecoderMemory) => Decoder;

/**
 * Source and decoder in this thread: for tests, commands that read once, and inside the ingest worker. Nothing is read before the next event is
 * asked for, so that at most one batch is under way, whatever `creditsMax` says. `registries` have the schemas that records name.
 */
export function createInlineIngest(source: Source, makeDecoder: DecoderFactory, registries: readonly SchemaRegistry[] = [], clock: Clock = createSystemClock()): Ingest {
  return new InlineIngest(source, makeDecoder, registries, clock);
}

class InlineIngest implements Ingest {
  readonly #source: Source;
  readonly #makeDecoder: DecoderFactory;
  readonly #registries: readonly SchemaRegistry[];
  readonly #clock: Clock;
  #decoder: Decoder | null = null;

  constructor(source: Source, makeDecoder: DecoderFactory, registries: readonly SchemaRegistry[], clock: Clock) {
    this.#source = source;
    this.#makeDecoder = makeDecoder;
    this.#registries = registries;
    this.#clock = clock;
  }

  async open(options: IngestOptions): Promise<OpenedLog> {
    const { positions, seenTables, pieces, wholeEvents, acceptIncompleteHistory, recordsMax } = options;
    this.#decoder = this.#makeDecoder(options.decode, { positions, seenTables, pieces, wholeEvents });
    return await this.#source.open({ positions, acceptIncompleteHistory, recordsMax });
  }

  async *events(signal: AbortSignal): AsyncGenerator<IngestEvent, void, void> {
    const decoder = this.#decoder;
    if (decoder === null) throw new Error('An ingest is opened before its events are read.');
    try {
      for await (const event of this.#read(decoder, signal)) {
        if (signal.aborted) return;
        if (event.kind !== 'records') yield event;
        else {
          const batch = decoder.decode(event.batch);
          yield { kind: 'changes', batch };
          if (batch.stop !== null) return;
        }
      }
    } catch (error) {
      throw asRentfoldError(error, 'SOURCE_FAILED');
    }
  }

  /** What the source says; with registries, batches come when their schemas are known. */
  #read(decoder: Decoder, signal: AbortSignal): AsyncIterable<SourceEvent> {
    const events = this.#source.batches(signal);
    return this.#registries.length === 0 ? events : new SchemaGate(events, decoder.schemas, this.#registries, this.#clock, signal).events();
  }

  async commit(positions: readonly PartitionPosition[]): Promise<void> {
    await this.#source.commit(positions);
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}
