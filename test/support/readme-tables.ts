import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COMMANDS } from '../../src/cli/arguments.ts';
import { createControl } from '../../src/control.ts';
import { OPTIONS, type Option, type OptionKind } from '../../src/config-options.ts';
import { ERROR_CODES, EXIT_CODES, exitOf, type Code, type ErrorCode } from '../../src/errors.ts';
import { createMetrics } from '../../src/read/metrics.ts';
import type { ReadModel } from '../../src/read/read-model.ts';

/**
 * The README's tables that follow from code: commands, options, error codes, exit codes and metrics. They stand between `<!-- options:begin -->` and
 * `<!-- options:end -->`, and so on. `node test/support/readme-tables.ts --write` renders them anew; a test says when they are old.
 */

export const README_PATH = join(resolve(import.meta.dirname, '../..'), 'README.md');

/** The README with every generated table as the code has it now. Throws when a marker is missing or stands twice. */
export async function withTables(readme: string): Promise<string> {
  let text = readme;
  for (const [name, table] of Object.entries({ commands: commandsTable(), options: optionsTable(), errors: errorTables(), exits: exitsTable(), metrics: await metricsTable() })) {
    const begin = `<!-- ${name}:begin -->`;
    const end = `<!-- ${name}:end -->`;
    const parts = text.split(begin);
    const rest = parts[1]?.split(end);
    if (parts.length !== 2 || rest?.length !== 2) throw new Error(`README.md must have ${begin} and, behind it, ${end}, once each`);
    text = `${parts[0]}${begin}\n\n${table}\n\n${end}${rest[1]}`;
  }
  return text;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

function commandsTable(): string {
  return table(['command', 'what it does'], Object.values(COMMANDS).map(({ usage, about }) => [`\`${usage}\``, about]));
}

function optionsTable(): string {
  return table(['option', 'value', 'default', 'meaning'], OPTIONS.map((option: Option) => [
    `\`${option.name}\``, kindText(option.kind), option.fallback === '' ? 'not set' : `\`${option.fallback}\``, option.about,
  ]));
}

/** What may stand in an option, in a few words. */
function kindText(kind: OptionKind): string {
  switch (kind.type) {
    case 'choice': return kind.values.map((value) => `\`${value}\``).join(', ');
    case 'integer': return `${kind.min} to ${kind.max}`;
    case 'boolean': return '`true`, `false`';
    case 'path': return 'path';
    case 'text': return 'text';
    case 'zone': return 'IANA zone';
    case 'decimals': return '`text`, `base64:<scale>`';
    case 'patterns': return 'list of patterns';
    case 'columns': return 'list of `column=name`';
    case 'instants': return 'list of instants';
    default: {
      const unknown: never = kind;
      throw new Error(`no words for ${JSON.stringify(unknown)}`);
    }
  }
}

function errorTables(): string {
  const ofKind = (kind: ErrorCode['kind']): [string, ErrorCode][] => Object.entries<ErrorCode>(ERROR_CODES).filter(([, entry]) => entry.kind === kind);
  const rows = (kind: ErrorCode['kind'], extra: (entry: ErrorCode, code: Code) => string[] = () => []): string[][] =>
    ofKind(kind).map(([code, entry]) => [`\`${code}\``, ...extra(entry, code as Code), entry.meaning, entry.action]);
  const exit = (_entry: ErrorCode, code: Code): string[] => [String(exitOf(code))];
  return [
    '**A command ends with one of these before it serves.**', table(['code', 'exit code', 'meaning', 'what to do'], rows('start', exit)),
    '**A partition, or the whole source, stops with one of these.** Reads answer 503 from then on; `replay` ends with the exit code.', table(['code', 'exit code', 'meaning', 'what to do'], rows('stop', exit)),
    '**An event is set aside as a dead letter for one of these reasons.**', table(['code', 'meaning', 'what to do'], rows('letter')),
    '**A request is answered with one of these.**', table(['code', 'HTTP status', 'meaning', 'what to do'], rows('read', (entry) => [String(entry.status)])),
    '**These are warnings.** rentfold says them in the log and in the status, and goes on.', table(['code', 'meaning', 'what to do'], rows('warning')),
  ].join('\n\n');
}

function exitsTable(): string {
  return table(['code', 'meaning'], Object.entries(EXIT_CODES));
}

/** Every metric of rentfold's own, as a scrape of a process that has done nothing describes it. */
async function metricsTable(): Promise<string> {
  const text = await createMetrics(idleModel()).text();
  const rows = [...text.matchAll(/^# HELP (rentfold_\w+) (.+)\n# TYPE \w+ (\w+)$/gm)].map((match) => [`\`${match[1]!}\``, match[3]!, match[2]!]);
  return table(['metric', 'type', 'meaning'], rows.sort((a, b) => (a[0]! < b[0]! ? -1 : 1)));
}

function idleModel(): ReadModel {
  const control = createControl(0).state();
  return {
    figures: () => ({ kind: 'unknown' }), counters: () => [], newestChangeAt: () => null, control: () => control, today: () => 0, now: () => 0,
    counts: () => ({
      rows: { expenses: 0, rents: 0, properties: 0 }, rememberedDeletes: 0, truncateMarks: 0, properties: 0, accounts: 0, openDeadLetters: 0,
      incompleteProperties: 0, outOfRangeAccounts: 0, unpublishedRows: 0, ledgerBytes: 0, accountBytes: 0,
    }),
  };
}

if (import.meta.main) {
  const readme = readFileSync(README_PATH, 'utf8');
  const fresh = await withTables(readme);
  if (process.argv.includes('--write')) writeFileSync(README_PATH, fresh);
  else if (fresh !== readme) {
    process.stderr.write('README.md has old tables; run `node test/support/readme-tables.ts --write`\n');
    process.exitCode = 1;
  }
}
