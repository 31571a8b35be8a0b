import { TABLE_NAMES, TABLE_NONE } from './change.ts';
import type { SeenTables, TableName } from './change.ts';

/** A table as the source names it, and the logical table it stands for. */
export interface PhysicalTable {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
  /** TABLE_EXPENSES, TABLE_RENTS, TABLE_PROPERTIES, or TABLE_NONE for a table that is not ours. */
  readonly logical: number;
  /** Set when this table's unqualified name already stood for another one: reading must stop (TABLE_AMBIGUOUS). */
  readonly ambiguous: string | null;
  /** A pattern knows the name, in another schema or database: so it is told apart, and not ours. */
  readonly isElsewhere: boolean;
  /** The logical table whose pattern asks for a schema that neither event nor topic names; else TABLE_NONE. */
  readonly perhaps: number;
}

/** More tables than a database has: beyond, what was found is forgotten and found again. */
const TABLES_KEPT_MAX = 16_384;

/** `prefix.database.schema.table`; shorter ones have the connector's own name, or nothing, where the database would stand. */
const TOPIC_SEGMENTS_WITH_DATABASE = 4;

interface Pattern {
  readonly logical: number;
  /** Parts from the table outwards: table, schema, database. */
  readonly parts: readonly RegExp[];
}

/**
 * Finds the logical table of a physical one: by the patterns of the configuration (`table`, `schema.table`, `db.schema.table`), else by
 * the bare name. A source without schemas (MySQL) has the database in the schema's place. An unqualified name may stand
 * for one schema and database only; what it met first is remembered, also over a restart.
 */
export class Tables {
  readonly #patterns: readonly Pattern[];
  readonly #known = new Map<string, PhysicalTable>();
  readonly #seen = new Map<number, { database: string; schema: string }>();
  /** Entries of `seen` that changed since `takeNews`. */
  #news: SeenTables | null = null;

  constructor(patterns: Readonly<Record<TableName, readonly string[]>>, seen: SeenTables) {
    this.#patterns = TABLE_NAMES.flatMap((table, logical) =>
      (patterns[table].length === 0 ? [table] : patterns[table]).map((text) => ({ logical, parts: text.split('.').reverse().map(glob) })));
    TABLE_NAMES.forEach((table, logical) => {
      const text = seen[table];
      if (text !== undefined) this.#seen.set(logical, qualifierOf(text));
    });
  }

  /** The table of that name; missing parts are ''. */
  find(database: string, schema: string, name: string): PhysicalTable {
    const key = `${database}\u0000${schema}\u0000${name}`;
    let table = this.#known.get(key);
    if (table === undefined) {
      table = this.#resolve(database, schema, name, [name, schema === '' ? database : schema, schema === '' ? '' : database]);
      if (table.ambiguous === null) this.#keep(key, table);
    }
    return table;
  }

  /** The table a topic is named after: its last segment, qualified by those before it. */
  findByTopic(topic: string): PhysicalTable {
    const key = `\u0000${topic}`;
    let table = this.#known.get(key);
    if (table === undefined) {
      const [name, schema = '', database = ''] = topic.split('.').reverse();
      table = this.#resolve('', '', name, [name, schema, database], topic.split('.').length < TOPIC_SEGMENTS_WITH_DATABASE);
      this.#keep(key, table);
    }
    return table;
  }

  /** Unqualified names whose table became known since the last call, or null. */
  takeNews(): SeenTables | null {
    const news = this.#news;
    this.#news = null;
    return news;
  }

  #keep(key: string, table: PhysicalTable): void {
    if (this.#known.size >= TABLES_KEPT_MAX) this.#known.clear();
    this.#known.set(key, table);
  }

  /** `isPrefix`: the outermost part is a connector's name for itself, or may be: no database that could differ from a pattern's. */
  #resolve(database: string, schema: string, name: string, parts: readonly string[], isPrefix = false): PhysicalTable {
    const found = { database, schema, name, ambiguous: null, isElsewhere: false, perhaps: TABLE_NONE };
    let perhaps = TABLE_NONE;
    let isElsewhere = false;
    for (const { logical, parts: pattern } of this.#patterns) {
      if (!pattern[0].test(name)) continue;
      if (pattern.length === 1) return { ...found, logical, ambiguous: this.#see(logical, database, schema, name) };
      if (pattern.every((part, i) => part.test(parts[i]))) return { ...found, logical };
      if (parts[1] === '' || (isPrefix && pattern[1].test(parts[1]))) perhaps = logical;
      else isElsewhere = true;
    }
    return { ...found, logical: TABLE_NONE, isElsewhere, perhaps };
  }

  /** Notes what an unqualified name stands for; answers in words what is wrong when it already stands for something else. */
  #see(logical: number, database: string, schema: string, name: string): string | null {
    const seen = this.#seen.get(logical) ?? { database: '', schema: '' };
    if (differs(seen.database, database) || differs(seen.schema, schema)) {
      const table = TABLE_NAMES[logical];
      return `The name ${name} stands for ${qualified(seen.database, seen.schema, name)} and for ${qualified(database, schema, name)}; `
        + `say which one ${table} means with RENTFOLD_TABLE_${table.toUpperCase()}; a store that was begun without it needs the log read again into an empty one.`;
    }
    const known = { database: seen.database || database, schema: seen.schema || schema };
    if (known.database !== seen.database || known.schema !== seen.schema) {
      this.#seen.set(logical, known);
      this.#news = { ...this.#news, [TABLE_NAMES[logical]]: qualifierText(known) };
    }
    return null;
  }
}

function differs(seen: string, met: string): boolean {
  return seen !== '' && met !== '' && seen !== met;
}

function qualified(database: string, schema: string, name: string): string {
  return [database, schema, name].filter((part) => part !== '').join('.');
}

/** `*` stands for any run of characters. */
function glob(pattern: string): RegExp {
  return new RegExp(`^${pattern.split('*').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`, 'su');
}

/** `database.schema`; points and percent signs inside the names are percent-encoded. */
function qualifierText(of: { readonly database: string; readonly schema: string }): string {
  return [of.database, of.schema].map((part) => part.replaceAll('%', '%25').replaceAll('.', '%2E')).join('.');
}

function qualifierOf(text: string): { database: string; schema: string } {
  const [database = '', schema = ''] = text.split('.').map((part) => part.replaceAll('%2E', '.').replaceAll('%25', '%'));
  return { database, schema };
}
