import type { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { oneLine } from './one-line.ts';

export type { Logger } from 'pino';

/** How the log is written. */
export interface LogOptions {
  readonly level: string;
  /** `text` for people, `json` for machines, `auto` takes text on a terminal. */
  readonly format: 'auto' | 'json' | 'text';
  readonly isTerminal: boolean;
  /** False: no colours, not even on a terminal. */
  readonly hasColours: boolean;
  /** Where to: standard output or standard error, or a stream that takes whole lines. */
  readonly to: 1 | 2 | Writable;
}

/** Lines kept while standard output takes none (a full disk); more are dropped. */
const KEPT_BYTES_MAX = 1 << 20;

/**
 * The program's logger: structured, a line an event. Nothing secret is ever handed to it. An output that is closed, or takes nothing for a while, costs
 * lines and nothing else.
 */
export function createLog(options: LogOptions): Logger {
  const text = options.format === 'text' || (options.format === 'auto' && options.isTerminal);
  const output = typeof options.to === 'number' ? pino.destination({ dest: options.to, sync: true, maxLength: KEPT_BYTES_MAX }) : options.to;
  output.on('error', () => undefined);
  // Messages name tables and topics as they came: as text for people they stay one line each. JSON escapes by itself.
  const stream = text
    ? pretty({ colorize: options.isTerminal && options.hasColours, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true, sync: true, destination: output, messageFormat: (line, key) => oneLine(String(line[key] ?? '')) })
    : output;
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } }, stream);
}
