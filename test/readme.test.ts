/**
 * Goal: the README says what the code does.
 * Method: its tables of commands, options, error codes and metrics are rendered anew from the code and compared; every name that looks like an
 * option, and every link and path that it mentions, must exist; its worked example is added up again.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../src/config-options.ts';
import { ERROR_CODES } from '../src/errors.ts';
import { figuresAnswer, statusAnswer } from '../src/read/schemas.ts';
import type { DemoExpected } from './support/demo-figures.ts';
import { propertyId } from './support/demo-portfolio.ts';
import { README_PATH, withTables } from './support/readme-tables.ts';

const readme = readFileSync(README_PATH, 'utf8');
const demo = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/demo-expected.json'), 'utf8')) as DemoExpected;
const optionNames = new Set<string>(OPTIONS.map((option) => option.name));

describe('README', () => {
  it('has the tables that follow from the code (node test/support/readme-tables.ts --write)', async () => {
    expect(readme).toBe(await withTables(readme));
  });

  it('names only options that exist', () => {
    const named = new Set(readme.match(/\bRENTFOLD_[A-Z][A-Z_]*[A-Z]\b/g));
    expect([...named].filter((name) => !optionNames.has(name) && !name.startsWith('RENTFOLD_TEST_'))).toEqual([]);
  });

  it('names every option and every code', () => {
    const missing = [...optionNames, ...Object.keys(ERROR_CODES)].filter((name) => !readme.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });

  it('names every field of the answer and of the status', () => {
    const named = new Set([...readme.matchAll(/`([a-z_.]+)`/g)].flatMap((match) => match[1]!.split('.')));
    const fields = [...Object.keys(figuresAnswer.properties).filter((name) => !name.startsWith('cumulative_')), ...Object.keys(statusAnswer.properties)];
    expect(fields.filter((name) => !named.has(name))).toEqual([]);
  });

  it('links only to what is there', () => {
    const targets = [...readme.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
    const headings = new Set([...readme.matchAll(/^#+ (.+)$/gm)].map((match) => `#${slug(match[1]!)}`));
    const broken = targets.filter((target) => !target.startsWith('http') && (target.startsWith('#') ? !headings.has(target) : !existsSync(join(dirname(README_PATH), target))));
    expect(broken).toEqual([]);
  });

  it('works its example through to the figures of the demo', () => {
    const view = demo.views.find((v) => v.as_of === '2026-11-23' && v.property_id === propertyId('b') && v.unit_id === null)!;
    const example = readme.slice(readme.indexOf('### A worked example'), readme.indexOf('## What a change means'));
    const results = [...example.matchAll(/^- `(\w+)`.*\*\*([\d ]+(?:\.\d+)?)\*\*/gm)].map((match) => [match[1]!, Number(match[2]!.replaceAll(' ', ''))]);
    const expected = ['total_revenue', 'rent', 'expenses', 'profit_loss'].map((name) => [name, Number(view[`ytd_${name}`])]);
    expect(results).toEqual([...expected, ['cash_on_cash', Number(view.cash_on_cash)]]);
  });

  it('has tables whose rows have as many cells as their headings', () => {
    const wrong: string[] = [];
    let width = 0;
    for (const line of readme.split('\n')) {
      const cells = line.startsWith('|') ? line.replaceAll('\\|', '').split('|').length : 0;
      if (width !== 0 && cells !== 0 && cells !== width) wrong.push(line);
      width = cells;
    }
    expect(wrong).toEqual([]);
  });
});

/** Anchor of a heading, as GitHub makes it. */
function slug(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-');
}
