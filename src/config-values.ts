import type { TableName } from './change/change.ts';
import { OPTIONS, type Option, type OptionName } from './config-options.ts';
import { COLUMNS, type DecodeOptions } from './change/decoder.ts';
import { RentfoldError } from './errors.ts';

/** Typed access to the raw texts; every wrong one adds a problem and yields its default. */
export class Values {
  readonly #raw: ReadonlyMap<OptionName, { text: string; from: string }>;
  readonly #problems: string[];

  constructor(raw: ReadonlyMap<OptionName, { text: string; from: string }>, problems: string[]) {
    this.#raw = raw;
    this.#problems = problems;
  }

  text(name: OptionName): string {
    return this.#raw.get(name)!.text;
  }

  isDefault(name: OptionName): boolean {
    return this.#raw.get(name)!.from === 'default';
  }

  wrong(name: OptionName, expected: string): void {
    const option: Option = OPTIONS.find((o) => o.name === name)!;
    const shown = option.secret === true ? 'the value given' : `\`${this.text(name)}\``;
    this.#problems.push(`${name}: ${shown} is not ${expected}`);
  }

  /** Adds a problem in other words. */
  problem(name: OptionName, words: string): void {
    this.#problems.push(`${name}: ${words}`);
  }

  /** Adds a problem when the option is not set. */
  needed(name: OptionName, because: string): void {
    if (this.text(name) === '') this.problem(name, `is needed for ${because}`);
  }

  integer(name: OptionName): number {
    const kind = (OPTIONS.find((o) => o.name === name) as Option).kind;
    if (kind.type !== 'integer') throw new RentfoldError('UNEXPECTED', `${name} is not a whole-number option`);
    const text = this.text(name);
    const value = Number(text);
    if (!/^\d{1,12}$/.test(text) || value < kind.min || value > kind.max) {
      this.wrong(name, `a whole number from ${kind.min} to ${kind.max}`);
      return kind.min;
    }
    return value;
  }

  boolean(name: OptionName): boolean {
    const text = this.text(name).toLowerCase();
    if (text !== 'true' && text !== 'false') this.wrong(name, '`true` or `false`');
    return text === 'true';
  }

  choice(name: OptionName): string {
    const kind = (OPTIONS.find((o) => o.name === name) as Option).kind;
    if (kind.type !== 'choice') throw new RentfoldError('UNEXPECTED', `${name} is not a choice`);
    const text = this.text(name);
    if (!kind.values.includes(text)) this.wrong(name, kind.values.length === 1 ? `\`${kind.values[0]}\`, the only one of this version` : `one of ${kind.values.join(', ')}`);
    return text;
  }

  list(name: OptionName): string[] {
    return this.text(name).split(',').map((s) => s.trim()).filter((s) => s !== '');
  }
}

/** RENTFOLD_TIME_ZONE: an IANA name that this Node knows. */
export function timeZone(values: Values): string {
  const zone = values.text('RENTFOLD_TIME_ZONE');
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch {
    values.wrong('RENTFOLD_TIME_ZONE', 'an IANA time zone, such as `Europe/Berlin` or `UTC`');
    return 'UTC';
  }
}

/** RENTFOLD_DECIMALS (design: never guessed from the value). */
export function decimals(values: Values): DecodeOptions['decimals'] {
  const text = values.text('RENTFOLD_DECIMALS');
  if (text === 'text') return { kind: 'text' };
  const scale = /^base64:(\d{1,2})$/.exec(text);
  if (scale !== null && Number(scale[1]) <= 38) return { kind: 'base64', scale: Number(scale[1]) };
  values.wrong('RENTFOLD_DECIMALS', '`text` or `base64:<scale>` with a scale from 0 to 38, such as `base64:2`');
  return { kind: 'text' };
}

/** RENTFOLD_TABLE_…: patterns of physical tables; empty means the bare name. */
export function patterns(values: Values, name: OptionName): string[] {
  const list = values.list(name);
  if (list.some((p) => !/^[^.\s]+(\.[^.\s]+){0,2}$/.test(p))) {
    values.wrong(name, 'a list of `table`, `schema.table` or `db.schema.table`, comma between');
  }
  return list;
}

/** RENTFOLD_COLUMNS_…: physical name per logical column, null for `none`. */
export function columns(values: Values, name: OptionName, table: TableName): Record<string, string | null> {
  const logical: readonly string[] = COLUMNS[table];
  const result: Record<string, string | null> = Object.fromEntries(logical.map((c) => [c, c]));
  for (const pair of values.list(name)) {
    const [column, physical, ...rest] = pair.split('=').map((s) => s.trim());
    const usable = physical !== undefined && physical !== '' && rest.length === 0 && logical.includes(column!);
    const mayBeNone = column !== 'id' && column !== 'property_id' && column !== 'amount' && column !== 'date' && column !== 'payment_date';
    if (!usable || (physical === 'none' && !mayBeNone)) {
      const optional = logical.filter((c) => !['id', 'property_id', 'amount', 'date', 'payment_date'].includes(c));
      values.wrong(name, `a list of \`column=name\` with the columns ${logical.join(', ')} (\`none\` is possible for ${optional.join(', ')})`);
      return result;
    }
    result[column!] = physical === 'none' ? null : physical;
  }
  return result;
}

/** RENTFOLD_SOURCE_EPOCHS: milliseconds, rising. */
export function instants(values: Values, name: OptionName): number[] {
  const result: number[] = [];
  for (const text of values.list(name)) {
    const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(ms)) {
      values.wrong(name, 'a list of instants such as `2026-11-22T14:30:00Z`, comma between');
      return [];
    }
    result.push(ms);
  }
  return result.sort((a, b) => a - b);
}
