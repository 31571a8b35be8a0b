/**
 * Goal: what config/azure tells the containers is what rentfold takes: every option is one it has, values are accepted, the secret is a secret, probes ask for paths and the port
 * that are there, and a container has longer to stop than rentfold takes.
 * Method: the settings in the Bicep files are filled in as a deployment would, and loaded by rentfold itself.
 */
import { describe, expect, it } from 'vitest';
import { loadConfig, type Config } from '../../src/config.ts';
import { OPTIONS } from '../../src/config-options.ts';
import { AZURE_FILES as files, azureFile as file, projectText as text } from '../support/azure-files.ts';
import { createFakeReadModel } from '../support/fake-read-model.ts';
import { startApp } from '../support/read-app.ts';

/** What an expression of a setting may be in a deployment; literals stand for themselves. */
const SAMPLES: Readonly<Record<string, string>> = {
  "'${namespaceName}.servicebus.windows.net'": 'rentfold-abc.servicebus.windows.net', "join(hubNames, ',')": 'rental.public.expenses,rental.public.rents',
  'accountName': 'rentfoldabc', 'containerName': 'documents', 'identity.properties.clientId': '11111111-2222-4333-8444-555555555555', 'timeZone': 'Europe/Berlin',
  'string(fiscalYearStartMonth)': '4', 'instanceName': 'rentfold-a', 'replayName': 'rentfold-replay', 'string(port)': '8080', 'string(shutdownSeconds)': '50', 'read-token': 'a token of some length',
};

/** The settings of the image, and those that stand in some files, as the process would see them. */
function environment(...inFiles: readonly string[]): Record<string, string> {
  const all = inFiles.flatMap((name) => [...file(name).text.matchAll(/\{ name: '([A-Z][A-Z_]+)', (?:value|secretRef): (.+?) \}/g)]);
  const ofImage = [...text('config/Dockerfile').matchAll(/^ENV (RENTFOLD_.+)$/gm)].flatMap((match) => match[1]!.split(' ')).map((pair) => pair.split('=') as [string, string]);
  return Object.fromEntries(ofImage.concat(all.map(([, name, given]) => {
    const value = SAMPLES[given!] ?? /^'([^'$]*)'$/.exec(given!)?.[1];
    if (value === undefined) throw new Error(`${name}: what \`${given}\` may be is not known here`);
    return [name!, SAMPLES[value] ?? value];
  })));
}

function load(...inFiles: readonly string[]): { readonly config: Config; readonly unknown: readonly string[] } {
  return loadConfig({ environment: environment(...inFiles), file: null, host: 'here', resolve: (given) => given, listens: !inFiles.includes('replay.bicep') });
}

describe('what the containers are told', () => {
  it.each([['instance.bicep'], ['replay.bicep']])('%s: rentfold takes it, and knows every name', (name) => {
    const { config, unknown } = load('main.bicep', name);
    expect(unknown).toEqual([]);
    expect(config.source.kind).toBe('event-hubs');
    expect(config.store.kind).toBe('azure');
    const known = new Set<string>(OPTIONS.map((option) => option.name));
    expect(Object.keys(environment('main.bicep', name)).filter((option) => !known.has(option))).toEqual([]);
  });

  it('has each secret as a secret, and no key at all', () => {
    const secrets = OPTIONS.filter((option) => 'secret' in option && option.secret).map((option) => option.name as string);
    const plain = [...files.values()].flatMap(({ text: body }) => [...body.matchAll(/\{ name: '([A-Z_]+)', value:/g)].map((match) => match[1]!));
    expect(plain.filter((name) => secrets.includes(name))).toEqual([]);
    expect(Object.keys(environment('main.bicep', 'instance.bicep', 'replay.bicep')).filter((name) => secrets.includes(name))).toEqual(['RENTFOLD_READ_TOKEN']);
    const tokens = [...files].flatMap(([name, { parameters }]) => parameters.filter((parameter) => /token|secret|password/i.test(parameter.name)).map(({ name: parameter, secure }) => ({ name, parameter, secure })));
    expect(tokens).toEqual(['instance.bicep', 'main.bicep'].map((name) => ({ name, parameter: 'readToken', secure: true })));
  });

  it('has a consumer group for each that reads, which the namespace has too', () => {
    const main = file('main.bicep').text;
    expect(main).toContain('consumerGroups: concat(instanceNames, [replayName])');
    expect([...main.matchAll(/name: 'RENTFOLD_EVENT_HUBS_CONSUMER_GROUP', value: (\w+)/g)].map((match) => match[1])).toEqual(['instanceName', 'replayName']);
  });

  it('asks for health at paths and at a port that rentfold has, and gives it longer to stop than it takes', async () => {
    const { text: instance } = file('instance.bicep');
    const { app } = startApp(createFakeReadModel(), 'a token of some length');
    const paths = new Set([...instance.matchAll(/httpGet: \{ path: '([^']+)', port: port \}/g)].map((match) => match[1]!));
    expect(paths).toEqual(new Set(['/health/live', '/health/ready']));
    for (const path of paths) expect([200, 503], path).toContain((await app.inject(path)).statusCode);
    expect((await app.inject('/health/other')).statusCode).toBe(401);
    const port = /^var port = (\d+)$/m.exec(instance)![1]!;
    expect(port).toBe(OPTIONS.find(({ name }) => name === 'RENTFOLD_PORT')!.fallback);
    expect(text('config/Dockerfile')).toContain(`EXPOSE ${port}`);
    expect(load('main.bicep', 'instance.bicep').config).toMatchObject({ port: Number(port), shutdownSeconds: Number(/^var shutdownSeconds = (\d+)$/m.exec(instance)![1]) });
    expect(instance).toContain('terminationGracePeriodSeconds: shutdownSeconds + 10');
    expect(instance).toContain('scale: { minReplicas: 1, maxReplicas: 1 }');
    // Azure takes no more.
    expect([...instance.matchAll(/failureThreshold: (\d+)/g)].every((match) => Number(match[1]) <= 10)).toBe(true);
  });
});
