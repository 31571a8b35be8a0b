import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { makeCertificates } from './certificates.ts';
import type { OwnContainer } from './container.ts';
import { HOST_INSIDE, startContainer } from './container.ts';
import { freePorts } from './free-ports.ts';
import { brokerPorts, CLUSTER_ID, ownKafka, placeOf } from './kafka.ts';
import type { BrokerPlan } from './kafka-settings.ts';
import { brokerProperties, oauthArgument, scramArguments } from './kafka-settings.ts';
import type { KafkaOptions, OwnKafka } from './service.ts';

/** Kafka as containers. Not run where no Docker engine was. */

const IMAGE = 'apache/kafka:4.3.1';
const PROPERTIES = '/tmp/broker.properties';
const CERTIFICATE = '/tmp/server.pem';
const ISSUER_KEYS = '/tmp/issuer.jwks.json';

/** A broker, or a cluster of two, in containers; brokers talk to each other, and Connect to them, over the host. */
export async function startContainerKafka(options: KafkaOptions = {}): Promise<OwnKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'rentfold-kafka-'));
  const certificates = await makeCertificates(folder);
  const ports = await Promise.all(Array.from({ length: options.brokers ?? 1 }, brokerPorts));
  const insidePorts = await freePorts(ports.length);
  const plans = ports.map((own, index): BrokerPlan => ({
    node: index + 1, brokers: ports.length, ports: own, controller: `${HOST_INSIDE}:${ports[0]!.controller}`, dataFolder: '/tmp/data', serverCertificateFile: CERTIFICATE, issuerKeysFile: ISSUER_KEYS,
    bindHost: '0.0.0.0', inside: `${HOST_INSIDE}:${insidePorts[index]}`, settings: options.settings ?? {},
  }));
  const containers: OwnContainer[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(containers.map((broker) => broker[Symbol.asyncDispose]()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [certificate, keys] = await Promise.all([readFile(certificates.serverFile, 'utf8'), readFile(certificates.issuerKeysFile, 'utf8')]);
    const files = [{ content: certificate, target: CERTIFICATE }, { content: keys, target: ISSUER_KEYS }];
    for (const [index, plan] of plans.entries()) containers.push(await startBroker(plan, files, insidePorts[index]!));
  } catch (error) {
    await end();
    throw error;
  }
  const place = placeOf(ports, certificates, { kind: 'container', id: containers[0]!.id }, containers.flatMap((broker) => broker.logFiles));
  return ownKafka({ ...place, seenFromConnect: plans[0]!.inside! }, containers, end);
}

function startBroker(plan: BrokerPlan, files: readonly { readonly content: string; readonly target: string }[], insidePort: number): Promise<OwnContainer> {
  const users = scramArguments().map((word) => `'${word}'`).join(' ');
  const { controller, ...listeners } = plan.ports;
  return startContainer({
    image: IMAGE,
    ports: [...Object.values(listeners), insidePort, ...(plan.node === 1 ? [controller] : [])].map((port) => ({ container: port, host: port })),
    configure: (container) => container
      .withCopyContentToContainer([{ content: brokerProperties(plan), target: PROPERTIES }, ...files].map((file) => ({ ...file, mode: 0o644 })))
      .withEntrypoint(['/bin/sh', '-c'])
      .withCommand([`/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t ${CLUSTER_ID} -c ${PROPERTIES} ${users} && KAFKA_OPTS=${oauthArgument(ISSUER_KEYS)} exec /opt/kafka/bin/kafka-server-start.sh ${PROPERTIES}`]),
    ready: () => kafkaAnswers(plan.ports.plain),
  });
}

async function kafkaAnswers(port: number): Promise<boolean> {
  const admin = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  try {
    await admin.connect();
    await admin.listTopics();
    return true;
  } finally {
    await admin.disconnect();
  }
}
