import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What a process took. */
export interface Measured {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  /** Most resident memory it held. */
  readonly memoryMaxMegabytes: number;
}

const ROOT = resolve(import.meta.dirname, '../..');
const SAMPLE_MS = 50;
const TICKS_PER_SECOND = 100;

/** Runs Node on a file of this project and reads from the system what it takes, up to the last 50 ms before its end. */
export async function runMeasured(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Measured> {
  const begin = performance.now();
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  let usage = { cpuSeconds: 0, memoryMaxMegabytes: 0 };
  const sampling = setInterval(() => { usage = usageOf(child.pid!) ?? usage; }, SAMPLE_MS);
  await once(child, 'close');
  clearInterval(sampling);
  return { code: child.exitCode, stdout, stderr, seconds: (performance.now() - begin) / 1_000, ...usage };
}

/** Processor time so far and most resident memory of a living process; null when it is gone. */
export function usageOf(pid: number): { cpuSeconds: number; memoryMaxMegabytes: number } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, memoryMaxMegabytes: Math.round(Number(kilobytes) / 1_000) };
  } catch {
    return null;
  }
}

/** Rates and memory of several runs over the same number of events, the median of each, under names that begin with `name`. */
export function medians(name: string, events: number, runs: readonly Measured[]): Record<string, number> {
  const median = (figure: (run: Measured) => number): number => runs.map(figure).toSorted((a, b) => a - b)[runs.length >> 1];
  return {
    [`${name}_events_per_second`]: Math.round(events / median((run) => run.seconds)), [`${name}_events_per_cpu_second`]: Math.round(events / median((run) => run.cpuSeconds)),
    [`${name}_memory_max_megabytes`]: median((run) => run.memoryMaxMegabytes),
  };
}
