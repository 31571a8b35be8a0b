import { startLocalAzurite } from './azurite.ts';
import type { AzuritePlace } from './azurite.ts';
import type { ConnectOptions } from './connect.ts';
import { startLocalConnect } from './connect.ts';
import { startLocalKafka } from './kafka.ts';
import { useLog } from './log-tails.ts';
import { startLocalMariadb } from './mariadb.ts';
import { startLocalPostgres } from './postgres.ts';
import { wayTo } from './presence.ts';
import type { ServiceName } from './presence.ts';
import { startLocalRegistry } from './registry.ts';
import type { AzuriteService, ConnectService, KafkaOptions, MariadbService, OwnInstance, OwnKafka, PostgresService, RegistryService } from './service.ts';

/** Starts services whichever way this machine allows; outside of a test run too (benchmarks). Each throws the line that says what to install. */

/** A broker, or a cluster of two. */
export async function startKafka(options: KafkaOptions = {}): Promise<OwnKafka> {
  return logged(await byPrograms('kafka') ? startLocalKafka(options) : (await import('./container-kafka.ts')).startContainerKafka(options));
}

/** A blob service, on disk unless told otherwise. */
export async function startAzurite(options: { readonly inMemory?: boolean } = {}): Promise<AzuriteService & OwnInstance & AzuritePlace> {
  return logged(await byPrograms('azurite') ? startLocalAzurite(options) : (await import('./container-services.ts')).startContainerAzurite(options));
}

/** Postgres with logical decoding. */
export async function startPostgres(): Promise<PostgresService & OwnInstance> {
  return logged(await byPrograms('postgres') ? startLocalPostgres() : (await import('./container-services.ts')).startContainerPostgres());
}

/** MariaDB with a row binlog. */
export async function startMariadb(): Promise<MariadbService & OwnInstance> {
  return logged(await byPrograms('mariadb') ? startLocalMariadb() : (await import('./container-services.ts')).startContainerMariadb());
}

/** A Connect worker on a broker (its `seenFromConnect`). */
export async function startConnect(options: ConnectOptions): Promise<ConnectService & OwnInstance> {
  return logged(await byPrograms('connect') ? startLocalConnect(options) : (await import('./container-services.ts')).startContainerConnect(options));
}

/** A schema registry. */
export async function startRegistry(): Promise<RegistryService & OwnInstance> {
  return logged(await byPrograms('registry') ? startLocalRegistry() : (await import('./container-services.ts')).startContainerRegistry());
}

/** Its log is shown when a test fails meanwhile. */
async function logged<Service extends { readonly logFiles: readonly string[] }>(starting: Promise<Service>): Promise<Service> {
  const service = await starting;
  for (const file of service.logFiles) useLog(file);
  return service;
}

async function byPrograms(name: ServiceName): Promise<boolean> {
  const way = await wayTo(name);
  if ('missing' in way) throw new Error(way.missing);
  return way.by === 'programs';
}
