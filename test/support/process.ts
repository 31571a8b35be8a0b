import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseExactly } from './exact-json.ts';

/**
 * The real program as a child process: started with options by environment, asked over HTTP, killed, started again. Its log is kept and shown
 * when something goes wrong. `await using` ends it whatever happens.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What `npm run rentfold` gives Node before the command: flags and `src/main.ts`. */
export const MAIN: readonly string[] = (JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: { rentfold: string } }).scripts.rentfold.split(' ').slice(1);
const READY_MS = 60_000;
const POLL_MS = 15;

/** Children of this test run that still live; none outlives it. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed body; numbers are kept as their source text. Null when the body is not JSON. */
  readonly body: unknown;
  readonly text: string;
}

export class RentfoldProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #log = '';
  #url: string | null = null;

  /** Starts `rentfold serve` (or another command) with nothing in its environment but what is given. */
  constructor(environment: Readonly<Record<string, string>>, command: readonly string[] = ['serve']) {
    this.#child = spawn(process.execPath, [...MAIN, ...command], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, RENTFOLD_PORT: '0', RENTFOLD_LOG_FORMAT: 'json', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(this.#child);
    this.#exited = once(this.#child, 'close').then(() => children.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
  }

  /** Everything it has written so far. */
  get log(): string {
    return this.#log;
  }

  /** Log lines that are JSON, parsed. */
  get logLines(): readonly Readonly<Record<string, unknown>>[] {
    return this.#log.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Exit code once it has ended by itself; null when a signal ended it. */
  async exitCode(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }

  /** Waits until it listens, and answers its address. */
  async url(): Promise<string> {
    await this.until('listens', () => {
      const line = this.#log.split('\n').slice(0, -1).find((candidate) => candidate.startsWith('{') && candidate.includes('"url"'));
      if (line !== undefined) this.#url = String((JSON.parse(line) as { url: string }).url);
      return Promise.resolve(this.#url !== null);
    });
    return this.#url ?? '';
  }

  async get(path: string): Promise<Answer> {
    const response = await fetch(`${this.#url ?? await this.url()}${path}`);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? parseExactly(text) : null, text };
  }

  /** Waits until `/health/ready` answers 200: restored, and folded up to the end seen at start. */
  async ready(): Promise<void> {
    await this.url();
    await this.until('is ready', async () => (await this.get('/health/ready')).status === 200);
  }

  /** Body of `/health/status`. */
  async status(): Promise<ProcessStatus> {
    return (await this.get('/health/status')).body as ProcessStatus;
  }

  /** Waits for a condition; fails with the log when it does not come about, or when the process ends first. A connection that breaks while the process lives is made again. */
  async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + READY_MS;
    for (;;) {
      let cause: unknown;
      try {
        if (await condition()) return;
      } catch (error) {
        cause = error;
      }
      if (this.hasEnded) throw new Error(`rentfold ended (code ${this.#child.exitCode}) before it ${what}.\n${this.#log}`, { cause });
      if (cause !== undefined && !isOfConnection(cause)) throw new Error(`rentfold could not be asked before it ${what}.\n${this.#log}`, { cause });
      if (performance.now() > deadline) throw new Error(`rentfold never ${what}.\n${this.#log}`, { cause });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Does something with it; a failure then shows the log. */
  async showingLog<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n--- log\n${this.#log}`, { cause: error });
    }
  }

  /** Sends a signal and waits for nothing. */
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    this.#child.kill(name);
  }

  /** Signal that ended it, or null. */
  get endedBy(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  /** Ends it by a signal and waits until it is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasEnded) await this.kill('SIGKILL');
  }
}

/** Codes of connections that were refused, reset or closed in the middle of an answer. */
const CONNECTION_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Whether `fetch` failed because of its connection: the code is that of the cause. */
function isOfConnection(error: unknown): boolean {
  return error instanceof TypeError && error.cause instanceof Error && CONNECTION_CODES.has(String((error.cause as { code?: unknown }).code));
}

/** The parts of `/health/status` that tests read; numbers are source text. */
export interface StatusBody {
  readonly records: RecordCounts;
  readonly partitions: readonly { readonly topic: string; readonly partition: string; readonly records: RecordCounts }[];
  readonly checkpoints: { readonly succeeded: string };
}

/** The same with what only a process has. */
export interface ProcessStatus extends StatusBody {
  readonly phase: string;
  readonly role: 'publisher' | 'standby';
  readonly role_reason: string | null;
  readonly unpublished: {
    readonly rows: string;
    readonly since: string | null;
    readonly failures: string;
    readonly last_failure: { readonly attempt: string; readonly code: string; readonly message: string } | null;
  };
  readonly generation: string | null;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

export interface RecordCounts {
  readonly read: string;
  readonly applied: string;
  readonly unchanged: string;
  readonly superseded: string;
  readonly passed_over: string;
  readonly dead_letters: string;
}
