/**
 * Goal: tests get real databases whose changes can be followed.
 * Method: values come back exactly; the settings that logical decoding and the binlog need are in force; a killed server keeps what was committed.
 */
import { describe, expect, it } from 'vitest';
import { hasService, mariadbService, postgresService, startMariadb, startPostgres } from '../support/services/services.ts';

const [postgres, mariadb] = await Promise.all([postgresService(), mariadbService()]);

describe.skipIf(postgres === null)('the shared Postgres', () => {
  it('gives a test a database with logical decoding, and exact values', async () => {
    await using database = await postgres!.createDatabase('services_test');
    expect(await database.query('SHOW wal_level')).toEqual([{ wal_level: 'logical' }]);
    expect(await database.query("SELECT 1.50::numeric(18,4) AS amount, DATE '2026-02-28' AS day, 9007199254740993 AS big, 7 AS small, true AS flag, NULL AS nothing"))
      .toEqual([{ amount: '1.5000', day: '2026-02-28', big: '9007199254740993', small: 7, flag: true, nothing: null }]);
  });

  it('gives sessions of their own, which errors leave usable', async () => {
    await using database = await postgres!.createDatabase('services_test_sessions');
    await database.query('CREATE TABLE t (id int PRIMARY KEY)');
    await using one = await database.session();
    await using other = await database.session();
    await one.query('BEGIN; INSERT INTO t VALUES (1)');
    expect(await other.query('SELECT count(*)::int AS rows FROM t')).toEqual([{ rows: 0 }]);
    await expect(one.query('INSERT INTO t VALUES (1)')).rejects.toThrow(/duplicate key/);
    await one.query('ROLLBACK');
    expect(await one.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe.skipIf(mariadb === null)('the shared MariaDB', () => {
  it('gives a test a database with a row binlog of full images, and exact values', async () => {
    await using database = await mariadb!.createDatabase('services_test');
    expect(await database.query("SHOW VARIABLES WHERE variable_name IN ('binlog_format', 'binlog_row_image', 'log_bin')"))
      .toEqual([{ Variable_name: 'binlog_format', Value: 'ROW' }, { Variable_name: 'binlog_row_image', Value: 'FULL' }, { Variable_name: 'log_bin', Value: 'ON' }]);
    expect(await database.query("SELECT CAST(1.5 AS DECIMAL(18,4)) AS amount, DATE '2026-02-28' AS day, 7 AS small")).toEqual([{ amount: '1.5000', day: '2026-02-28', small: 7 }]);
  });
});

for (const [name, start] of [['postgres', startPostgres], ['mariadb', startMariadb]] as const) {
  describe.skipIf(!await hasService(name))(`a ${name} of the test's own`, () => {
    it('keeps what was committed when it is killed', async () => {
      await using own = await start();
      await using database = await own.createDatabase('kept');
      await database.query('CREATE TABLE t (id int PRIMARY KEY)');
      await database.query('INSERT INTO t VALUES (1)');
      await own.kill();
      await expect(database.query('SELECT * FROM t')).rejects.toThrow();
      await own.restart();
      expect(await database.query('SELECT * FROM t')).toEqual([{ id: 1 }]);
    });
  });
}
