import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A proxy on loopback before an HTTP service that does harm on purpose: to the requests a test names, as often as it names. Every fault counts how often it
 * struck: a test asserts that it did.
 */

/** A request as a fault sees it: `path` with its query, not decoded. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** What happens instead of, or on top of, forwarding. */
export type Harm =
  /** The service does it, `then` happens, and the connection is cut before the answer. */
  | { readonly kind: 'lose-reply'; readonly then?: () => Promise<unknown> }
  /** The service does it, and no answer ever comes; the connection stays open. */
  | { readonly kind: 'hold-reply' }
  /** The connection is cut when so many bytes of the request's content have come, at once when that is 0; the service sees nothing of it. */
  | { readonly kind: 'cut-upload'; readonly afterBytes: number }
  /** The connection is cut when so many bytes of the answer's content were sent. */
  | { readonly kind: 'cut-download'; readonly afterBytes: number }
  /** One bit of the request's content is flipped on its way. */
  | { readonly kind: 'flip-upload' }
  /** The proxy answers itself, as the service would: with a code and an XML body. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>>; readonly detail?: string }
  /** No answer, and the connection stays open. */
  | { readonly kind: 'hang' }
  /** One byte of the answer's content, then nothing more. */
  | { readonly kind: 'stall-download' }
  /** The answer's content comes in pieces of this many bytes, one every few milliseconds. */
  | { readonly kind: 'drip-download'; readonly pieceBytes: number }
  /** The request's signature is one that another key would have made: the service itself refuses it. */
  | { readonly kind: 'other-key' }
  /** Something happens first; then it goes through. */
  | { readonly kind: 'first'; readonly action: () => Promise<unknown> };

/** A fault set up: how often it has struck. */
export interface Fault {
  readonly struck: number;
  /** No more of it. */
  end(): void;
}

interface Planned {
  readonly matches: (seen: Seen) => boolean;
  readonly harm: Harm;
  left: number;
  struck: number;
}

const OTHER_SIGNATURE = Buffer.alloc(32, 7).toString('base64');
const DRIP_MS = 2;

export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: URL;
  readonly #faults: Planned[] = [];
  readonly #seen: Seen[] = [];
  /** Where it listens, with the path of the service's address. */
  readonly endpoint: string;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`;
    server.on('request', (incoming: IncomingMessage, answer: ServerResponse) => {
      this.#handle(incoming, answer).catch(() => incoming.socket.destroy());
    });
  }

  static async start(target: string): Promise<FaultProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, new URL(target));
  }

  /** Every request so far. */
  get seen(): readonly Seen[] {
    return this.#seen;
  }

  /** Harms the next `times` requests that match. The first fault that matches is the one that strikes. */
  add(matches: (seen: Seen) => boolean, harm: Harm, times = 1): Fault {
    const fault: Planned = { matches, harm, left: times, struck: 0 };
    this.#faults.push(fault);
    return { get struck() { return fault.struck; }, end: () => { fault.left = 0; } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const seen: Seen = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers };
    this.#seen.push(seen);
    const fault = this.#faults.find((one) => one.left > 0 && one.matches(seen));
    if (fault === undefined) return this.#forward(incoming, answer, await contentOf(incoming), null);
    fault.left--;
    fault.struck++;
    const { harm } = fault;
    if (harm.kind === 'cut-upload') return cutUpload(incoming, harm.afterBytes);
    const content = await contentOf(incoming);
    if (harm.kind === 'hang') return;
    if (harm.kind === 'answer') return answerWith(answer, harm);
    if (harm.kind === 'first') await harm.action();
    if (harm.kind === 'other-key') incoming.headers.authorization = incoming.headers.authorization?.replace(/[^:]+$/, OTHER_SIGNATURE);
    if (harm.kind === 'flip-upload') content[content.length >> 1] ^= 1;
    this.#forward(incoming, answer, content, harm);
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse, content: Buffer, harm: Harm | null): void {
    const { hostname, port } = this.#target;
    const onward = request({ hostname, port, method: incoming.method, path: incoming.url, headers: { ...incoming.headers, connection: 'close' } }, (reply) => {
      void (async () => {
        const body = await contentOf(reply);
        if (harm?.kind === 'lose-reply') {
          await harm.then?.();
          incoming.socket.destroy();
          return;
        }
        if (harm?.kind === 'hold-reply') return;
        answer.writeHead(reply.statusCode ?? 500, Object.fromEntries(Object.entries(reply.headers).filter(([name]) => !['connection', 'transfer-encoding'].includes(name))));
        if (harm?.kind === 'cut-download') answer.write(body.subarray(0, harm.afterBytes), () => incoming.socket.destroy());
        else if (harm?.kind === 'stall-download') answer.write(body.subarray(0, 1));
        else if (harm?.kind === 'drip-download') await drip(answer, body, harm.pieceBytes);
        else answer.end(body);
      })().catch(() => incoming.socket.destroy());
    });
    onward.on('error', () => incoming.socket.destroy());
    onward.end(content);
  }
}

async function contentOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function drip(answer: ServerResponse, body: Buffer, pieceBytes: number): Promise<void> {
  for (let at = 0; at < body.length && !answer.destroyed; at += pieceBytes) {
    answer.write(body.subarray(at, at + pieceBytes));
    await new Promise((resolve) => { setTimeout(resolve, DRIP_MS); });
  }
  answer.end();
}

function cutUpload(incoming: IncomingMessage, afterBytes: number): void {
  if (afterBytes === 0) incoming.socket.destroy();
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes >= afterBytes) incoming.socket.destroy();
  });
}

function answerWith(answer: ServerResponse, { status, code, headers = {}, detail = '' }: Extract<Harm, { kind: 'answer' }>): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>Made up.\nRequestId:1\nTime:2026-01-01T00:00:00.0000000Z</Message>${detail === '' ? '' : `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>`}</Error>`;
  answer.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code, ...headers });
  answer.end(answer.req.method === 'HEAD' ? undefined : body);
}
