import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillTemplate } from '../../../config/connectors/register.ts';
import { RentfoldProcess } from '../process.ts';
import type { SqlDatabase, SqlService } from '../services/service.ts';
import { until } from '../until.ts';
import { compareWithSql } from './compare.ts';
import type { Stage } from './stage.ts';
import { createTables } from './tables.ts';
import type { Dialect } from './tables.ts';
import { startWorkload } from './workload.ts';
import type { Workload } from './workload.ts';

const TEMPLATES = join(import.meta.dirname, '../../../config/connectors');
/** A database that is followed may be restarted a good many times before it has sent everything. */
const SENT_MS = 90_000;
const KEY_COLUMNS = (schema: string): string => ['expenses', 'rents'].map((table) => `${schema}.${table}:property_id`).join(';');

/** How a database is followed. */
export interface Following {
  /** Lower case letters, digits and underlines; name of the database, and of everything that belongs to it. */
  readonly name: string;
  readonly dialect: Dialect;
  readonly isFull: boolean;
  readonly keying: 'row' | 'property';
  readonly partitions: number;
  readonly fiscalMonth: number;
  /** Keys and values in Avro, decimals as they are in it. */
  readonly isAvro?: boolean;
}

/** A database, its connector from the shipped template, and a rentfold that follows it. */
export class Followed implements AsyncDisposable {
  readonly plan: Following;
  readonly database: SqlDatabase;
  readonly folder: string;
  readonly #stage: Stage;
  readonly #server: SqlService;
  #program: RentfoldProcess | null = null;
  #markers = 0;

  private constructor(plan: Following, database: SqlDatabase, folder: string, stage: Stage, server: SqlService) {
    this.plan = plan;
    this.database = database;
    this.folder = folder;
    this.#stage = stage;
    this.#server = server;
  }

  /** Makes the tables with a few rows; the connector and rentfold start with `start`. */
  static async create(plan: Following, stage: Stage, server: SqlService): Promise<Followed> {
    const database = await createTables(server, plan.dialect, plan.name, plan.isFull);
    return new Followed(plan, database, await mkdtemp(join(tmpdir(), 'rentfold-live-')), stage, server);
  }

  /** The running process. */
  get program(): RentfoldProcess {
    return this.#program!;
  }

  /** Pattern of the database's topics. */
  get topics(): string {
    return `${this.plan.name}.*`;
  }

  get storeFolder(): string {
    return join(this.folder, 'store');
  }

  /** Hands the connector to Connect: the template with its places filled, and what this way of following differs in. */
  async connect(): Promise<void> {
    const { name, dialect, keying, partitions, isAvro = false } = this.plan;
    const { host, port } = this.#server.seenFromConnect;
    const config = fillTemplate(await readFile(join(TEMPLATES, `${dialect}.properties`), 'utf8'), {
      CONNECTOR_NAME: name, TOPIC_PREFIX: name, DATABASE_HOST: host, DATABASE_PORT: String(port), DATABASE_USER: this.#server.username, DATABASE_PASSWORD: this.#server.password,
      DATABASE_NAME: name, DATABASE_SCHEMA: 'public', SLOT_NAME: name, PUBLICATION_NAME: name, DATABASE_SSL_MODE: 'disable', DATABASE_SERVER_ID: String(9_000 + port % 1_000),
      KAFKA_BROKERS: this.#stage.kafka.seenFromConnect,
    });
    await this.#stage.connect.create(name, {
      ...config, 'topic.creation.default.partitions': String(partitions),
      ...(isAvro ? { ...this.#stage.registry.avroConverter('key'), ...this.#stage.registry.avroConverter('value'), 'decimal.handling.mode': 'precise' } : {}),
      ...(keying === 'property' ? { 'message.key.columns': KEY_COLUMNS(dialect === 'postgres' ? 'public' : name) } : {}),
    });
    await this.#stage.connect.waitRunning(name);
  }

  /** Starts rentfold on its store. */
  begin(settings: Readonly<Record<string, string>> = {}): RentfoldProcess {
    this.#program = new RentfoldProcess({
      RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: this.#stage.kafka.brokers.join(','), RENTFOLD_KAFKA_TOPICS: this.topics, RENTFOLD_KAFKA_GROUP: `rentfold-${this.plan.name}`,
      RENTFOLD_STORE: 'local', RENTFOLD_STORE_DIR: this.storeFolder, RENTFOLD_FISCAL_YEAR_START_MONTH: String(this.plan.fiscalMonth),
      RENTFOLD_CHECKPOINT_SECONDS: '1', RENTFOLD_CHECKPOINT_CHANGES: '100',
      ...(this.plan.isAvro === true ? { RENTFOLD_SCHEMA_REGISTRY_URL: this.#stage.registryProxy.endpoint } : {}), ...settings,
    });
    return this.#program;
  }

  /** Starts the workload. While the connector takes its snapshot of MariaDB no table may be truncated: the snapshot would fail, and be taken anew without the rows deleted meanwhile. */
  work(seed: number, isSnapshot: boolean): Promise<Workload> {
    return startWorkload(this.database, this.plan.dialect, seed, !isSnapshot || this.plan.dialect === 'postgres');
  }

  /**
   * A marked moment: the workload rests, everything up to a marker row was sent by the connector, and rentfold stands at the ends of all partitions. Then every
   * figure must be SQL's. Answers how many accounts were compared.
   */
  async compare(): Promise<number> {
    await this.sent();
    await this.caughtUp(this.program);
    return this.program.showingLog(() => compareWithSql(this.program, this.database, this.plan.fiscalMonth));
  }

  /** Waits until the connector has sent everything up to now and Kafka has taken it: its kept position is behind a marker row. */
  async sent(): Promise<void> {
    const before = await this.#databasePosition();
    const id = -(++this.#markers);
    await this.database.query(`INSERT INTO expenses (id, property_id, date, amount, expense_type) VALUES (${id}, 'marker', DATE '2024-01-01', 1, 'tax')`);
    await until(async () => await this.#connectorPosition() >= before, SENT_MS);
  }

  /** Waits until a rentfold stands at the ends of all partitions, and has seen every marker. */
  async caughtUp(program: RentfoldProcess): Promise<void> {
    const ends = await this.#stage.ends(this.plan.name);
    await program.ready();
    await program.until('stands at the ends of all partitions', async () => {
      const { partitions } = await program.status() as unknown as { partitions: readonly { topic: string; partition: string; position: string }[] };
      return [...ends].every(([name, end]) => partitions.some((one) => `${one.topic}/${one.partition}` === name && Number(one.position) >= end));
    });
    // The connector's kept position may be that of the change before the marker.
    const markers = String((await this.database.query("SELECT COUNT(*) AS n FROM expenses WHERE property_id = 'marker'"))[0]!['n']);
    await program.until(`has seen ${markers} markers`, async () => {
      const { body } = await program.get('/financial-performance/marker?as_of=2024-01-01');
      return (body as { cumulative_tax?: string }).cumulative_tax === markers;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** End of the database's log: bytes for Postgres, file number and place for MariaDB. */
  async #databasePosition(): Promise<number> {
    if (this.plan.dialect === 'postgres') return Number((await this.database.query("SELECT (pg_current_wal_lsn() - '0/0')::text AS lsn"))[0]!['lsn']);
    const [row] = await this.database.query('SHOW MASTER STATUS');
    return binlogPlace(String(row!['File']), Number(row!['Position']));
  }

  /** Place up to which the connector knows that everything was taken; -1 before it said so, and while it cannot be asked. */
  async #connectorPosition(): Promise<number> {
    const offset = await this.#stage.connect.offsets(this.plan.name).catch(() => null) as { lsn?: number; file?: string; pos?: number; snapshot?: unknown } | null;
    if (offset === null) return -1;
    return this.plan.dialect === 'postgres' ? offset.lsn ?? -1 : binlogPlace(offset.file ?? '0', offset.pos ?? -1);
  }
}

/** One number that orders places of a binlog. */
function binlogPlace(file: string, position: number): number {
  return Number(/\d+$/.exec(file)?.[0] ?? 0) * 1e12 + position;
}
