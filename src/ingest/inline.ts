import type { Decoder, DecodeOptions, DecoderMemory } from '../change/decoder.ts';
import { asRentfoldError } from '../runtime/workers.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { OpenedLog, Source } from '../source/source.ts';
import type { Ingest, IngestEvent, IngestOptions } from './ingest.ts';

/** Makes a decoder for a source that is opened at remembered positions. */
export type DecoderFactory = (options: DecodeOptions, memory: DecoderMemory) => Decoder;

/**
 * Source and decoder in this thread: for tests, commands that read once, and inside the ingest worker. Nothing is read before the next event is
 * asked for, so that at most one batch is under way, whatever `creditsMax` says.
 */
export function createInlineIngest(source: Source, makeDecoder: DecoderFactory): Ingest {
  return new InlineIngest(source, makeDecoder);
}

class InlineIngest implements Ingest {
  readonly #source: Source;
  readonly #makeDecoder: DecoderFactory;
  #decoder: Decoder | null = null;

  constructor(source: Source, makeDecoder: DecoderFactory) {
    this.#source = source;
    this.#makeDecoder = makeDecoder;
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
      for await (const event of this.#source.batches(signal)) {
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

  async commit(positions: readonly PartitionPosition[]): Promise<void> {
    await this.#source.commit(positions);
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}
