import { azureIdentity } from './config-identity.ts';
import type { OptionName } from './config-options.ts';
import type { Values } from './config-values.ts';
import type { AzureIdentityConfig } from './runtime/azure-identity.ts';
import type { EventHubsConfig } from './source/event-hubs-options.ts';

/** The options of `RENTFOLD_SOURCE=event-hubs`. */

const FORM = 'it is expected as the portal shows it, with Endpoint, SharedAccessKeyName and SharedAccessKey, or Endpoint and SharedAccessSignature';
/** A port is for doubles. */
const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z0-9.-]*[A-Za-z0-9](?::\d{1,5})?$/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const HUB = /^[A-Za-z0-9][A-Za-z0-9._-]{0,255}$/;
const HUBS_MAX = 64;

/** What a connection string says besides its secret. */
interface NamedPlace {
  /** `host`, or `host:port`. */
  readonly namespace: string;
  /** The only hub it is for; null: all of the namespace. */
  readonly hub: string | null;
}

/** Where hubs are and who we are; what is missing or contradicts itself is added to the problems. `path` resolves the option's file. */
export function eventHubsConfig(values: Values, path: (name: OptionName) => string): EventHubsConfig {
  const connectionString = values.text('RENTFOLD_EVENT_HUBS_CONNECTION_STRING');
  const identity = azureIdentity(values, path);
  const read = readConnectionString(connectionString);
  const place = typeof read === 'string' ? null : read;
  const given = values.text('RENTFOLD_EVENT_HUBS_NAMESPACE').toLowerCase();
  const common = { hubs: hubsOf(values, identity, place), consumerGroup: values.text('RENTFOLD_EVENT_HUBS_CONSUMER_GROUP') };
  if (identity !== null) {
    if (connectionString !== '') values.problem('RENTFOLD_EVENT_HUBS_CONNECTION_STRING', `and RENTFOLD_AZURE_IDENTITY=${identity.kind} are both given: leave one of them out`);
    values.needed('RENTFOLD_EVENT_HUBS_NAMESPACE', byIdentity(identity));
    return { ...common, credential: { kind: 'identity', namespace: given, identity }, namespace: given };
  }
  if (connectionString === '') values.problem('RENTFOLD_EVENT_HUBS_CONNECTION_STRING', 'is needed for RENTFOLD_SOURCE=event-hubs, or RENTFOLD_EVENT_HUBS_NAMESPACE with RENTFOLD_AZURE_IDENTITY');
  if (place !== null && given !== '' && given !== hostOf(place.namespace)) values.problem('RENTFOLD_EVENT_HUBS_NAMESPACE', `\`${given}\` differs from the Endpoint in RENTFOLD_EVENT_HUBS_CONNECTION_STRING (\`${hostOf(place.namespace)}\`): set one of the two`);
  return { ...common, credential: { kind: 'connection-string', connectionString }, namespace: place?.namespace ?? given };
}

function byIdentity({ kind }: AzureIdentityConfig): string {
  return `RENTFOLD_SOURCE=event-hubs with RENTFOLD_AZURE_IDENTITY=${kind}`;
}

/** An identity names no hubs; a connection string (`place`) may be for one alone. */
function hubsOf(values: Values, identity: AzureIdentityConfig | null, place: NamedPlace | null): string[] {
  const names = values.list('RENTFOLD_EVENT_HUBS_NAMES');
  if (identity !== null || place === null || place.hub === null) {
    values.needed('RENTFOLD_EVENT_HUBS_NAMES', identity === null ? 'RENTFOLD_SOURCE=event-hubs, when the connection string names no hub (EntityPath)' : byIdentity(identity));
    return names;
  }
  const others = names.filter((name) => name.toLowerCase() !== place.hub!.toLowerCase());
  if (others.length > 0) values.problem('RENTFOLD_EVENT_HUBS_NAMES', `\`${others.join(',')}\` cannot be read with a connection string that is for the hub \`${place.hub}\` alone (EntityPath): take one of the namespace, or leave this out`);
  return [place.hub];
}

/** Checks of single values that hold whatever the source is. */
export function checkEventHubsValues(values: Values): void {
  const connectionString = values.text('RENTFOLD_EVENT_HUBS_CONNECTION_STRING');
  const read = connectionString === '' ? null : readConnectionString(connectionString);
  if (typeof read === 'string') values.problem('RENTFOLD_EVENT_HUBS_CONNECTION_STRING', `${read}; ${FORM}`);
  const names = values.list('RENTFOLD_EVENT_HUBS_NAMES');
  if (!names.every((name) => HUB.test(name)) || names.length > HUBS_MAX) values.wrong('RENTFOLD_EVENT_HUBS_NAMES', `a list of at most ${HUBS_MAX} hub names (letters, digits, \`.\`, \`_\`, \`-\`), comma between`);
  else if (new Set(names.map((name) => name.toLowerCase())).size < names.length) values.problem('RENTFOLD_EVENT_HUBS_NAMES', 'names a hub twice (upper and lower case are the same)');
  if (!/^(?:\$Default|[A-Za-z0-9][A-Za-z0-9._-]{0,49})$/i.test(values.text('RENTFOLD_EVENT_HUBS_CONSUMER_GROUP'))) values.wrong('RENTFOLD_EVENT_HUBS_CONSUMER_GROUP', 'the name of one consumer group (letters, digits, `.`, `_`, `-`), or `$Default`');
  const namespace = values.text('RENTFOLD_EVENT_HUBS_NAMESPACE');
  if (namespace !== '' && !NAMESPACE.test(namespace)) values.wrong('RENTFOLD_EVENT_HUBS_NAMESPACE', 'the host of a namespace, such as `rental.servicebus.windows.net`');
}

/** What a connection string names, or what is wrong with it in words that quote no value. */
export function readConnectionString(text: string): NamedPlace | string {
  const parts = new Map<string, string>();
  for (const part of text.split(';').map((piece) => piece.trim()).filter((piece) => piece !== '')) {
    const at = part.indexOf('=');
    if (at < 1) return 'the value given has a part that is not `name=value`';
    const name = part.slice(0, at).toLowerCase();
    if (parts.has(name)) return `its ${part.slice(0, at)} stands there twice`;
    parts.set(name, part.slice(at + 1));
  }
  const [, host, port = ''] = /^sb:\/\/([^/:]+)(:\d{1,5})?\/?$/i.exec(parts.get('endpoint') ?? '') ?? [];
  if (host === undefined || !HOST.test(host)) return 'it lacks an Endpoint of the form `sb://host/`';
  const [keyName, key, signature] = ['sharedaccesskeyname', 'sharedaccesskey', 'sharedaccesssignature'].map((name) => (parts.get(name) ?? '') !== '');
  if (signature ? keyName || key : !keyName || !key) return signature ? 'it has both a SharedAccessSignature and a key' : 'it lacks SharedAccessKeyName or SharedAccessKey';
  const hub = parts.get('entitypath') ?? null;
  if (hub !== null && !HUB.test(hub)) return 'its EntityPath is no name of a hub';
  return { namespace: `${host.toLowerCase()}${port}`, hub };
}

function hostOf(namespace: string): string {
  return namespace.split(':')[0];
}
