import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { serve } from '../../src/cli/serve-command.ts';
import { loadConfig } from '../../src/config.ts';
import { RentfoldError } from '../../src/errors.ts';
import { createInlineWork, type SnapshotWork } from '../../src/snapshot/work.ts';
import { ManualClock, turns } from './manual-clock.ts';
import { MemoryStore, type MemoryPlace } from './memory-store.ts';
import { ScriptedIngest } from './scripted-ingest.ts';
import { PREFIX } from './snapshot-run.ts';

/** A store in memory that a test can make slow, full, or wrong to open. */
export class TroubledStore extends MemoryStore {
  /** Awaited by everything that looks into the store. */
  gate: Promise<void> = Promise.resolve();
  isFull = false;
  openError: Error | null = null;

  override open(): Promise<void> {
    return this.openError === null ? Promise.resolve() : Promise.reject(this.openError);
  }

  override async *list(prefix: string): AsyncIterable<{ readonly name: string; readonly size: number }> {
    await this.gate;
    yield* super.list(prefix);
  }

  override async create(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<'created' | 'exists'> {
    this.#needRoom(name);
    return await super.create(name, content);
  }

  override async replace(name: string, content: Uint8Array, tag: string | null): Promise<string | null> {
    this.#needRoom(name);
    return await super.replace(name, content, tag);
  }

  #needRoom(name: string): void {
    if (this.isFull) throw new RentfoldError('STORE_UNAVAILABLE', `could not write ${name}: the disk is full: make room (ENOSPC)`);
  }
}

/** `serve` in this process, over a store in memory, an ingest and a clock of the test's own. Asked over HTTP. */
export class ServeRun {
  readonly clock: ManualClock;
  readonly ingest = new ScriptedIngest();
  readonly store: TroubledStore;
  readonly shutdown = new AbortController();
  readonly lines: Record<string, unknown>[] = [];
  work: SnapshotWork;
  /** Resolves or rejects as `serve` does. */
  ended: Promise<void> = Promise.resolve();
  #hasEnded = false;

  /** `startedAt`: wall clock at the start, milliseconds. */
  constructor(place: MemoryPlace, startedAt?: number) {
    this.clock = new ManualClock(startedAt);
    this.store = new TroubledStore(place);
    this.work = createInlineWork(this.store);
  }

  start(environment: Readonly<Record<string, string>> = {}): this {
    const { config } = loadConfig({ environment: { RENTFOLD_PORT: '0', ...environment }, file: null, host: 'here', resolve: (path) => path });
    const log = pino({ level: 'info', base: null }, { write: (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) });
    this.ended = serve({
      config, log, clock: this.clock, store: this.store, work: this.work, ingest: this.ingest, prefix: PREFIX, versions: { rentfold: '0' }, hint: () => 'try it',
      shutdown: this.shutdown.signal,
    }).finally(() => { this.#hasEnded = true; });
    this.ended.catch(() => undefined);
    onTestFinished(async () => {
      this.shutdown.abort();
      await this.ended.catch(() => undefined);
    });
    return this;
  }

  get url(): string | undefined {
    return this.lines.find((line) => line.msg === 'listening')?.url as string | undefined;
  }

  /** Waits for something that comes without time passing. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 20_000; turn++) {
      if (await condition()) return;
      if (this.#hasEnded) break;
      await turns(1);
    }
    throw new Error(`never ${what}${this.#hasEnded ? ': it has ended' : ''}\n${this.lines.map((line) => JSON.stringify(line)).join('\n')}`);
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown>; readonly text: string }> {
    await this.until('listens', () => this.url !== undefined);
    const response = await fetch(`${this.url}${path}`, { headers: { connection: 'close' } });
    const text = await response.text();
    return { status: response.status, text, body: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) as Record<string, unknown> : {} };
  }

  async status(): Promise<Record<string, unknown>> {
    return (await this.get('/health/status')).body;
  }

  async ready(): Promise<void> {
    await this.until('ready', async () => (await this.get('/health/ready')).status === 200);
  }

  /** How often the log has this code. */
  said(code: string): number {
    return this.lines.filter((line) => line.code === code).length;
  }

  async end(): Promise<void> {
    this.shutdown.abort();
    await this.ended;
  }
}
