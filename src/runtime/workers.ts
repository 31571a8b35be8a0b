import { getPriority, setPriority } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { ERROR_CODES, RentfoldError, type Code } from '../errors.ts';
import { messageOf } from './message-of.ts';

/** An error as plain data, so that it keeps its code across a thread border. */
export interface WireError {
  /** Null for an error that is not a `RentfoldError`. */
  readonly code: Code | null;
  readonly message: string;
  readonly stack: string | null;
}

/** Takes an error apart. Anything can be thrown, so anything is accepted. */
export function errorToWire(error: unknown): WireError {
  const stack = error instanceof Error ? error.stack ?? null : null;
  if (error instanceof RentfoldError) return { code: error.code, message: error.message, stack };
  return { code: null, message: messageOf(error), stack };
}

/** Puts an error together again; one without a code gets `fallback`. The stack of the other thread is its cause. */
export function errorFromWire(wire: WireError, fallback: Code): RentfoldError {
  const cause = new Error(wire.message);
  if (wire.stack !== null) cause.stack = wire.stack;
  return new RentfoldError(wire.code ?? fallback, wire.code === null ? `${ERROR_CODES[fallback].meaning} ${wire.message}` : wire.message, { cause });
}

/** The error itself when it has a code, otherwise wrapped in one with `fallback`. */
export function asRentfoldError(error: unknown, fallback: Code): RentfoldError {
  return error instanceof RentfoldError ? error : errorFromWire(errorToWire(error), fallback);
}

/** Niceness of a worker thread: a third of the time of one without. Much more would starve it on a machine where other programs are busy too. */
const WORKER_NICENESS = 5;

/**
 * Lets the main thread, which answers reads, go first: lowers the priority of the calling thread a little. Only Linux gives a thread a priority of its own
 * (setpriority(2)); elsewhere it would be the whole process's, and nothing is done. It is a wish: where it is refused, everything works as without it.
 */
export function giveWayToMainThread(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(getPriority() + WORKER_NICENESS);
  } catch {
    // A sandbox may forbid the call.
  }
}

/** Waits until a worker that was asked to end has ended, and ends it by force after `ms` milliseconds. */
export async function endWorker(worker: Worker, exited: Promise<unknown>, ms: number): Promise<void> {
  const timer = setTimeout(() => void worker.terminate(), ms);
  await exited;
  clearTimeout(timer);
}
