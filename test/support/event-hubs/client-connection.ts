import type { AmqpError, Connection, link, Sender } from 'rhea';
import { Permits } from './authority.ts';

/** What the double knows of one connection of a client. */
export class ClientConnection {
  readonly connection: Connection;
  readonly permits = new Permits();
  /** False: tokens are not answered any more. */
  answersTokens = true;
  /** Links on which answers go out, by name: the reply address of a request. */
  readonly replies = new Map<string, Sender>();
  /** Links that need a token, with the path it must cover. */
  readonly #guarded = new Map<link, string>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  guard(link: link, path: string): void {
    this.#guarded.set(link, path);
  }

  /** Closes the links whose token has ended. Returns how many. */
  closeUnpermitted(now: number): number {
    let closed = 0;
    for (const [link, path] of this.#guarded) {
      const isOver = link.is_closed();
      if (!isOver && this.permits.covers(path, now)) continue;
      this.#guarded.delete(link);
      if (isOver) continue;
      link.close(unauthorized(path, 'ExpiredToken: The token is expired.'));
      closed++;
    }
    return closed;
  }
}

/** The error of a link that no token covers. */
export function unauthorized(path: string, why = 'Unauthorized access.'): AmqpError {
  return { condition: 'amqp:unauthorized-access', description: `${why} 'Listen' or 'Send' claim(s) are required to perform this operation. Resource: '${path}'.` };
}
