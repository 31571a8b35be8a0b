import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { GuardedProcess, ownInstance } from './guarded-process.ts';
import type { AzuriteService, OwnInstance } from './service.ts';
import { removeData } from './log-tails.ts';
import { inNewFolder } from './service-folder.ts';

/** Azurite's own account, which its documentation publishes. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Where a blob service is: its port on loopback and its log. */
export interface AzuritePlace {
  readonly port: number;
  readonly logFiles: readonly string[];
  /** It speaks https, and takes tokens of an identity. */
  readonly isTls?: boolean;
}

/** Everything else about it. */
export function azuriteAt(place: AzuritePlace): AzuriteService {
  const protocol = place.isTls === true ? 'https' : 'http';
  const blobEndpoint = `${protocol}://127.0.0.1:${place.port}/${ACCOUNT}`;
  return {
    connectionString: `DefaultEndpointsProtocol=${protocol};AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${blobEndpoint};`,
    account: ACCOUNT,
    key: KEY,
    blobEndpoint,
    logFiles: place.logFiles,
    logs: async () => (await Promise.all(place.logFiles.map((file) => readFile(file, 'utf8')))).join('\n'),
  };
}

/** How Azurite is started. */
export interface AzuriteOptions {
  readonly inMemory?: boolean;
  /** PEM file of a server's key and certificate: then it speaks https and takes tokens, whose claims and times it checks, not their signature. */
  readonly serverFile?: string;
}

/**
 * Starts Azurite's blob service. `inMemory` forgets everything when it ends; without it, a restart keeps the data, but a kill may lose what
 * Azurite has not yet written (unlike the real service).
 */
export function startLocalAzurite(options: AzuriteOptions = {}): Promise<AzuriteService & OwnInstance & AzuritePlace> {
  return inNewFolder('azurite', (folder) => startIn(folder, options));
}

async function startIn(folder: string, { inMemory, serverFile }: AzuriteOptions): Promise<AzuriteService & OwnInstance & AzuritePlace> {
  const [port] = await freePorts(1) as [number];
  const logFile = join(folder, 'azurite.log');
  const server = await GuardedProcess.start({
    name: 'Azurite',
    command: [
      process.execPath, createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js'), '--blobHost', '127.0.0.1', '--blobPort', String(port),
      '--disableTelemetry', '--skipApiVersionCheck', '--silent', ...(inMemory === true ? ['--inMemoryPersistence'] : ['--location', folder]),
      ...(serverFile === undefined ? [] : ['--oauth', 'basic', '--cert', serverFile, '--key', serverFile]),
    ],
    folder,
    logFile,
    ready: (log) => log.includes('successfully listens'),
  });
  return {
    ...azuriteAt({ port, logFiles: [logFile], isTls: serverFile !== undefined }),
    port,
    ...ownInstance(server, () => removeData(folder, [logFile])),
  };
}
