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
    const values = request.headersDistinct['authorization'];
    const presented = values?.length === 1 ? SCHEME.exec(values[0])?.[1] : undefined;
    if (presented === undefined) return false;
    return timingSafeEqual(hash('sha256', Buffer.from(presented, 'latin1'), 'buffer'), expected);
  };
}
