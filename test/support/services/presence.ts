import { createRequire } from 'node:module';
import { javaMissing } from './artefacts.ts';
import { dockerMissing } from './container.ts';
import { asUser, postgresFolders, programPath } from './system-user.ts';

/** Services that tests may ask for. */
export type ServiceName = 'kafka' | 'azurite' | 'postgres' | 'mariadb' | 'connect' | 'registry';

/** How a service is started here, or the line that says why it cannot be. */
export type Way = { readonly by: 'programs' | 'containers' } | { readonly missing: string };

/**
 * How a service is started: by programs of this machine where they are, else as a container where a Docker engine answers.
 * RENTFOLD_TEST_SERVICES=docker prefers containers.
 */
export async function wayTo(name: ServiceName): Promise<Way> {
  const { title, look } = SERVICES[name];
  if (process.env.RENTFOLD_TEST_SERVICES === 'docker') return await dockerMissing() === null ? { by: 'containers' } : { missing: `${title} needs a Docker engine (RENTFOLD_TEST_SERVICES=docker)` };
  const missing = await look();
  if (missing === null) return { by: 'programs' };
  return await dockerMissing() === null ? { by: 'containers' } : { missing: `${title} needs ${missing}` };
}

const SERVICES: Readonly<Record<ServiceName, { readonly title: string; look(): Promise<string | null> }>> = {
  kafka: { title: 'Kafka', look: async () => await javaMissing(['broker']) ?? await missingPrograms(['openssl'], [], 'openssl: apt-get install openssl') },
  connect: { title: 'Kafka Connect', look: () => javaMissing(['broker', 'connect', 'debezium-postgres', 'debezium-mariadb', 'avro-converter']) },
  registry: { title: 'The schema registry', look: () => javaMissing(['registry']) },
  azurite: { title: 'Azurite', look: () => Promise.resolve(hasPackage('azurite/dist/src/blob/main.js') ? null : 'its npm package: npm ci') },
  postgres: { title: 'Postgres', look: async () => missingPrograms(['initdb', 'postgres', ...asUser('postgres').slice(0, 1)], await postgresFolders(), 'Postgres 15 or later: apt-get install postgresql') },
  mariadb: { title: 'MariaDB', look: () => missingPrograms(['mariadb-install-db', 'mariadbd'], [], 'MariaDB 10.11 or later: apt-get install mariadb-server') },
};

async function missingPrograms(names: readonly string[], folders: readonly string[], line: string): Promise<string | null> {
  const paths = await Promise.all(names.map((name) => programPath(name, folders)));
  return paths.includes(null) ? line : null;
}

function hasPackage(module: string): boolean {
  try {
    createRequire(import.meta.url).resolve(module);
    return true;
  } catch {
    return false;
  }
}
