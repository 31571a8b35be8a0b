import { azuriteAt } from './azurite.ts';
import type { AzuritePlace } from './azurite.ts';
import { connectAt, connectAnswers, workerProperties } from './connect.ts';
import type { ConnectOptions } from './connect.ts';
import { HOST_INSIDE, startContainer } from './container.ts';
import { freePorts } from './free-ports.ts';
import { createMariadbUser, mariadbAt, MARIADB_LOGIN, MARIADB_SETTINGS } from './mariadb.ts';
import { postgresAt, POSTGRES_SETTINGS, postgresAnswers } from './postgres.ts';
import type { AzuriteService, ConnectService, MariadbService, OwnInstance, PostgresService, RegistryService } from './service.ts';
import { registryAnswers, registryAt } from './registry.ts';

/** The services other than the broker as containers. Not run where no Docker engine was. */

const IMAGES = { azurite: 'mcr.microsoft.com/azure-storage/azurite:3.36.0', postgres: 'postgres:15', mariadb: 'mariadb:10.11', connect: 'quay.io/debezium/connect:3.6.1.Final', registry: 'quay.io/apicurio/apicurio-registry-mem:2.6.13.Final' } as const;

/** Azurite's blob service in a container. */
export async function startContainerAzurite(options: { readonly inMemory?: boolean } = {}): Promise<AzuriteService & OwnInstance & AzuritePlace> {
  const [port] = await freePorts(1) as [number];
  const server = await startContainer({
    image: IMAGES.azurite,
    ports: [{ container: 10_000, host: port }],
    configure: (container) => container.withCommand([
      'azurite-blob', '--blobHost', '0.0.0.0', '--blobPort', '10000', '--skipApiVersionCheck', '--disableTelemetry', '--silent', ...(options.inMemory === true ? ['--inMemoryPersistence'] : ['--location', '/data']),
    ]),
    ready: () => fetch(`http://127.0.0.1:${port}/`).then(() => true),
  });
  return { ...server, ...azuriteAt({ port, logFiles: server.logFiles }), port };
}

/** Postgres in a container. */
export async function startContainerPostgres(): Promise<PostgresService & OwnInstance> {
  const [port] = await freePorts(1) as [number];
  const server = await startContainer({
    image: IMAGES.postgres,
    ports: [{ container: 5432, host: port }],
    configure: (container) => container.withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
      .withCommand(['postgres', ...Object.entries(POSTGRES_SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])]),
    ready: () => postgresAnswers(port),
  });
  const place = {
    host: '127.0.0.1', port, username: 'postgres', password: 'postgres', seenFromConnect: { host: HOST_INSIDE, port }, maintenanceDatabase: 'postgres', logFiles: server.logFiles,
  };
  return { ...server, ...postgresAt(place) };
}

/** MariaDB in a container. */
export async function startContainerMariadb(): Promise<MariadbService & OwnInstance> {
  const [port] = await freePorts(1) as [number];
  const server = await startContainer({
    image: IMAGES.mariadb,
    ports: [{ container: 3306, host: port }],
    configure: (container) => container.withEnvironment({ MARIADB_ALLOW_EMPTY_ROOT_PASSWORD: '1' }).withCommand(['mariadbd', ...MARIADB_SETTINGS]),
    ready: () => createMariadbUser(port),
  });
  const place = { host: '127.0.0.1', port, ...MARIADB_LOGIN, seenFromConnect: { host: HOST_INSIDE, port }, maintenanceDatabase: 'mysql', logFiles: server.logFiles };
  return { ...server, ...mariadbAt(place) };
}

/** Kafka Connect with Debezium's connectors in a container: the image takes the worker's properties from its environment. */
export async function startContainerConnect(options: ConnectOptions): Promise<ConnectService & OwnInstance> {
  const [port] = await freePorts(1) as [number];
  const url = `http://127.0.0.1:${port}`;
  const properties = workerProperties(`connect-${port}`, options, {});
  const environment = Object.fromEntries(Object.entries(properties).map(([name, value]) => [`CONNECT_${name.toUpperCase().replaceAll('.', '_')}`, value]));
  const server = await startContainer({
    image: IMAGES.connect,
    ports: [{ container: 8083, host: port }],
    configure: (container) => container.withEnvironment({
      ...environment, BOOTSTRAP_SERVERS: options.bootstrap, GROUP_ID: properties['group.id']!, CONFIG_STORAGE_TOPIC: properties['config.storage.topic']!,
      OFFSET_STORAGE_TOPIC: properties['offset.storage.topic']!, STATUS_STORAGE_TOPIC: properties['status.storage.topic']!, HEAP_OPTS: '-Xmx640m', ENABLE_APICURIO_CONVERTERS: 'true',
    }),
    ready: () => connectAnswers(url),
  });
  return { ...server, ...connectAt({ url, logFiles: server.logFiles }) };
}

/** Apicurio's registry in a container. */
export async function startContainerRegistry(): Promise<RegistryService & OwnInstance> {
  const [port] = await freePorts(1) as [number];
  const url = `http://127.0.0.1:${port}`;
  const server = await startContainer({ image: IMAGES.registry, ports: [{ container: 8080, host: port }], configure: (container) => container, ready: () => registryAnswers(url) });
  return { ...server, ...registryAt({ url, seenFromConnect: `http://${HOST_INSIDE}:${port}`, logFiles: server.logFiles }) };
}
