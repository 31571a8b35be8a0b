/**
 * Goal: the Bicep files in config/azure fit each other and the language, and deploy nothing that should not be: each role has the least scope, no key is made or put out, the
 * account and the hubs are set as rentfold needs them, and the README names what an operator must know.
 * Method: the shipped files are read. Bicep's own compiler checks the language where `bicep` is on the path; Azure is not asked. What the containers are told is in azure-settings.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseTemplate } from '../../config/connectors/register.ts';
import { AZURE_FILES as files, AZURE_FOLDER, AZURE_RESOURCES as resources, azureFile as file, projectText as text, type AzureResource } from '../support/azure-files.ts';
import { braced, namesIn } from '../support/bicep.ts';

const names = [...files.keys()];
const readme = text('README.md');
const ofType = (type: string): AzureResource[] => resources.filter((resource) => resource.type === type && !resource.existing);

/** Azure's built-in roles that are given, by the ids in its documentation, and what each is given on. */
const ROLES: Readonly<Record<string, { readonly id: string; readonly scope: string }>> = {
  'AcrPull': { id: '7f951dda-4ed3-4680-a7ca-43fe172d538d', scope: 'registry' },
  'Storage Blob Data Contributor': { id: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe', scope: 'container' },
  'Azure Event Hubs Data Receiver': { id: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde', scope: 'hubs[index]' },
  'Azure Event Hubs Data Sender': { id: '2b629674-e913-4c01-ae53-ef4638d8f975', scope: 'hubs[index / length(senderPrincipalIds)]' },
  'Schema Registry Reader': { id: '2c56ea50-c6b3-40a6-83c0-9d98858bc7d2', scope: 'eventHubs' },
};

/** The hubs that are made when nothing else is said. */
function hubNames(): string[] {
  return file('main.bicep').parameters.filter(({ name }) => name === 'hubNames' || name === 'otherHubNames').flatMap(({ fallback }) => [...fallback!.matchAll(/'([^']+)'/g)].map((match) => match[1]!));
}

describe('the language', () => {
  it('has pairs of brackets, no trailing space, and a comment that says what each file is for', () => {
    expect(names.length).toBeGreaterThanOrEqual(5);
    expect(names.filter((name) => !text(`config/azure/${name}`).startsWith('// '))).toEqual([]);
    expect(names.filter((name) => / $/m.test(text(`config/azure/${name}`)) || text(`config/azure/${name}`).split('\n').length > 250)).toEqual([]);
  });

  it('is one that the compiler takes, where there is one', () => {
    if (spawnSync('bicep', ['--version']).status !== 0) {
      process.stderr.write('config/azure was not compiled: there is no `bicep` on the path\n');
      return;
    }
    for (const name of ['main.bicep', 'main.bicepparam']) {
      const command = name.endsWith('param') ? 'build-params' : 'build';
      const run = spawnSync('bicep', [command, join(AZURE_FOLDER, name), '--stdout'], { encoding: 'utf8', env: { ...process.env, IMAGE: 'image:1', RENTFOLD_READ_TOKEN: 'a token of some length' } });
      expect(run.stderr, name).not.toMatch(/\b(Error|Warning) /);
      expect(run.status, name).toBe(0);
    }
  });

  it('names the version of every resource type, a preview only where Azure has nothing else', () => {
    expect(resources.length).toBeGreaterThan(15);
    expect(resources.filter(({ of }) => !/^Microsoft\.\w+(\/\w+)+@\d{4}-\d\d-\d\d(-preview)?$/.test(of)).map(({ of }) => of)).toEqual([]);
    expect(new Set(resources.filter(({ of }) => of.endsWith('-preview')).map(({ type }) => type))).toEqual(new Set(['Microsoft.Insights/diagnosticSettings']));
  });

  it('gives every module exactly what it asks for', () => {
    const modules = file('main.bicep').modules;
    expect(new Set(modules.map(({ of }) => of))).toEqual(new Set(names.filter((name) => name !== 'main.bicep')));
    for (const { of, body } of modules) {
      const given = namesIn(braced(body, body.indexOf('params: {')));
      expect(given.toSorted(), of).toEqual(file(of).parameters.map(({ name }) => name).toSorted());
    }
  });

  it('has an example of parameters that gives what has no default, and names nothing that is not there', () => {
    const given = [...text('config/azure/main.bicepparam').matchAll(/^param (\w+) = /gm)].map((match) => match[1]!);
    const { parameters } = file('main.bicep');
    expect(given.filter((name) => !parameters.some((parameter) => parameter.name === name))).toEqual([]);
    expect(parameters.filter(({ name, fallback }) => fallback === null && !given.includes(name))).toEqual([]);
  });

  it('has in the README every name that its example takes from the environment', () => {
    const wanted = new Set([...text('config/azure/main.bicepparam').matchAll(/readEnvironmentVariable\('(\w+)'/g)].map((match) => match[1]!));
    expect(wanted.size).toBeGreaterThanOrEqual(5);
    expect([...wanted].filter((name) => !new RegExp(`^ *(?:export )?(?:\\S+ )*${name}=`, 'm').test(readme))).toEqual([]);
  });

  it('uses every parameter and variable that it declares', () => {
    const unused = [...files].flatMap(([name, { text: body }]) => [...body.matchAll(/^(?:param|var) (\w+)/gm)].map((match) => match[1]!)
      .filter((declared) => [...body.matchAll(new RegExp(`\\b${declared}\\b`, 'g'))].length < 2).map((declared) => `${name}: ${declared}`));
    expect(unused).toEqual([]);
  });
});

describe('what may be done, and by whom', () => {
  const assignments = ofType('Microsoft.Authorization/roleAssignments');

  it('gives the documented roles, each on the least there is', () => {
    const given = assignments.map(({ file: name, body }) => {
      const variable = /roleDefinitionId: subscriptionResourceId\((?:roles|'Microsoft\.Authorization\/roleDefinitions'), (\w+)\)/.exec(body)![1]!;
      return { id: new RegExp(`^var ${variable} = '([0-9a-f-]{36})'$`, 'm').exec(file(name).text)![1]!, scope: /^ +scope: (.+)$/m.exec(body)![1]! };
    });
    expect(given.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(Object.values(ROLES).toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    expect(assignments.filter(({ body }) => !body.includes("principalType: 'ServicePrincipal'"))).toEqual([]);
  });

  it('says in the README what each role is for', () => {
    expect(Object.keys(ROLES).filter((role) => !readme.includes(`| ${role} |`))).toEqual([]);
  });

  it('makes no key but one that may only send, and only when asked; puts none out', () => {
    const all = [...files.values()].map((one) => one.text).join('\n');
    expect(all).not.toMatch(/\blist\w*\(|\bsharedKey\b|primaryKey|connectionString|adminUserEnabled/i);
    expect([...all.matchAll(/^output (\w+)/gm)].map((match) => match[1])).toEqual(expect.arrayContaining(['addresses', 'bootstrapServers', 'storageAccount', 'principalId']));
    expect([...all.matchAll(/^output .+$/gm)].filter((match) => /token|key|secret/i.test(match[0]))).toEqual([]);
    const rule = ofType('Microsoft.EventHub/namespaces/authorizationRules');
    expect(rule).toHaveLength(1);
    expect(rule[0]!.body).toContain("rights: ['Send']");
    expect(all).toContain('disableLocalAuth: !senderKey');
    expect(file('main.bicep').parameters.find(({ name }) => name === 'connectorKey')!.fallback).toBe('false');
  });
});

describe('the worker for a connector', () => {
  const worker = text('config/azure/connect-worker.properties');
  const settings = parseTemplate(worker);

  it('says of every setting what it is for, and logs in alike to read the cluster and to send', () => {
    const lines = worker.split('\n');
    expect(lines.filter((line, i) => /^[^#\s]/.test(line) && !/^# \S/.test(lines[i - 1] ?? '') && !line.startsWith('producer.'))).toEqual([]);
    const login = [...settings].filter(([name]) => /^(security|sasl)\./.test(name));
    expect(login.length).toBe(8);
    expect([...settings].filter(([name]) => name.startsWith('producer.')).map(([name, value]) => [name.slice(9), value])).toEqual(login);
    expect(settings.get('topic.creation.enable')).toBe('false');
  });

  it('finds a hub for every topic that a template writes', () => {
    const hubs = hubNames();
    const topics = ['expenses', 'rents', 'properties'].map((table) => `rental.public.${table}`);
    const heartbeat = /^#\s+topic\.heartbeat\.prefix=(\S+)$/m.exec(worker)![1]!;
    expect(hubs.toSorted()).toEqual([...topics, `${heartbeat}.rental`, 'rental.message'].toSorted());
    expect(text('config/connectors/postgres.properties')).toContain('${TOPIC_PREFIX}.message');
  });
});

describe('storage and log', () => {
  it('has an account that takes identities over TLS only, and keeps no second copy of what is overwritten', () => {
    const [account] = ofType('Microsoft.Storage/storageAccounts');
    for (const setting of ["kind: 'StorageV2'", 'allowSharedKeyAccess: false', 'allowBlobPublicAccess: false', "minimumTlsVersion: 'TLS1_2'", 'supportsHttpsTrafficOnly: true', 'publicNetworkAccess: publicNetworkAccess']) {
      expect(account!.body).toContain(setting);
    }
    const [blobs] = ofType('Microsoft.Storage/storageAccounts/blobServices');
    for (const setting of ['isVersioningEnabled: false', 'deleteRetentionPolicy: { enabled: false }', 'containerDeleteRetentionPolicy: { enabled: true, days: 7 }']) expect(blobs!.body).toContain(setting);
    expect(resources.filter(({ type }) => /managementPolicies|immutability/i.test(type))).toEqual([]);
    expect(ofType('Microsoft.Storage/storageAccounts/blobServices/containers')[0]!.body).toContain("publicAccess: 'None'");
  });

  it('has hubs without compaction, at names that Event Hubs takes, in a namespace with TLS', () => {
    const [namespace] = ofType('Microsoft.EventHub/namespaces');
    for (const setting of ["minimumTlsVersion: '1.2'", 'kafkaEnabled: true', 'publicNetworkAccess: publicNetworkAccess']) expect(namespace!.body).toContain(setting);
    expect(file('event-hubs.bicep').text).toContain("cleanupPolicy: 'Delete'");
    expect(hubNames().filter((name) => !/^[A-Za-z0-9]([\w.-]{0,254}[A-Za-z0-9])?$/.test(name))).toEqual([]);
  });
});
