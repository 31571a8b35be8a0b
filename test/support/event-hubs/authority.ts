import { createHmac } from 'node:crypto';

/** Type of a token made from a shared access key; the other is `jwt`. */
export const SAS_TOKEN = 'servicebus.windows.net:sastoken';

/** Why a token is refused: status and words of the answer. */
export interface TokenRefusal {
  readonly status: number;
  readonly description: string;
}

/** When a token ends, in milliseconds; Infinity when it does not say. */
export function tokenExpiry(type: string, token: string): number {
  if (type === SAS_TOKEN) return Number(sasFields(token).get('se')) * 1000;
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}

/** Checks form, signature and time of a shared access token; a `jwt` is only asked for its time. */
export function refuseToken(type: string, token: string, key: string, now: number): TokenRefusal | null {
  if (type === SAS_TOKEN) {
    const fields = sasFields(token);
    const expected = createHmac('sha256', key).update(`${fields.get('sr')}\n${fields.get('se')}`).digest('base64');
    if (decodeURIComponent(fields.get('sig') ?? '') !== expected) return { status: 401, description: 'InvalidSignature: The token has an invalid signature.' };
  } else if (type !== 'jwt') return { status: 400, description: `The token type '${type}' is not supported.` };
  return tokenExpiry(type, token) > now ? null : { status: 401, description: 'ExpiredToken: The token is expired.' };
}

function sasFields(token: string): Map<string, string> {
  const fields = token.replace(/^SharedAccessSignature /, '').split('&').map((field) => field.split('='));
  return new Map(fields.map(([name, ...value]) => [name, value.join('=')]));
}

/** The path of an audience: `sb://host:port/hub/$management` → `hub/$management`. Null when it is none. */
export function audiencePath(audience: string): string | null {
  return /^sb:\/\/[^/]+\/(.+)$/.exec(audience)?.[1] ?? null;
}

/** What one connection may do, by the tokens it has put. */
export class Permits {
  /** Path in lower case → when its token ends, in milliseconds. */
  readonly #until = new Map<string, number>();

  put(path: string, until: number): void {
    this.#until.set(path.toLowerCase(), until);
  }

  /** True when a token covers the path: one for it, or for what it lies under. */
  covers(path: string, now: number): boolean {
    const wanted = path.toLowerCase();
    return [...this.#until].some(([path, until]) => until > now && (wanted === path || wanted.startsWith(`${path}/`)));
  }

  clear(): void {
    this.#until.clear();
  }
}
