import type { AzureIdentityConfig } from '../runtime/azure-identity.ts';

/** How to reach a Kafka cluster, or the Kafka endpoint of an Event Hubs namespace. Plain data that can cross a thread border. */
export interface KafkaConfig {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  /** Names of topics; `*` stands for any characters. At least one. */
  readonly topics: readonly string[];
  /** Group under which positions are told to the broker, for tools that show lag. */
  readonly group: string;
  /** Null: plain TCP. `ca`: path of a PEM file of authorities to trust instead of the well-known ones, or null. */
  readonly tls: { readonly ca: string | null } | null;
  readonly sasl:
    | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
    /** `scope`: for which the identity's tokens are asked for, such as `https://<namespace>.servicebus.windows.net/.default`. */
    | { readonly mechanism: 'oauthbearer'; readonly identity: AzureIdentityConfig; readonly scope: string }
    | null;
}

/** Times of the Kafka source, milliseconds. Constants but for tests. */
export interface KafkaTiming {
  /** How long a broker that just restarted may answer with an older end, without a leader, or not at all, before that is believed. */
  readonly patienceMs: number;
  /** Time between two looks for new topics and partitions. Event Hubs closes connections idle for 240 s. */
  readonly metadataMs: number;
  /** Longest a fetch waits at the broker for records. */
  readonly fetchWaitMs: number;
  /** Least and most time between two attempts after a failure. */
  readonly retryMs: readonly [first: number, longest: number];
  /** Longest for a connection to be made, and for an answer that does not wait for records. */
  readonly connectMs: number;
  readonly requestMs: number;
  /** A session that a broker limits, because a token ends, is renewed when so much of it is left. */
  readonly sessionLeftMs: number;
}

/** Times used unless a test gives others. */
export const KAFKA_TIMING: KafkaTiming = { patienceMs: 10_000, metadataMs: 10_000, fetchWaitMs: 500, retryMs: [100, 5_000], connectMs: 5_000, requestMs: 30_000, sessionLeftMs: 10_000 };
