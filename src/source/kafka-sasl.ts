import { lazyTokenCredential, type AzureIdentityConfig } from '../runtime/azure-identity.ts';
import type { Clock } from '../runtime/clock.ts';
import { oneLine } from '../runtime/one-line.ts';
import type { KafkaConfig } from './kafka-options.ts';

/** Proving to a broker who we are. PLAIN and SCRAM are kafkajs' own; OAUTHBEARER is ours, because kafkajs does not look at the broker's answer, which may be a refusal. */

/** As kafkajs takes it: user and password, or how one authentication goes. */
export type ClientSasl =
  | { readonly mechanism: string; readonly username: string; readonly password: string }
  | { readonly mechanism: string; readonly authenticationProvider: (connection: SaslConnection) => { authenticate(): Promise<void> } };

/** One connection that is being authenticated. */
interface SaslConnection {
  readonly saslAuthenticate: (exchange: { readonly request: { encode(): Promise<Buffer> }; readonly response: { decode(raw: Buffer): Promise<Buffer>; parse(raw: Buffer): Promise<Buffer> } }) => Promise<Buffer>;
}

const WORDS_MAX = 150;

/** The broker took the token's form and refuses what it says. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

/** What connections need. `tokenMs`: longest to wait for a token; what takes longer is there for the next connection. Each connection asks for a token of its own, also when its session with the broker ends. */
export function clientSasl(sasl: KafkaConfig['sasl'], tokenMs: number, clock: Clock): ClientSasl | null {
  if (sasl === null || sasl.mechanism !== 'oauthbearer') return sasl === null ? null : { ...sasl };
  const token = tokens(sasl.identity, sasl.scope, tokenMs, clock);
  return { mechanism: 'oauthbearer', authenticationProvider: ({ saslAuthenticate }) => ({ authenticate: async () => await present(await token(), saslAuthenticate) }) };
}

function tokens(identity: AzureIdentityConfig, scope: string, tokenMs: number, clock: Clock): () => Promise<string> {
  const credential = lazyTokenCredential(identity, clock);
  return async () => {
    const late = new AbortController();
    const done = new AbortController();
    void clock.sleep(tokenMs, done.signal).then(() => late.abort());
    try {
      return (await (await credential()).getToken(scope, { abortSignal: late.signal }))!.token;
    } finally {
      done.abort();
    }
  };
}

/** RFC 7628: the token in the first message. An answer that is not empty is a refusal, which this side would have to confirm; the connection is given up instead. */
async function present(token: string, saslAuthenticate: SaslConnection['saslAuthenticate']): Promise<void> {
  const message = Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`);
  const framed = Buffer.concat([Buffer.alloc(4), message]);
  framed.writeInt32BE(message.length);
  let said: string;
  try {
    const answer = await saslAuthenticate({ request: { encode: () => Promise.resolve(framed) }, response: { decode: (raw) => Promise.resolve(raw), parse: (raw) => Promise.resolve(raw) } });
    said = answer.subarray(4).toString();
  } catch (error) {
    const { type, message: why } = error as { readonly type?: string; readonly message: string };
    if (type !== 'SASL_AUTHENTICATION_FAILED') throw error;
    said = why;
  }
  if (said !== '') throw new TokenRefused(oneLine(said.replaceAll(token, '…')).slice(0, WORDS_MAX));
}
