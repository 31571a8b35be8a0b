import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ISSUER_KEY_ID } from './services/certificates.ts';

/** A request for a token, as it came. */
export interface TokenRequest {
  readonly form: 'managed' | 'login';
  /** Resource or scope asked for. */
  readonly scope: string;
  readonly clientId: string | null;
  /** What a workload proved itself by. */
  readonly assertion: string | null;
  readonly secret: string | null;
}

/** What the issuer does with the next requests: gives tokens, refuses, keeps everybody waiting, or cuts the connection. */
export type IssuerMood = 'gives' | { readonly status: number; readonly error: string; readonly description: string } | 'silent' | 'away';

export interface IssuerOptions {
  /** Life of a token, seconds. */
  readonly lifeSeconds: number;
  /** PEM file with key and certificate: then it has a login host, which only speaks https. */
  readonly serverFile?: string;
  /** PEM file of the key that signs; not given: one of its own. */
  readonly keyFile?: string;
}

const TENANT = '5e4b2c70-0000-4000-8000-00000000aaaa';
/** Value of IDENTITY_HEADER, and the tenant and client that the issuer knows. */
export const ISSUER = { name: `https://sts.windows.net/${TENANT}/`, header: 'rentfold-test-identity-header', tenant: TENANT, client: '5e4b2c70-0000-4000-8000-00000000bbbb', subject: 'rentfold-identity' } as const;

/**
 * An issuer of tokens on loopback, in the two forms that Azure has: the local endpoint of a managed identity (App Service, Container Apps; http), and the login host for workload identities and service principals (https).
 * Its tokens are real ones, signed, with a short life.
 */
export class AzureIssuer {
  readonly requests: TokenRequest[] = [];
  /** Tokens given, newest last. */
  readonly tokens: string[] = [];
  lifeSeconds: number;
  /** Other lives, by audience. */
  readonly lives = new Map<string, number>();
  mood: IssuerMood = 'gives';
  readonly #key: KeyObject;
  readonly #servers: Server[] = [];
  #identityEndpoint = '';
  #authorityHost = '';

  private constructor(options: IssuerOptions) {
    this.lifeSeconds = options.lifeSeconds;
    this.#key = options.keyFile === undefined ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey : createPrivateKey(readFileSync(options.keyFile));
  }

  static async start(options: IssuerOptions): Promise<AzureIssuer> {
    const issuer = new AzureIssuer(options);
    const answer: RequestListener = (request, response) => void issuer.#answer(request, response);
    issuer.#identityEndpoint = `http://127.0.0.1:${await issuer.#listen(createHttpServer(answer))}/msi/token`;
    if (options.serverFile !== undefined) {
      const pem = readFileSync(options.serverFile);
      issuer.#authorityHost = `https://localhost:${await issuer.#listen(createHttpsServer({ key: pem, cert: pem }, answer))}`;
    }
    return issuer;
  }

  /** What a process finds in its environment where Azure gives it a managed identity. */
  get environment(): { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string } {
    return { IDENTITY_ENDPOINT: this.#identityEndpoint, IDENTITY_HEADER: ISSUER.header };
  }

  /** Its login host, without `/` at the end. */
  get authorityHost(): string {
    return this.#authorityHost;
  }

  /** A token as the issuer gives it. */
  token(audience: string): string {
    const lifeSeconds = this.#life(audience);
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: ISSUER.name, aud: audience, sub: ISSUER.subject, oid: ISSUER.subject, appid: ISSUER.client, tid: ISSUER.tenant, iat: now, nbf: now, exp: now + lifeSeconds, jti: String(this.tokens.length),
    };
    const text = [{ alg: 'RS256', typ: 'JWT', kid: ISSUER_KEY_ID }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const token = `${text}.${sign('RSA-SHA256', Buffer.from(text), this.#key).toString('base64url')}`;
    this.tokens.push(token);
    return token;
  }

  #life(audience: string): number {
    return this.lives.get(audience) ?? this.lifeSeconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    })));
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server);
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return (server.address() as AddressInfo).port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://issuer');
    if (url.pathname.endsWith('/.well-known/openid-configuration')) {
      json(response, 200, this.#openidConfiguration(url.pathname.split('/')[1]!));
      return;
    }
    const asked = this.#read(request, url, new URLSearchParams(Buffer.concat(chunks).toString()));
    this.requests.push(asked);
    const { mood } = this;
    if (mood === 'silent') return;
    if (mood === 'away') {
      request.socket.destroy();
      return;
    }
    if (mood !== 'gives') {
      json(response, mood.status, { error: mood.error, error_description: mood.description, correlation_id: 'c', trace_id: 't' });
      return;
    }
    if (asked.form === 'managed' && request.headers['x-identity-header'] !== ISSUER.header) {
      json(response, 401, { error: 'unauthorized', error_description: 'the header is missing' });
      return;
    }
    const audience = asked.scope.replace(/\/\.default.*$/, '');
    const token = this.token(audience);
    const life = this.#life(audience);
    json(response, 200, asked.form === 'managed'
      ? { access_token: token, expires_on: String(Math.floor(Date.now() / 1_000) + life), resource: audience, token_type: 'Bearer', client_id: ISSUER.client }
      : { access_token: token, expires_in: life, ext_expires_in: life, token_type: 'Bearer' });
  }

  #read(request: IncomingMessage, url: URL, body: URLSearchParams): TokenRequest {
    const form = request.method === 'GET' ? 'managed' : 'login';
    const from = form === 'managed' ? url.searchParams : body;
    return { form, scope: from.get('resource') ?? from.get('scope') ?? '', clientId: from.get('client_id'), assertion: body.get('client_assertion'), secret: body.get('client_secret') };
  }

  #openidConfiguration(tenant: string): object {
    const base = `${this.#authorityHost}/${tenant}`;
    return { issuer: `${base}/v2.0`, token_endpoint: `${base}/oauth2/v2.0/token`, authorization_endpoint: `${base}/oauth2/v2.0/authorize`, jwks_uri: `${base}/discovery/v2.0/keys`, tenant_region_scope: null };
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
