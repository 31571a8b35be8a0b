import { DuckDBInstance } from '@duckdb/node-api';

/** Rows of a parquet file as DuckDB, an independent reader, sees them. */

/** Answers of one query, each row by column name; decimals, dates and big integers as text. `FILE` in the text stands for the file's path. */
export async function queryParquet(path: string, sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql.replaceAll('FILE', `'${path}'`))).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The file's own key and value pairs, without the prefix of ours. */
export async function labelsOf(path: string): Promise<Record<string, string>> {
  const pairs = await queryParquet(path, 'select decode(key) as name, decode(value) as value from parquet_kv_metadata(FILE)');
  return Object.fromEntries(pairs.map(({ name, value }) => [String(name).replace(/^rentfold\./, ''), String(value)]));
}
