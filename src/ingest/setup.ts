import { RentfoldError } from '../errors.ts';
import { createFileSource } from '../source/file.ts';
import type { Source } from '../source/source.ts';

/** Where records come from, as plain data that can cross a thread border. */
export type SourceSetup = { readonly kind: 'file'; readonly folder: string } | { readonly kind: 'kafka'; readonly kafka: KafkaSourceOptions };

/** How to reach a Kafka cluster; see `KafkaConfig`, whose shape it has. */
export interface KafkaSourceOptions {
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  readonly group: string;
  readonly tls: { readonly ca: string | null } | null;
  readonly sasl: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string } | null;
}

/** Builds the source a setup describes. It does nothing before it is opened. */
export function createSource(setup: SourceSetup): Source {
  switch (setup.kind) {
    case 'file': return createFileSource({ folder: setup.folder });
    case 'kafka': throw new RentfoldError('CONFIGURATION_INVALID', 'RENTFOLD_SOURCE: kafka comes with the next change');
  }
}
