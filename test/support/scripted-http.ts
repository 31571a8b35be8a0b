import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a scripted server does with a request. */
export type HttpScript = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on loopback whose answers a test writes. */
export class ScriptedHttp implements AsyncDisposable {
  readonly url: string;
  script: HttpScript;
  /** Requests so far: path, and headers. */
  readonly seen: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = [];
  readonly #server: Server;

  private constructor(server: Server, script: HttpScript) {
    this.#server = server;
    this.script = script;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.seen.push({ path: request.url ?? '', headers: request.headers });
      this.script(request, response);
    });
  }

  static async start(script: HttpScript): Promise<ScriptedHttp> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedHttp(server, script);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Answers with a status, a body and headers. */
export function answering(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpScript {
  return (_, response) => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
}
