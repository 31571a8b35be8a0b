import { join } from 'node:path';
import { jars } from './artefacts.ts';
import { freePorts } from './free-ports.ts';
import { GuardedProcess, ownInstance } from './guarded-process.ts';
import { SMALL_JAVA } from './kafka-tools.ts';
import { removeData } from './log-tails.ts';
import type { OwnInstance, RegistryService } from './service.ts';
import { inNewFolder } from './service-folder.ts';

const MAIN = 'io.quarkus.runner.GeneratedMain';
const HEAP = '-Xmx192m';

/** Where a schema registry is: plain data. */
export interface RegistryPlace {
  readonly url: string;
  /** The same address as Connect sees it. */
  readonly seenFromConnect: string;
  readonly logFiles: readonly string[];
}

/** Starts Apicurio's registry from Maven's jars. It keeps everything in memory: started again it is empty. */
export function startLocalRegistry(): Promise<RegistryService & OwnInstance> {
  return inNewFolder('registry', async (folder) => {
    const [service, [port]] = await Promise.all([jars('registry'), freePorts(1) as Promise<[number]>]);
    const url = `http://127.0.0.1:${port}`;
    const logFile = join(folder, 'registry.log');
    const server = await GuardedProcess.start({
      name: 'the schema registry',
      command: ['java', HEAP, ...SMALL_JAVA, `-Dquarkus.http.port=${port}`, '-Dquarkus.http.host=127.0.0.1', '-cp', `${service}/lib/*:${service}/*`, MAIN],
      folder,
      logFile,
      ready: () => registryAnswers(url),
    });
    return {
      ...registryAt({ url, seenFromConnect: url, logFiles: [logFile] }),
      ...ownInstance(server, () => removeData(folder, [logFile])),
    };
  });
}

/** Methods over where a registry is. */
export function registryAt(place: RegistryPlace): RegistryService {
  const confluentUrl = `${place.url}/apis/ccompat/v7`;
  return {
    ...place,
    confluentUrl,
    avroConverter: (side) => ({
      [`${side}.converter`]: 'io.apicurio.registry.utils.converter.AvroConverter',
      ...Object.fromEntries(Object.entries({
        'apicurio.registry.url': `${place.seenFromConnect}/apis/registry/v2`, 'apicurio.registry.auto-register': 'true', 'apicurio.registry.as-confluent': 'true',
        'apicurio.registry.headers.enabled': 'false', 'apicurio.registry.use-id': 'contentId', 'schema.name.adjustment.mode': 'avro',
      }).map(([name, value]) => [`${side}.converter.${name}`, value])),
    }),
    register: async (subject, schema) => {
      const response = await fetch(`${confluentUrl}/subjects/${encodeURIComponent(subject)}/versions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(schema) });
      if (!response.ok) throw new Error(`the schema registry answers ${response.status}: ${await response.text()}`);
      return (await response.json() as { id: number }).id;
    },
  };
}

/** Whether the registry takes requests. */
export async function registryAnswers(url: string): Promise<boolean> {
  return fetch(`${url}/apis/ccompat/v7/subjects`).then(async (response) => (await response.text(), response.ok), () => false);
}
