import { azuriteAt } from './azurite.ts';
import type { AzuritePlace } from './azurite.ts';
import { connectAt } from './connect.ts';
import type { ConnectPlace } from './connect.ts';
import { kafkaAt } from './kafka.ts';
import { mariadbAt } from './mariadb.ts';
import { postgresAt } from './postgres.ts';
import type { ServiceName } from './presence.ts';
import { registryAt } from './registry.ts';
import type { RegistryPlace } from './registry.ts';
import type { AzuriteService, ConnectService, KafkaPlace, KafkaService, MariadbService, PostgresService, RegistryService } from './service.ts';
import { askPresence, askShared } from './shared.ts';
import type { SqlPlace } from './sql-service.ts';

export { startAzurite, startConnect, startKafka, startMariadb, startPostgres, startRegistry } from './start.ts';

/**
 * The door through which tests come by the real services that a whole run shares. Each is started when the first test file asks.
 *
 * Ask at the top level of the test file (`const kafka = await kafkaService()`), where no time limit stops a first download, and leave the tests out
 * with `describe.skipIf(kafka === null)`: null means that it cannot be had here, and one line has been printed that says what to install. (The body
 * of a describe runs even then: look into the service inside the tests.) With RENTFOLD_TEST_REQUIRE_SERVICES=true a missing part is an error. Name
 * topics, containers and databases so that no other test meets them.
 *
 * For an instance of the test's own, to kill and to start again, take `startKafka` and its like (`start.ts`, which also serves outside of a test run); `hasService` says beforehand whether it can be had.
 */

/** Whether a service can be had here, without starting it. Prints the line that says what to install, or throws it where services are required. */
export function hasService(name: ServiceName): Promise<boolean> {
  return askPresence(name);
}

/** The run's broker. */
export async function kafkaService(): Promise<KafkaService | null> {
  return found(await askShared<KafkaPlace>('kafka'), kafkaAt);
}

/** The run's blob service, in memory. */
export async function azuriteService(): Promise<AzuriteService | null> {
  return found(await askShared<AzuritePlace>('azurite'), azuriteAt);
}

/** The run's Postgres. */
export async function postgresService(): Promise<PostgresService | null> {
  return found(await askShared<SqlPlace>('postgres'), postgresAt);
}

/** The run's MariaDB. */
export async function mariadbService(): Promise<MariadbService | null> {
  return found(await askShared<SqlPlace>('mariadb'), mariadbAt);
}

/** The run's Connect worker, on the run's broker. */
export async function connectService(): Promise<ConnectService | null> {
  return found(await askShared<ConnectPlace>('connect'), connectAt);
}

/** The run's schema registry; name subjects so that no other test meets them. */
export async function registryService(): Promise<RegistryService | null> {
  return found(await askShared<RegistryPlace>('registry'), registryAt);
}

function found<Place, Service>(place: Place | null, at: (place: Place) => Service): Service | null {
  return place === null ? null : at(place);
}
