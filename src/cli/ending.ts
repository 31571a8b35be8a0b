import type { Logger } from '../runtime/log.ts';
import { messageOf } from '../runtime/message-of.ts';

/** Lets everything go, one after the other, whatever fails on the way: what was not given back is free once the process has ended. */
export async function closeAll(log: Logger, steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      log.warn(`while ending: ${messageOf(error)}`);
    }
  }
}

/** The result, or null once the process is asked to end: what is under way then, and what becomes of it, no longer matters. */
export async function unlessEnded<T>(work: Promise<T>, shutdown: AbortSignal): Promise<T | null> {
  work.catch(() => undefined);
  if (shutdown.aborted) return null;
  const { promise: ended, resolve } = Promise.withResolvers<null>();
  const end = (): void => resolve(null);
  shutdown.addEventListener('abort', end);
  try {
    return await Promise.race([ended, work]);
  } finally {
    shutdown.removeEventListener('abort', end);
  }
}
