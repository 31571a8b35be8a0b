import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { OwnInstance } from './service.ts';

/**
 * A server as a child process under a guardian: a shell that leads a process group of its own and reads a pipe from this process. A line on the
 * pipe is a signal to pass on; the end of the pipe, which comes however this process ends, kills the group and removes the data.
 */

const GUARDIAN = `
folder=$1; shift
"$@" 3<&- & child=$!
( while read -r signal <&3; do kill -s "$signal" "$child"; done; kill -KILL "$child"; rm -rf "$folder"; kill -KILL 0 ) 2>/dev/null & reader=$!
wait "$child"; code=$?
kill -KILL "$reader" 2>/dev/null
exit "$code"`;
const READY_MS = 120_000;
const STOP_MS = 20_000;
const POLL_MS = 25;
const LOG_TAIL_LINES = 40;

/** What runs, and how one sees that it is ready. */
export interface GuardedCommand {
  /** For messages: `Kafka broker 1`. */
  readonly name: string;
  readonly command: readonly string[];
  /** Its data; removed when this process ends without having ended it. */
  readonly folder: string;
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** True once it answers; called again until then. `log` is what this start has written. */
  ready(log: string): boolean | Promise<boolean>;
}

/** One server under a guardian. */
export class GuardedProcess implements OwnInstance {
  readonly #command: GuardedCommand;
  #child: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #logStart = 0;

  private constructor(command: GuardedCommand) {
    this.#command = command;
  }

  /** Starts it and returns when it is ready; fails with its last log lines when it ends before, or is not ready within two minutes. */
  static async start(command: GuardedCommand): Promise<GuardedProcess> {
    const started = new GuardedProcess(command);
    try {
      await started.#launch();
    } catch (error) {
      await started.kill();
      throw error;
    }
    return started;
  }

  /** Process id of the guardian, which is its group's. */
  get pid(): number {
    return this.#child!.pid!;
  }

  get runs(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    this.#pass('KILL');
    await this.#ended;
  }

  /** Asks it to end by a signal and waits; kills it when it takes longer than 20 s. */
  async stop(signal: 'TERM' | 'INT' = 'TERM'): Promise<void> {
    this.#pass(signal);
    const timer = setTimeout(() => this.#pass('KILL'), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.#launch();
  }

  pause(): void {
    this.#pass('STOP');
  }

  resume(): void {
    this.#pass('CONT');
  }

  async logs(): Promise<string> {
    return readFile(this.#command.logFile, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #pass(signal: string): void {
    if (this.runs) (this.#child!.stdio[3] as Writable).write(`${signal}\n`);
  }

  async #launch(): Promise<void> {
    const { command, folder, logFile, environment } = this.#command;
    const log = openSync(logFile, 'a');
    this.#logStart = (await readFile(logFile)).length;
    const child = spawn('/bin/sh', ['-c', GUARDIAN, 'guardian', folder, ...command], {
      cwd: folder, detached: true, stdio: ['ignore', log, log, 'pipe'], env: { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: 'C.UTF-8', ...environment },
    });
    closeSync(log);
    this.#child = child;
    this.#ended = once(child, 'close');
    child.stdio[3]!.on('error', () => undefined);
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + READY_MS;
    for (;;) {
      const log = (await readFile(this.#command.logFile)).subarray(this.#logStart).toString();
      if (await this.#command.ready(log)) return;
      const tail = log.split('\n').slice(-LOG_TAIL_LINES).join('\n');
      if (!this.runs) throw new Error(`${this.#command.name} ended (code ${this.#child?.exitCode}) before it was ready.\n${tail}`);
      if (performance.now() > deadline) throw new Error(`${this.#command.name} was not ready within ${READY_MS / 1000} s.\n${tail}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** What a test may do to an instance of its own; it is ended, and its data removed, with its scope. */
export function ownInstance(server: GuardedProcess, removeData: () => Promise<void>): OwnInstance {
  return {
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    logs: () => server.logs(),
    [Symbol.asyncDispose]: async () => {
      await server.kill();
      await removeData();
    },
  };
}
