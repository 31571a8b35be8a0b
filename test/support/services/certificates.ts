import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DAYS = '30';
const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** PEM files of a server on loopback. */
export interface Certificates {
  /** The authority that signed the server. */
  readonly caFile: string;
  /** An authority that did not. */
  readonly foreignCaFile: string;
  /** Private key and certificate of the server, for 127.0.0.1 and localhost. */
  readonly serverFile: string;
  /** Key by which an issuer of tokens signs, and what it tells others of it (a JSON web key set). */
  readonly issuerKeyFile: string;
  readonly issuerKeysFile: string;
}

/** Name of the issuer's key in tokens. */
export const ISSUER_KEY_ID = 'rentfold-test';

/** Makes an authority, another one, a server's certificate (with openssl) and an issuer's key in a folder. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const at = (name: string): string => join(folder, name);
  for (const name of ['ca', 'foreign-ca']) {
    await openssl('req', '-x509', ...EC_KEY, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-days', DAYS, '-subj', `/CN=rentfold test ${name}`);
  }
  await openssl('req', ...EC_KEY, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=localhost');
  await writeFile(at('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  await openssl('x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-out', at('server.crt'), '-days', DAYS, '-extfile', at('server.ext'));
  await writeFile(at('server.pem'), `${await readFile(at('server.key'), 'utf8')}${await readFile(at('server.crt'), 'utf8')}`);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(at('issuer.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(at('issuer.jwks.json'), JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: ISSUER_KEY_ID, use: 'sig', alg: 'RS256' }] }));
  return { caFile: at('ca.pem'), foreignCaFile: at('foreign-ca.pem'), serverFile: at('server.pem'), issuerKeyFile: at('issuer.pem'), issuerKeysFile: at('issuer.jwks.json') };
}

async function openssl(...args: readonly string[]): Promise<void> {
  await run('openssl', args);
}
