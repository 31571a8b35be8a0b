/**
 * Goal: rentfold follows live databases and gives, at every marked moment and after every crash of every part, the figures that SQL gives.
 * Method: Postgres and MariaDB under a random workload → Debezium (the shipped connector templates) in Kafka Connect → a broker → the real process. In each
 * round something is killed while the workload runs; then the workload rests, a marker row is waited for, and every figure of every property and unit is
 * compared with SQL over the tables. At the end the log alone, read in this process, gives the same rows as the process' own checkpoint.
 * RENTFOLD_TEST_SEED repeats a workload.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConfluentRegistry } from '../../src/registry/confluent-registry.ts';
import { createRandom } from '../support/history-random.ts';
import { Followed } from '../support/live/followed.ts';
import type { Following } from '../support/live/followed.ts';
import { pictureOfLog, pictureOfStore } from '../support/live/pictures.ts';
import { Stage } from '../support/live/stage.ts';
import type { Workload } from '../support/live/workload.ts';
import { hasService, mariadbService, postgresService } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { faultFired } from '../support/faults/fired.ts';

const hasConnect = await hasService('connect') && await hasService('registry');
const [postgres, mariadb] = hasConnect ? await Promise.all([postgresService(), mariadbService()]) : [null, null];
const canRun = postgres !== null && mariadb !== null;
const seed = Number(process.env.RENTFOLD_TEST_SEED ?? 20_261_127);
const ROUND_MS = 240_000;
const COMMITS_A_ROUND = 60;

const PLANS: readonly Following[] = [
  { name: 'live_rows', dialect: 'postgres', isFull: false, keying: 'row', partitions: 3, fiscalMonth: 1 },
  { name: 'live_rows_full', dialect: 'postgres', isFull: true, keying: 'row', partitions: 1, fiscalMonth: 4 },
  { name: 'live_properties', dialect: 'postgres', isFull: false, keying: 'property', partitions: 3, fiscalMonth: 1 },
  { name: 'live_properties_full', dialect: 'postgres', isFull: true, keying: 'property', partitions: 3, fiscalMonth: 1 },
  { name: 'live_avro', dialect: 'postgres', isFull: false, keying: 'row', partitions: 3, fiscalMonth: 1, isAvro: true },
  { name: 'live_mariadb', dialect: 'mariadb', isFull: true, keying: 'row', partitions: 3, fiscalMonth: 1 },
];

describe.skipIf(!canRun)(`live databases (seed ${seed})`, () => {
  let stage: Stage;
  let followed: Followed[] = [];
  let round = 0;

  beforeAll(async () => {
    stage = await Stage.start();
    followed = await Promise.all(PLANS.map((plan) => Followed.create(plan, stage, plan.dialect === 'postgres' ? postgres! : mariadb!)));
    // Rows for the snapshot; the connectors start while the workload goes on.
    await underLoad(async () => {
      for (const one of followed) await one.connect();
    });
    for (const one of followed) one.begin();
  }, ROUND_MS);

  afterAll(async () => {
    for (const one of followed) await one[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  }, ROUND_MS);

  /** Runs the workload on every database, does something meanwhile, and goes on until enough was committed after it. */
  async function underLoad(meanwhile: () => Promise<void>): Promise<void> {
    round++;
    const workloads = await Promise.all(followed.map((one, index) => one.work(seed + round * 1_000 + index, round === 1)));
    const more = async (commits: number): Promise<void> => {
      const goals = workloads.map((workload: Workload) => workload.committed + commits);
      await until(() => workloads.every((workload, index) => workload.committed >= goals[index]!), ROUND_MS);
    };
    try {
      await more(COMMITS_A_ROUND);
      await meanwhile();
      await more(COMMITS_A_ROUND);
    } finally {
      await Promise.all(workloads.map((workload) => workload.stop()));
    }
  }

  async function compareAll(): Promise<void> {
    for (const one of followed) expect(await one.compare(), `accounts of ${one.plan.name}`).toBeGreaterThan(5);
  }

  async function killConnect(): Promise<void> {
    await stage.connect.kill();
    await expect(fetch(stage.connect.url)).rejects.toThrow();
    await stage.connect.restart();
    for (const one of followed) await stage.connect.waitRunning(one.plan.name);
  }

  async function killBroker(): Promise<void> {
    await stage.kafka.kill();
    await expect(stage.ends('live')).rejects.toThrow();
    await stage.kafka.restart();
  }

  /** Ends every rentfold at a random moment of its reading, `times` times. */
  async function endPrograms(signal: 'SIGKILL' | 'SIGTERM', times: number): Promise<void> {
    const random = createRandom(seed + round);
    await Promise.all(followed.map(async (one) => {
      for (let time = 0; time < times; time++) {
        await one.program.ready();
        const goal = Number((await one.program.status()).records.read) + 1 + random.below(200);
        await one.program.until('reads on', async () => Number((await one.program.status()).records.read) >= goal);
        const before = one.program;
        await before.kill(signal);
        expect(signal === 'SIGTERM' ? await before.exitCode() : before.endedBy, before.log).toBe(signal === 'SIGTERM' ? 0 : 'SIGKILL');
        one.begin();
        await one.program.ready();
        expect(one.program.log).toMatch(/Restored generation \d+/);
      }
    }));
  }

  it('gives SQL\'s figures after the snapshot and the changes during it', compareAll, ROUND_MS);

  it('gives SQL\'s figures after its own kills under load', async () => {
    await underLoad(() => endPrograms('SIGKILL', 3));
    await compareAll();
  }, ROUND_MS);

  it('gives SQL\'s figures after the connectors were killed and sent again what they had sent', async () => {
    await underLoad(killConnect);
    await compareAll();
  }, ROUND_MS);

  it('gives SQL\'s figures after the broker was killed', async () => {
    await underLoad(killBroker);
    await compareAll();
  }, ROUND_MS);

  it('gives SQL\'s figures after SIGTERM at random moments under load', async () => {
    await underLoad(() => endPrograms('SIGTERM', 3));
    await compareAll();
  }, ROUND_MS);

  it('gives SQL\'s figures after everything was killed at once', async () => {
    await underLoad(async () => {
      await Promise.all([killConnect(), ...followed.map((one) => one.program.kill('SIGKILL'))]);
      await killBroker();
      for (const one of followed) one.begin();
    });
    await compareAll();
  }, ROUND_MS);

  it('waits while a schema cannot be had, without a dead letter, and then gives SQL\'s figures', async () => {
    const one = followed.find(({ plan }) => plan.isAvro === true)!;
    const before = await one.program.status();
    const away = stage.registryProxy.add(() => true, { kind: 'answer', status: 503, code: 'away' }, Number.POSITIVE_INFINITY);
    await one.database.query('ALTER TABLE rents ADD COLUMN paid_by varchar(64)');
    await one.database.query("INSERT INTO rents (id, property_id, payment_date, amount, paid_by) VALUES ('late', 'p1', DATE '2026-01-31', 12.3400, 'x')");
    await one.sent();
    await one.program.until('says that the registry is away', async () => Promise.resolve(one.program.log.includes('REGISTRY_RETRYING')));
    // Expenses are in other partitions, and are read on.
    await one.program.until('reads what needs no new schema', async () => Number((await one.program.status()).records.read) > Number(before.records.read));
    const { status } = await one.program.get('/health/ready');
    expect([away.struck > 0, status]).toEqual([true, 200]);
    faultFired('R2');
    away.end();
    expect(await one.compare()).toBeGreaterThan(5);
    expect((await one.program.status()).records).toMatchObject({ dead_letters: before.records.dead_letters });
  }, ROUND_MS);

  it('has in its store the same rows as a second reading of the whole log gives', async () => {
    for (const one of followed) {
      await one.program.kill('SIGTERM');
      const { operations, ...again } = await pictureOfLog(stage.kafka.brokers, one.topics, one.plan.fiscalMonth, [createConfluentRegistry({ url: stage.registry.confluentUrl, login: null })]);
      expect([...operations], one.plan.name).toEqual(expect.arrayContaining(one.plan.isAvro === true ? ['avro'] : ['r', 'c', 'u', 'd', 't']));
      expect(again.rows.length, one.plan.name).toBeGreaterThan(10);
      expect(await pictureOfStore(one.storeFolder, one.plan.fiscalMonth), one.plan.name).toEqual(again);
    }
  }, ROUND_MS);
});
