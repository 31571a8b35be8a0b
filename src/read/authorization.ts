import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const SCHEME = /^Bearer +(.+)$/i;

/**
 * Decides whether a request carries the read token. With no token configured everybody may read. Tokens are compared by hash, in a time that
 * does not depend on them; a request with two `Authorization` headers has none.
 */
export function createAuthorizer(token: string | null): (request: IncomingMessage) => boolean {
  if (token === null) return () => true;
  const expected = hash('sha256', token, 'buffer');
  return (request) => {
    const presented = SCHEME.exec(onlyAuthorization(request.rawHeaders) ?? '')?.[1];
    if (presented === undefined) return false;
    return timingSafeEqual(hash('sha256', Buffer.from(presented, 'latin1'), 'buffer'), expected);
  };
}

/** The one `Authorization` header among names and values in turn; null when there is none or more than one. */
function onlyAuthorization(rawHeaders: readonly string[]): string | null {
  let found: string | null = null;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i].length !== 13 || rawHeaders[i].toLowerCase() !== 'authorization') continue;
    if (found !== null) return null;
    found = rawHeaders[i + 1];
  }
  return found;
}
