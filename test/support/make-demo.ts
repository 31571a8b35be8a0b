import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { demoViews, type DemoExpected } from './demo-figures.ts';
import { demoLogs } from './demo-log.ts';
import { demoChanges } from './demo-portfolio.ts';

/**
 * The demo data of `config/demo` and the figures it must give. Run `node test/support/make-demo.ts` to write both; a test says
 * when the committed files are not what this makes. Not read at run time.
 */

/** Root of the repository. */
export const PROJECT_ROOT = resolve(import.meta.dirname, '../..');
const LOG_FOLDER = 'config/demo';
const EXPECTED_FILE = 'test/fixtures/demo-expected.json';

/** Content of every generated file by its path from the project's root. */
export function demoFiles(): ReadonlyMap<string, string> {
  const changes = demoChanges();
  const files = new Map<string, string>();
  let records = 0;
  for (const [name, text] of demoLogs(changes)) {
    files.set(`${LOG_FOLDER}/${name}`, text);
    records += text.split('\n').length - 1;
  }
  const { views, absent, incomplete } = demoViews(changes);
  const expected: DemoExpected = {
    about: 'The demo data: twelve properties over three years, with corrections, a move, deletes, a re-sent stretch and one amount that is no number.',
    settings: {}, records, dead_letters: 1, absent, incomplete, read_orders: 'any', views,
  };
  files.set(EXPECTED_FILE, `${JSON.stringify(expected, null, 1)}\n`);
  return files;
}

/** Names of the topic dumps that are in the demo folder now. */
export function committedDemoLogs(): string[] {
  return readdirSync(join(PROJECT_ROOT, LOG_FOLDER)).filter((name) => name.endsWith('.jsonl')).map((name) => `${LOG_FOLDER}/${name}`);
}

if (import.meta.main) {
  mkdirSync(join(PROJECT_ROOT, LOG_FOLDER), { recursive: true });
  for (const path of committedDemoLogs()) rmSync(join(PROJECT_ROOT, path));
  for (const [path, text] of demoFiles()) {
    mkdirSync(dirname(join(PROJECT_ROOT, path)), { recursive: true });
    writeFileSync(join(PROJECT_ROOT, path), text);
    process.stdout.write(`${path} ${Buffer.byteLength(text)} bytes\n`);
  }
}
