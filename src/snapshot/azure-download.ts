import type { BlobClient } from '@azure/storage-blob';
import { addAbortSignal, type Readable } from 'node:stream';
import { RentfoldError } from '../errors.ts';
import { messageOf } from '../runtime/message-of.ts';
import type { AzureCalls, What } from './azure-calls.ts';
import { AnswerBroken } from './azure-failure.ts';
import { Damage } from './damage.ts';

/**
 * Reading a blob in ranges of bounded size. Each is a request of its own with a deadline, repeated when the connection breaks, and each after the first asks for
 * the version of the first: a blob that is replaced meanwhile is never mixed. The library's own stream is not used: it ends with an error when a connection is cut.
 */

/** Bytes of a range. */
export const RANGE_BYTES = 4 << 20;
/** Ranges asked for before they are wanted: 16 MiB of memory with the one in hand. */
const RANGES_AHEAD = 3;
/** A blob that is replaced under our hands again and again is not read for ever. */
const RESTARTS_MAX = 5;

/** A part of a blob, and what the whole is. */
export interface Range {
  readonly bytes: Buffer;
  readonly size: number;
  readonly tag: string;
}

type Outcome = Range | 'missing' | 'changed';

/** The whole blob, or null when there is none. */
export async function readWhole(calls: AzureCalls, blob: BlobClient, what: What): Promise<{ readonly bytes: Uint8Array; readonly tag: string } | null> {
  for (let restart = 0; restart < RESTARTS_MAX; restart++) {
    const first = await readRange(calls, blob, what, { offset: 0, count: RANGE_BYTES, tag: null });
    if (first === 'missing') return null;
    if (first === 'changed') continue;
    if (first.bytes.length === first.size) return { bytes: first.bytes, tag: first.tag };
    const ranges = [];
    try {
      for await (const bytes of rangesFrom(calls, blob, what, first)) ranges.push(bytes);
    } catch (error) {
      if (error instanceof Damage) continue;
      throw error;
    }
    return { bytes: Buffer.concat(ranges), tag: first.tag };
  }
  throw restless(what);
}

/** The blob in ranges, or null when there is none. Throws `Damage` in the middle when it is replaced or removed meanwhile. */
export async function readRanges(calls: AzureCalls, blob: BlobClient, what: What): Promise<AsyncIterable<Uint8Array> | null> {
  const first = await readRange(calls, blob, what, { offset: 0, count: RANGE_BYTES, tag: null });
  if (first === 'missing') return null;
  if (first === 'changed') throw restless(what);
  return rangesFrom(calls, blob, what, first);
}

/** The last bytes of the blob, or null when there is none. */
export async function readLast(calls: AzureCalls, blob: BlobClient, what: What, bytesMax: number): Promise<Range | null> {
  for (let restart = 0; restart < RESTARTS_MAX; restart++) {
    const there = await propertiesOf(calls, blob, what);
    if (there === null) return null;
    const bytes: Buffer[] = [];
    let outcome: Outcome | null = null;
    for (let offset = Math.max(0, there.size - bytesMax); offset < there.size; offset += RANGE_BYTES) {
      outcome = await readRange(calls, blob, what, { offset, count: Math.min(RANGE_BYTES, there.size - offset), tag: there.tag });
      if (typeof outcome === 'string') break;
      bytes.push(outcome.bytes);
    }
    if (typeof outcome !== 'string') return { bytes: Buffer.concat(bytes), ...there };
  }
  throw restless(what);
}

async function* rangesFrom(calls: AzureCalls, blob: BlobClient, what: What, first: Range): AsyncGenerator<Buffer> {
  const { size, tag } = first;
  const stop = new AbortController();
  const ahead: Promise<Outcome>[] = [];
  let asked = first.bytes.length;
  const askAhead = (): void => {
    for (; asked < size && ahead.length < RANGES_AHEAD; asked += RANGE_BYTES) {
      const range = readRange(calls, blob, what, { offset: asked, count: Math.min(RANGE_BYTES, size - asked), tag }, stop.signal);
      range.catch(() => undefined);
      ahead.push(range);
    }
  };
  try {
    askAhead();
    if (first.bytes.length > 0) yield first.bytes;
    for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
      const range = await next;
      if (typeof range === 'string') throw new Damage(what.name, 'the file was replaced or removed while it was read');
      askAhead();
      yield range.bytes;
    }
  } finally {
    stop.abort(new Error('no longer wanted'));
  }
}

/** One range of a version; of the version there now when the tag is null. */
async function readRange(
  calls: AzureCalls, blob: BlobClient, what: What, wanted: { readonly offset: number; readonly count: number; readonly tag: string | null }, given?: AbortSignal,
): Promise<Outcome> {
  const { offset, count, tag } = wanted;
  const outcome = await calls.run(what, async (abortSignal): Promise<Range> => {
    const answer = await blob.download(offset, count, { abortSignal, maxRetryRequests: 0, conditions: tag === null ? {} : { ifMatch: tag } });
    const bytes = await wholeAnswer(answer.readableStreamBody as Readable, abortSignal);
    if (bytes.length !== answer.contentLength) throw new AnswerBroken(`${bytes.length} of ${answer.contentLength} bytes came`);
    return { bytes, size: Number(/\/(\d+)$/.exec(answer.contentRange ?? '')?.[1] ?? bytes.length), tag: answer.etag ?? '' };
  }, { BlobNotFound: 'missing', ConditionNotMet: 'changed', InvalidRange: 'empty' } as const, undefined, given);
  if (outcome !== 'empty') return outcome;
  // No range fits into an empty blob; or it was replaced by a shorter one.
  const there = await propertiesOf(calls, blob, what);
  if (there === null) return 'missing';
  return there.size === 0 && offset === 0 ? { bytes: Buffer.alloc(0), ...there } : 'changed';
}

async function propertiesOf(calls: AzureCalls, blob: BlobClient, what: What): Promise<{ readonly size: number; readonly tag: string } | null> {
  const there = await calls.run(what, (abortSignal) => blob.getProperties({ abortSignal }), { BlobNotFound: null });
  return there === null ? null : { size: there.contentLength ?? 0, tag: there.etag ?? '' };
}

async function wholeAnswer(body: Readable, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of addAbortSignal(signal, body)) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new AnswerBroken(messageOf(error));
  }
  return Buffer.concat(chunks);
}

function restless(what: What): RentfoldError {
  return new RentfoldError('STORE_UNAVAILABLE', `could not read ${what.name}: it was replaced each of ${RESTARTS_MAX} times while it was read`);
}
