import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jars } from './artefacts.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { GuardedProcess } from './guarded-process.ts';
import type { BrokerPlan, BrokerPorts } from './kafka-settings.ts';
import { brokerProperties, CONNECTION_STRING_LOGIN, LOGIN, OAUTH, oauthArgument, RESTRICTED_LOGIN, scramArguments } from './kafka-settings.ts';
import { runKafkaTool, SMALL_JAVA } from './kafka-tools.ts';
import type { KafkaOptions, KafkaPlace, KafkaService, OwnKafka } from './service.ts';
import { removeData } from './log-tails.ts';
import { inNewFolder } from './service-folder.ts';

/** The same for every test cluster. */
export const CLUSTER_ID = 'cmVudGZvbGQtdGVzdC0wMQ';
const HEAP = '-Xmx512m';

/** Methods over where a broker is. */
export function kafkaAt(place: KafkaPlace): KafkaService {
  return {
    ...place,
    tool: (name, args, input) => runKafkaTool(place.tools, name, args, input),
    logs: async () => (await Promise.all(place.logFiles.map((file) => readFile(file, 'utf8')))).join('\n'),
  };
}

/** Starts a broker, or a cluster of two, from Maven's jars on free ports of loopback. */
export function startLocalKafka(options: KafkaOptions = {}): Promise<OwnKafka> {
  return inNewFolder('kafka', (folder) => startIn(folder, options));
}

async function startIn(folder: string, options: KafkaOptions): Promise<OwnKafka> {
  const toolFolder = await jars('broker');
  const certificates = await makeCertificates(folder);
  const brokers = options.brokers ?? 1;
  const ports = await Promise.all(Array.from({ length: brokers }, brokerPorts));
  const plans = ports.map((own, index): BrokerPlan => ({
    node: index + 1, brokers, ports: own, controller: `127.0.0.1:${ports[0]!.controller}`, dataFolder: join(folder, `data-${index + 1}`),
    serverCertificateFile: certificates.serverFile, issuerKeysFile: certificates.issuerKeysFile, bindHost: '127.0.0.1', settings: options.settings ?? {},
  }));
  const place = placeOf(ports, certificates, { kind: 'jars', folder: toolFolder }, plans.map((plan) => join(folder, `broker-${plan.node}.log`)));
  const processes: GuardedProcess[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(processes.map((broker) => broker.kill()));
    await removeData(folder, place.logFiles);
  };
  try {
    for (const plan of plans) processes.push(await startBroker(plan, folder, toolFolder, place.logFiles[plan.node - 1]!));
  } catch (error) {
    await end();
    throw error;
  }
  return ownKafka(place, processes, end);
}

/** A cluster of processes as one thing; `end` ends it for good. */
export function ownKafka(place: KafkaPlace, brokers: readonly Pick<GuardedProcess, 'kill' | 'restart' | 'pause' | 'resume'>[], end: () => Promise<void>): OwnKafka {
  const chosen = (broker?: number): typeof brokers => broker === undefined ? brokers : [brokers[broker - 1]!];
  return {
    ...kafkaAt(place),
    kill: async (broker) => void await Promise.all(chosen(broker).map((one) => one.kill())),
    restart: async (broker) => void await Promise.all(chosen(broker).map((one) => one.restart())),
    pause: (broker) => chosen(broker).forEach((one) => one.pause()),
    resume: (broker) => chosen(broker).forEach((one) => one.resume()),
    [Symbol.asyncDispose]: end,
  };
}

/** Free ports for one broker. */
export async function brokerPorts(): Promise<BrokerPorts> {
  const [plain, tls, sasl, saslTls, controller] = await freePorts(5) as [number, number, number, number, number];
  return { plain, tls, sasl, saslTls, controller };
}

/** Where the listeners are, from the ports. */
export function placeOf(
  ports: readonly BrokerPorts[], certificates: Pick<Certificates, 'caFile' | 'foreignCaFile' | 'issuerKeyFile'>, tools: KafkaPlace['tools'], logFiles: readonly string[],
): KafkaPlace {
  const at = (listener: Exclude<keyof BrokerPorts, 'controller'>): string[] => ports.map((own) => `127.0.0.1:${own[listener]}`);
  return {
    brokers: at('plain'),
    tls: { brokers: at('tls'), caFile: certificates.caFile, foreignCaFile: certificates.foreignCaFile },
    sasl: { brokers: at('sasl'), tlsBrokers: at('saslTls'), login: LOGIN, restricted: RESTRICTED_LOGIN, connectionString: CONNECTION_STRING_LOGIN, oauth: { audience: OAUTH.audience, issuerKeyFile: certificates.issuerKeyFile } },
    seenFromConnect: at('plain')[0]!,
    tools,
    logFiles,
  };
}

async function startBroker(plan: BrokerPlan, folder: string, toolFolder: string, logFile: string): Promise<GuardedProcess> {
  const file = join(folder, `broker-${plan.node}.properties`);
  await writeFile(file, brokerProperties(plan));
  await runKafkaTool({ kind: 'jars', folder: toolFolder }, 'kafka-storage', ['format', '-t', CLUSTER_ID, '-c', file, ...scramArguments()]);
  return GuardedProcess.start({
    name: `Kafka broker ${plan.node}`,
    command: ['java', HEAP, ...SMALL_JAVA, oauthArgument(plan.issuerKeysFile), '-cp', `${toolFolder}/*`, 'kafka.Kafka', file],
    folder,
    logFile,
    ready: (log) => log.includes('Kafka Server started'),
  });
}
