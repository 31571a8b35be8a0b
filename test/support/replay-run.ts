import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { replay } from '../../src/cli/replay-command.ts';
import type { ProgressLine } from '../../src/cli/replay-progress.ts';
import { loadConfig } from '../../src/config.ts';
import { createInlineWork } from '../../src/snapshot/work.ts';
import type { OpenedLog } from '../../src/source/source.ts';
import { ManualClock, turns } from './manual-clock.ts';
import type { MemoryPlace } from './memory-store.ts';
import { ScriptedIngest } from './scripted-ingest.ts';
import { TroubledStore } from './serve-run.ts';
import { PREFIX } from './snapshot-run.ts';

/** `replay` in this process, over a store in memory, an ingest and a clock of the test's own. */
export class ReplayRun {
  readonly clock = new ManualClock();
  readonly ingest = new ScriptedIngest();
  readonly store: TroubledStore;
  readonly shutdown = new AbortController();
  readonly lines: Record<string, unknown>[] = [];
  /** What a terminal's line showed, the text or null for taken away. */
  readonly drawn: (string | null)[] = [];
  /** Resolves with the summary or rejects, as `replay` does. */
  ended: Promise<string> = Promise.resolve('');

  constructor(place: MemoryPlace, opened: Partial<OpenedLog> = {}) {
    this.store = new TroubledStore(place);
    this.ingest.opening = () => Promise.resolve({ bounds: [], gaps: [], notes: [], identity: 'scripted', ...opened });
  }

  start(environment: Readonly<Record<string, string>> = {}, isTerminal = false): this {
    const { config } = loadConfig({ environment, file: null, host: 'here', resolve: (path) => path });
    const log = pino({ level: config.logLevel, base: null }, { write: (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) });
    const line: ProgressLine = { show: (text) => void this.drawn.push(text), clear: () => void this.drawn.push(null) };
    this.ended = replay({
      config, log, clock: this.clock, store: this.store, work: createInlineWork(this.store), ingest: this.ingest, prefix: PREFIX, shutdown: this.shutdown.signal,
      progressLine: isTerminal ? line : null,
    });
    this.ended.catch(() => undefined);
    onTestFinished(async () => {
      this.shutdown.abort();
      await this.ended.catch(() => undefined);
    });
    return this;
  }

  /** Waits for something that comes without time passing. */
  async until(what: string, condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 20_000 && !condition(); turn++) await turns(1);
    if (!condition()) throw new Error(`never ${what}\n${this.lines.map((line) => JSON.stringify(line)).join('\n')}`);
  }

  /** Messages of the log. */
  get messages(): readonly string[] {
    return this.lines.map(({ msg }) => String(msg));
  }
}
