import { createEventHubsSource } from '../source/event-hubs.ts';
import type { EventHubsConfig } from '../source/event-hubs-options.ts';
import { createAzureRegistry } from '../registry/azure-registry.ts';
import { createConfluentRegistry } from '../registry/confluent-registry.ts';
import type { RegistriesConfig } from '../registry/registry-options.ts';
import type { SchemaRegistry } from '../registry/registry.ts';
import { createFileSource } from '../source/file.ts';
import { createKafkaSource } from '../source/kafka.ts';
import type { KafkaConfig } from '../source/kafka-options.ts';
import type { Source } from '../source/source.ts';

/** Where records come from, as plain data that can cross a thread border. */
export type SourceSetup = { readonly kind: 'file'; readonly folder: string } | { readonly kind: 'kafka'; readonly kafka: KafkaConfig } | { readonly kind: 'event-hubs'; readonly eventHubs: EventHubsConfig };

/** The registries a setup describes. None is asked before it is needed. */
export function createRegistries({ confluent, azure }: RegistriesConfig): SchemaRegistry[] {
  return [...(confluent === null ? [] : [createConfluentRegistry(confluent)]), ...(azure === null ? [] : [createAzureRegistry(azure)])];
}

/** Builds the source a setup describes. It does nothing before it is opened. */
export function createSource(setup: SourceSetup): Source {
  switch (setup.kind) {
    case 'file': return createFileSource({ folder: setup.folder });
    case 'kafka': return createKafkaSource(setup.kafka);
    case 'event-hubs': return createEventHubsSource(setup.eventHubs);
  }
}
