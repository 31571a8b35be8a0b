import { startLocalAzurite, azuriteAt } from './azurite.ts';
import type { AzuritePlace } from './azurite.ts';
import { kafkaAt, startLocalKafka } from './kafka.ts';
import { missingLine } from './presence.ts';
import type { ServiceName } from './presence.ts';
import type { AzuriteService, KafkaOptions, KafkaPlace, KafkaService, OwnInstance, OwnKafka } from './service.ts';
import { askShared, skipLine } from './shared.ts';

/**
 * The door through which tests come by real services.
 *
 * `kafkaService()` and its like answer the one instance that the whole run shares, started when the first test file asks. Ask at the top level of
 * the test file (`const kafka = await kafkaService()`), where no time limit stops a first download, and leave the tests out with
 * `describe.skipIf(kafka === null)`: null means that it cannot be had here, and one line has been printed that says what to install. With
 * RENTFOLD_TEST_REQUIRE_SERVICES=true a missing part is an error. Name topics, containers and databases so that no other test meets them.
 *
 * `startKafka()` and its like answer an instance of the test's own, to kill and to start again; `hasService` says beforehand whether they can.
 */

/** Whether a service can be had here, without starting it. Prints the line that says what to install, or throws, when it cannot. */
export async function hasService(name: ServiceName): Promise<boolean> {
  const missing = await missingLine(name);
  if (missing !== null) skipLine(missing);
  return missing === null;
}

/** The run's broker. */
export async function kafkaService(): Promise<KafkaService | null> {
  const place = await askShared<KafkaPlace>('kafka');
  return place === null ? null : kafkaAt(place);
}

/** A broker, or a cluster of two, of the test's own. */
export async function startKafka(options: KafkaOptions = {}): Promise<OwnKafka> {
  return startLocalKafka(options);
}

/** The run's blob service, in memory. */
export async function azuriteService(): Promise<AzuriteService | null> {
  const place = await askShared<AzuritePlace>('azurite');
  return place === null ? null : azuriteAt(place);
}

/** A blob service of the test's own, on disk. */
export async function startAzurite(): Promise<AzuriteService & OwnInstance> {
  return startLocalAzurite();
}
