import { azureIdentity } from './config-identity.ts';
import type { OptionName } from './config-options.ts';
import type { Values } from './config-values.ts';
import type { AzureRegistryConfig, ConfluentRegistryConfig, RegistriesConfig } from './registry/registry-options.ts';

/** Where schemas are that records name: the options `RENTFOLD_SCHEMA_REGISTRY_…`. What is missing or wrong is added to the problems. */
export function registriesConfig(values: Values, path: (name: OptionName) => string): RegistriesConfig {
  return { confluent: confluent(values), azure: azure(values, path) };
}

function confluent(values: Values): ConfluentRegistryConfig | null {
  const text = values.text('RENTFOLD_SCHEMA_REGISTRY_URL');
  const username = values.text('RENTFOLD_SCHEMA_REGISTRY_USERNAME');
  const password = values.text('RENTFOLD_SCHEMA_REGISTRY_PASSWORD');
  if (text === '') {
    for (const name of ['RENTFOLD_SCHEMA_REGISTRY_USERNAME', 'RENTFOLD_SCHEMA_REGISTRY_PASSWORD'] as const) {
      if (values.text(name) !== '') values.problem(name, 'has no effect without RENTFOLD_SCHEMA_REGISTRY_URL: set that, or leave this out');
    }
    return null;
  }
  if (username !== '') values.needed('RENTFOLD_SCHEMA_REGISTRY_PASSWORD', 'RENTFOLD_SCHEMA_REGISTRY_USERNAME');
  else if (password !== '') values.needed('RENTFOLD_SCHEMA_REGISTRY_USERNAME', 'RENTFOLD_SCHEMA_REGISTRY_PASSWORD');
  if (username.includes(':')) values.wrong('RENTFOLD_SCHEMA_REGISTRY_USERNAME', 'a user name without a colon');
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && `${url.username}${url.password}` !== '') {
    values.problem('RENTFOLD_SCHEMA_REGISTRY_URL', 'holds a user name or password: give them by RENTFOLD_SCHEMA_REGISTRY_USERNAME and RENTFOLD_SCHEMA_REGISTRY_PASSWORD');
  } else if (url === null || !/^https?:$/.test(url.protocol) || `${url.search}${url.hash}` !== '') {
    values.wrong('RENTFOLD_SCHEMA_REGISTRY_URL', 'an address such as `https://registry.example:8081`, without a question mark');
  }
  return { url: text.replace(/\/+$/, ''), login: username === '' ? null : { username, password } };
}

function azure(values: Values, path: (name: OptionName) => string): AzureRegistryConfig | null {
  const text = values.text('RENTFOLD_SCHEMA_REGISTRY_NAMESPACE');
  if (text === '') return null;
  if (!isHost(text) && !isLocal(text)) {
    values.wrong('RENTFOLD_SCHEMA_REGISTRY_NAMESPACE', 'the host name of an Event Hubs namespace, such as `name.servicebus.windows.net`');
    return null;
  }
  const identity = azureIdentity(values, path);
  if (identity === null) {
    values.problem('RENTFOLD_SCHEMA_REGISTRY_NAMESPACE', 'needs RENTFOLD_AZURE_IDENTITY: an Azure Schema Registry knows no keys');
    return null;
  }
  return { url: isHost(text) ? `https://${text}` : text, identity };
}

function isHost(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i.test(text);
}

/** A stand-in on this machine, for tests: a token goes nowhere by it. */
function isLocal(text: string): boolean {
  return /^http:\/\/(127\.0\.0\.1|localhost):\d{1,5}$/.test(text);
}
