import { EventHubProducerClient } from '@azure/event-hubs';
import { startContainer, type OwnContainer } from './container.ts';
import { freePorts } from './free-ports.ts';

/**
 * Microsoft's emulator of Event Hubs in a container, with the Azurite that it keeps its own things in. Not run where no Docker engine was. Its licence, for development and
 * tests, is accepted here. It knows the hubs it was started with, ten at most, keeps nothing over a restart, and has no way to take events away.
 */

const IMAGES = { emulator: 'mcr.microsoft.com/azure-messaging/eventhubs-emulator:2.1.0', azurite: 'mcr.microsoft.com/azure-storage/azurite:3.36.0' } as const;
const CONFIG = '/Eventhubs_Emulator/ConfigFiles/Config.json';
const AZURITE = 'azurite';
const BLOB_PORT = 10_000;
const AMQP_PORT = 5672;
/** The only name the emulator takes for its namespace. */
const NAMESPACE = 'emulatorNs1';

/** An emulator that runs. */
export interface EventHubsEmulator extends AsyncDisposable {
  readonly connectionString: string;
}

/** Starts the emulator with these hubs and waits until the first one answers. */
export async function startEventHubsEmulator(hubs: readonly string[], partitions: number): Promise<EventHubsEmulator> {
  const { Network } = await import('testcontainers');
  const network = await new Network().start();
  const containers: OwnContainer[] = [];
  const end = async (): Promise<void> => {
    for (const container of containers.toReversed()) await container[Symbol.asyncDispose]();
    await network.stop();
  };
  const [blobPort, amqpPort] = await freePorts(2) as [number, number];
  const connectionString = `Endpoint=sb://127.0.0.1:${amqpPort};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true`;
  try {
    containers.push(await startContainer({
      image: IMAGES.azurite,
      ports: [{ container: BLOB_PORT, host: blobPort }],
      configure: (container) => container.withNetwork(network).withNetworkAliases(AZURITE),
      ready: () => fetch(`http://127.0.0.1:${blobPort}/`).then(() => true),
    }));
    containers.push(await startContainer({
      image: IMAGES.emulator,
      ports: [{ container: AMQP_PORT, host: amqpPort }],
      configure: (container) => container.withNetwork(network)
        .withEnvironment({ BLOB_SERVER: AZURITE, METADATA_SERVER: AZURITE, ACCEPT_EULA: 'Y' })
        .withCopyContentToContainer([{ content: JSON.stringify(configOf(hubs, partitions)), target: CONFIG, mode: 0o644 }]),
      ready: () => answers(connectionString, hubs[0]!),
    }));
  } catch (error) {
    await end();
    throw error;
  }
  return { connectionString, [Symbol.asyncDispose]: end };
}

function configOf(hubs: readonly string[], partitions: number): unknown {
  const Entities = hubs.map((Name) => ({ Name, PartitionCount: String(partitions), ConsumerGroups: [{ Name: 'other' }] }));
  return { UserConfig: { NamespaceConfig: [{ Type: 'EventHub', Name: NAMESPACE, Entities }], LoggingConfig: { Type: 'Console' } } };
}

async function answers(connectionString: string, hub: string): Promise<boolean> {
  const client = new EventHubProducerClient(connectionString, hub, { retryOptions: { maxRetries: 0, timeoutInMs: 5_000 } });
  try {
    return (await client.getPartitionIds()).length > 0;
  } finally {
    await client.close();
  }
}
