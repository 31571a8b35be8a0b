/**
 * Fills a connector template from the environment and hands it to Kafka Connect's REST API: creates the connector, or changes it when there is one of that name.
 *
 * `CONNECT_URL=http://127.0.0.1:8083 CONNECTOR_NAME=… DATABASE_HOST=… node config/connectors/register.ts config/connectors/postgres.properties`
 *
 * With `--print` it prints the configuration as JSON instead, secrets included. It needs nothing but Node.
 */
import { readFileSync } from 'node:fs';

/** A place to fill in. Kafka Connect's own, `${provider:path:key}`, have a colon and are left alone. */
const PLACE = /\$\{([A-Z][A-Z0-9_]*)\}/g;
const ANSWER_MS = 30_000;

/** Settings of a template, in order, with their places as they are. Throws an `Error` that names the line which is neither a setting nor a comment. */
export function parseTemplate(text: string): Map<string, string> {
  const settings = new Map<string, string>();
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const [, name, value] = /^([a-zA-Z0-9._-]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || line.includes('\\')) throw new Error(`line ${index + 1} is no setting: ${line}`);
    if (settings.has(name)) throw new Error(`line ${index + 1}: ${name} stands twice`);
    settings.set(name, value);
  });
  return settings;
}

/** The configuration as the REST API takes it. Throws an `Error` that names every place without a value. */
export function fillTemplate(text: string, values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const missing = new Set<string>();
  const fill = (value: string): string => value.replaceAll(PLACE, (_place, name: string) => {
    const given = values[name];
    if (given === undefined || given === '') missing.add(name);
    return given ?? '';
  });
  const filled = Object.fromEntries([...parseTemplate(text)].map(([name, value]) => [name, fill(value)]));
  if (missing.size > 0) throw new Error(`these places have no value; set them in the environment: ${[...missing].join(', ')}`);
  return filled;
}

async function register(config: Readonly<Record<string, string>>, connect: string): Promise<string> {
  const name = config['name'] ?? '';
  const response = await fetch(new URL(`connectors/${encodeURIComponent(name)}/config`, connect.endsWith('/') ? connect : `${connect}/`), {
    method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(config), signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!response.ok) throw new Error(`Kafka Connect answered ${response.status}: ${await response.text()}`);
  return response.status === 201 ? `connector ${name} is made` : `connector ${name} has the configuration`;
}

if (import.meta.main) {
  try {
    const [path, ...flags] = process.argv.slice(2);
    if (path === undefined || flags.some((flag) => flag !== '--print')) throw new Error('usage: node config/connectors/register.ts TEMPLATE.properties [--print]');
    const config = fillTemplate(readFileSync(path, 'utf8'), process.env);
    const text = flags.length > 0 ? JSON.stringify(config, null, 2) : await register(config, process.env['CONNECT_URL'] ?? 'http://127.0.0.1:8083');
    process.stdout.write(`${text}\n`);
  } catch (error) {
    process.stderr.write(`register: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
