import type { AzureIdentityConfig } from '../runtime/azure-identity.ts';

/** Where schemas are that records name, as plain data that can cross a thread border; null where none is configured. */
export interface RegistriesConfig {
  readonly confluent: ConfluentRegistryConfig | null;
  readonly azure: AzureRegistryConfig | null;
}

/** A registry with Confluent's API (Confluent's own, Apicurio's `/apis/ccompat/v7`, Karapace, Redpanda). */
export interface ConfluentRegistryConfig {
  /** Without a slash at its end, and without user and password. */
  readonly url: string;
  /** For basic authentication; null: none. */
  readonly login: { readonly username: string; readonly password: string } | null;
}

/** The Azure Schema Registry of an Event Hubs namespace. */
export interface AzureRegistryConfig {
  /** Address of the namespace, without a slash at its end. */
  readonly url: string;
  readonly identity: AzureIdentityConfig;
}
