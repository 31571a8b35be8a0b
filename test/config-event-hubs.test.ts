/**
 * Goal: options of Event Hubs that are missing, malformed or contradict each other are named in one line each, all at once, and no line shows a secret.
 * Method: configurations that are wrong in one way each, and ones that are right.
 */
import { describe, expect, it } from 'vitest';
import { loadConfig, type Config } from '../src/config.ts';
import { RentfoldError } from '../src/errors.ts';

const SECRET = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const PLACE = `Endpoint=sb://rental.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=${SECRET}`;

const load = (environment: Record<string, string>): Config => loadConfig({ environment: { RENTFOLD_SOURCE: 'event-hubs', ...environment }, host: 'here', file: null, resolve: (path) => path }).config;

function problems(environment: Record<string, string>): string[] {
  try {
    load(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(RentfoldError);
    expect((error as RentfoldError).message).not.toContain(SECRET);
    return (error as RentfoldError).message.split('\n');
  }
  return [];
}

describe('a connection string', () => {
  it('of a namespace needs names of hubs', () => {
    expect(problems({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: PLACE })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_NAMES: is needed/)]);
    expect(load({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: PLACE, RENTFOLD_EVENT_HUBS_NAMES: 'cdc, more' }).source).toEqual({
      kind: 'event-hubs', eventHubs: { credential: { kind: 'connection-string', connectionString: PLACE }, namespace: 'rental.servicebus.windows.net', hubs: ['cdc', 'more'], consumerGroup: '$Default' },
    });
  });

  it('of one hub names it, and no other can be read with it', () => {
    const one = `${PLACE};EntityPath=cdc`;
    expect(load({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: one }).source).toMatchObject({ eventHubs: { hubs: ['cdc'] } });
    expect(problems({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: one, RENTFOLD_EVENT_HUBS_NAMES: 'CDC' })).toEqual([]);
    expect(problems({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: one, RENTFOLD_EVENT_HUBS_NAMES: 'cdc,more' })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_NAMES: `more` cannot be read/)]);
  });

  it('may have a signature instead of a key, and a port', () => {
    expect(load({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: 'Endpoint=sb://localhost:5672;SharedAccessSignature=SharedAccessSignature sr=x&sig=y&se=1&skn=z', RENTFOLD_EVENT_HUBS_NAMES: 'cdc' }).source).toMatchObject({ eventHubs: { namespace: 'localhost:5672' } });
  });

  it.each([
    ['something else', `AccountName=x;AccountKey=${SECRET}`, /lacks an Endpoint/], ['no name of its key', `Endpoint=sb://a.b/;SharedAccessKey=${SECRET}`, /lacks SharedAccessKeyName/], ['no key', 'Endpoint=sb://a.b/;SharedAccessKeyName=k', /lacks SharedAccessKeyName or SharedAccessKey/],
    ['an address of the web', `Endpoint=https://a.b/;SharedAccessKeyName=k;SharedAccessKey=${SECRET}`, /lacks an Endpoint/], ['key and signature', `${PLACE};SharedAccessSignature=x`, /both/], ['a part without a name', `${PLACE};rental`, /name=value/],
    ['a part twice', `${PLACE};SharedAccessKey=${SECRET}`, /twice/], ['a hub that is none', `${PLACE};EntityPath=a b`, /EntityPath/],
  ])('with %s is refused', (_, text, words) => {
    expect(problems({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: text, RENTFOLD_EVENT_HUBS_NAMES: 'cdc' })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_CONNECTION_STRING: /)]);
    expect(problems({ RENTFOLD_EVENT_HUBS_CONNECTION_STRING: text, RENTFOLD_EVENT_HUBS_NAMES: 'cdc' })[0]).toMatch(words);
  });
});

describe('names', () => {
  it('are all said to be wrong at once', () => {
    const lines = problems({ RENTFOLD_EVENT_HUBS_NAMES: 'a,b/c', RENTFOLD_EVENT_HUBS_CONSUMER_GROUP: 'a,b', RENTFOLD_EVENT_HUBS_NAMESPACE: 'sb://x.y/' });
    expect(lines.map((line) => line.split(':')[0])).toEqual(['RENTFOLD_EVENT_HUBS_CONNECTION_STRING', 'RENTFOLD_EVENT_HUBS_NAMESPACE', 'RENTFOLD_EVENT_HUBS_NAMES', 'RENTFOLD_EVENT_HUBS_CONSUMER_GROUP']);
  });

  it('of a namespace must be that of the connection string, of a hub stand there once', () => {
    const given = { RENTFOLD_EVENT_HUBS_CONNECTION_STRING: PLACE, RENTFOLD_EVENT_HUBS_NAMES: 'cdc' };
    expect(problems({ ...given, RENTFOLD_EVENT_HUBS_NAMESPACE: 'Rental.servicebus.windows.net' })).toEqual([]);
    expect(problems({ ...given, RENTFOLD_EVENT_HUBS_NAMESPACE: 'other.servicebus.windows.net' })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_NAMESPACE: .*differs.*rental\.servicebus/)]);
    expect(problems({ ...given, RENTFOLD_EVENT_HUBS_NAMES: 'cdc,CDC' })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_NAMES: names a hub twice/)]);
  });
});

describe('an identity', () => {
  it('needs the namespace, and stands in the place of a connection string', () => {
    const identity = { RENTFOLD_AZURE_IDENTITY: 'managed', RENTFOLD_EVENT_HUBS_NAMES: 'cdc' };
    expect(load({ ...identity, RENTFOLD_EVENT_HUBS_NAMESPACE: 'rental.servicebus.windows.net' }).source).toMatchObject({
      eventHubs: { credential: { kind: 'identity', namespace: 'rental.servicebus.windows.net', identity: { kind: 'managed', clientId: null } }, namespace: 'rental.servicebus.windows.net' },
    });
    expect(problems({ RENTFOLD_AZURE_IDENTITY: 'managed', RENTFOLD_EVENT_HUBS_NAMESPACE: 'rental.servicebus.windows.net' })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_NAMES: is needed for RENTFOLD_SOURCE=event-hubs with RENTFOLD_AZURE_IDENTITY=managed$/)]);
    expect(problems({ ...identity, RENTFOLD_EVENT_HUBS_NAMESPACE: 'rental.servicebus.windows.net', RENTFOLD_EVENT_HUBS_CONNECTION_STRING: `${PLACE};EntityPath=other` })).toEqual([expect.stringMatching(/are both given/)]);
    expect(problems(identity)).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_NAMESPACE: is needed .*RENTFOLD_AZURE_IDENTITY=managed/)]);
    expect(problems({ ...identity, RENTFOLD_EVENT_HUBS_NAMESPACE: 'rental.servicebus.windows.net', RENTFOLD_EVENT_HUBS_CONNECTION_STRING: PLACE })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_CONNECTION_STRING: and RENTFOLD_AZURE_IDENTITY=managed are both given/)]);
    expect(problems({ RENTFOLD_EVENT_HUBS_NAMES: 'cdc' })).toEqual([expect.stringMatching(/^RENTFOLD_EVENT_HUBS_CONNECTION_STRING: is needed .*RENTFOLD_EVENT_HUBS_NAMESPACE/)]);
  });
});
