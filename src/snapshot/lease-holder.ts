import { randomBytes } from 'node:crypto';
import type { ProcessIdentity } from './process-identity.ts';

/** Who holds a lease, as it is written where the lease is kept. */
export interface Holder extends ProcessIdentity {
  readonly writer: string;
  /** Tells one lease of a writer from its next. */
  readonly token: string;
}

/** The holder of a new lease. */
export function newHolder(own: ProcessIdentity, writer: string): Holder {
  return { ...own, writer, token: randomBytes(8).toString('hex') };
}

/** The holder that a text names, or null when it is unreadable. Further fields do not matter. */
export function parseHolder(content: string): Holder | null {
  try {
    const holder = JSON.parse(content) as Holder;
    return typeof holder.space === 'string' && Number.isInteger(holder.pid) && holder.pid > 0 ? holder : null;
  } catch {
    return null;
  }
}

/** The holder that a text names, in words. */
export function describeHolder(content: string): string {
  const holder = parseHolder(content);
  return holder === null ? 'an unreadable lease file' : `writer ${holder.writer}, process ${holder.pid} on host ${holder.host}`;
}
