import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jars } from './artefacts.ts';
import type { JarFolder } from './artefacts.ts';
import { freePorts } from './free-ports.ts';
import { GuardedProcess, ownInstance } from './guarded-process.ts';
import { propertiesText } from './kafka-settings.ts';
import { SMALL_JAVA } from './kafka-tools.ts';
import { oneFileJar } from './one-file-jar.ts';
import type { ConnectorStatus, ConnectService, OwnInstance } from './service.ts';
import { removeData } from './log-tails.ts';
import { inNewFolder } from './service-folder.ts';

const PLUGINS: readonly JarFolder[] = ['debezium-postgres', 'debezium-mariadb', 'avro-converter'];
/** Apicurio's jar does not say that it is in it. */
const AVRO_CONVERTER = 'io.apicurio.registry.utils.converter.AvroConverter';
const HEAP = '-Xmx640m';
const RUNNING_MS = 60_000;
const POLL_MS = 100;

/** Where a Connect worker is: plain data. */
export interface ConnectPlace {
  readonly url: string;
  readonly logFiles: readonly string[];
}

/** Settings of the worker that a test may choose. */
export interface ConnectOptions {
  /** The broker, as Connect sees it. */
  readonly bootstrap: string;
  /** How often connectors' positions are kept, ms: what a killed worker sends again. */
  readonly offsetFlushMs?: number;
}

/** Properties of a distributed worker whose topics carry this name. */
export function workerProperties(name: string, options: ConnectOptions, rest: Readonly<Record<string, string>>): Record<string, string> {
  return {
    'bootstrap.servers': options.bootstrap,
    'group.id': name,
    'config.storage.topic': `${name}-configs`, 'config.storage.replication.factor': '1',
    'offset.storage.topic': `${name}-offsets`, 'offset.storage.replication.factor': '1', 'offset.storage.partitions': '1',
    'status.storage.topic': `${name}-status`, 'status.storage.replication.factor': '1', 'status.storage.partitions': '1',
    'offset.flush.interval.ms': String(options.offsetFlushMs ?? 1000),
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter', 'key.converter.schemas.enable': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter', 'value.converter.schemas.enable': 'false',
    'scheduled.rebalance.max.delay.ms': '0', 'session.timeout.ms': '3000', 'heartbeat.interval.ms': '500',
    'topic.creation.enable': 'true',
    ...rest,
  };
}

/** Starts a worker from Maven's jars. */
export function startLocalConnect(options: ConnectOptions): Promise<ConnectService & OwnInstance> {
  return inNewFolder('connect', (folder) => startIn(folder, options));
}

async function startIn(folder: string, options: ConnectOptions): Promise<ConnectService & OwnInstance> {
  const [worker, plugins, [port]] = await Promise.all([jars('connect'), pluginFolder(), freePorts(1) as Promise<[number]>]);
  const file = join(folder, 'worker.properties');
  const url = `http://127.0.0.1:${port}`;
  await writeFile(file, propertiesText(workerProperties(`connect-${port}`, options, {
    listeners: url, 'rest.advertised.host.name': '127.0.0.1', 'rest.advertised.port': String(port), 'plugin.path': plugins,  'plugin.discovery': 'service_load',
  })));
  const logFile = join(folder, 'connect.log');
  const server = await GuardedProcess.start({
    name: 'Kafka Connect',
    command: ['java', HEAP, ...SMALL_JAVA, '-cp', `${worker}/*`, 'org.apache.kafka.connect.cli.ConnectDistributed', file],
    folder,
    logFile,
    ready: () => connectAnswers(url),
  });
  return {
    ...connectAt({ url, logFiles: [logFile] }),
    ...ownInstance(server, () => removeData(folder, [logFile])),
  };
}

/** Methods over where a worker is. */
export function connectAt(place: ConnectPlace): ConnectService {
  const status = (name: string): Promise<ConnectorStatus> => ask(place.url, 'GET', `/connectors/${name}/status`) as Promise<ConnectorStatus>;
  return {
    ...place,
    create: async (name, config) => void await ask(place.url, 'PUT', `/connectors/${name}/config`, config),
    remove: async (name) => {
      await ask(place.url, 'PUT', `/connectors/${name}/stop`);
      await until(`connector ${name} stops`, async () => (await status(name)).connector.state === 'STOPPED' && (await status(name)).tasks.length === 0);
      await ask(place.url, 'DELETE', `/connectors/${name}/offsets`);
      await ask(place.url, 'DELETE', `/connectors/${name}`);
      await until(`connector ${name} is gone`, () => status(name).then(() => false, (error: unknown) => error instanceof Error && error.message.includes('answers 404')));
    },
    status,
    waitRunning: (name) => until(`connector ${name} runs`, async () => isRunning(name, await status(name))),
    offsets: async (name) => {
      const { offsets } = await ask(place.url, 'GET', `/connectors/${name}/offsets`) as { offsets: { offset: unknown }[] };
      return offsets[0]?.offset ?? null;
    },
    logs: async () => (await Promise.all(place.logFiles.map((file) => readFile(file, 'utf8')))).join('\n'),
  };
}

function isRunning(name: string, status: ConnectorStatus): boolean {
  const failed = [status.connector, ...status.tasks].find((part) => part.state === 'FAILED');
  if (failed !== undefined) throw new ConnectorFailed(`connector ${name} failed: ${failed.trace}`);
  return status.connector.state === 'RUNNING' && status.tasks.length > 0 && status.tasks.every((task) => task.state === 'RUNNING');
}

class ConnectorFailed extends Error {}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + RUNNING_MS;
  let last: unknown = null;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      if (error instanceof ConnectorFailed) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`waited ${RUNNING_MS / 1000} s in vain until ${what}`, { cause: last });
}

async function ask(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Kafka Connect answers ${response.status} to ${method} ${path}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** Whether the worker takes requests, which it does once it has joined its group. */
export async function connectAnswers(url: string): Promise<boolean> {
  return fetch(`${url}/connectors`).then((response) => response.ok, () => false);
}

/** A folder with a sub-folder for each plugin, without the jars that the worker has itself in whatever version; beside the cached jars. */
async function pluginFolder(): Promise<string> {
  const workerJars = new Set((await readdir(await jars('connect'))).map(artefactOf));
  const folder = `${await jars('connect')}-plugins`;
  if (await readdir(folder).then((names) => names.length === PLUGINS.length, () => false)) return folder;
  for (const plugin of PLUGINS) {
    const source = await jars(plugin);
    const target = join(folder, plugin);
    await mkdir(target, { recursive: true });
    for (const jar of await readdir(source)) if (!workerJars.has(artefactOf(jar))) await cp(join(source, jar), join(target, jar));
    // Without it the worker would look through every class of every plugin, which takes half a minute.
    if (plugin === 'avro-converter') await writeFile(join(target, 'services.jar'), oneFileJar('META-INF/services/org.apache.kafka.connect.storage.Converter', AVRO_CONVERTER));
  }
  return folder;
}

/** Name of a jar's artefact, without its version. */
function artefactOf(jar: string): string {
  return jar.replace(/-\d.*$/, '');
}
