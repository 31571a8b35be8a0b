import type { LogRecord } from './history-log.ts';
import type { Random } from './history-random.ts';

/**
 * How messages say which piece of an event they are: by the current names or the older ones, counted from 0 or from 1, with the number of
 * pieces or of cuts as total. The documentation leaves it open.
 */
export const NAMINGS = ['segments from 0', 'segments from 1', 'splits from 0', 'splits from 1', 'cuts from 0'] as const;
export type Naming = (typeof NAMINGS)[number];

type Message = Readonly<Record<string, unknown>>;

/** Text that is escaped once, twice and three times in a message, and that takes two units a character. */
const AWKWARD = 'a "quoted" \\ line\n\u0000 ü 🏠🏘️ é \u2028';

/** True for a change event of SQL Server. */
export function isChangeEvent({ value }: LogRecord): boolean {
  return value?.includes('com.microsoft.SQL.CES') ?? false;
}

/** The event with its data as text, as it must be to be cut, and with an awkward text in columns that no figure is made of. */
export function withAwkwardText(value: string): string {
  const message = JSON.parse(value) as Message;
  const data = parsed(message['data']);
  const row = data['eventrow'] as Record<string, unknown>;
  const current = parsed(row['current']);
  if (Object.keys(current).length > 0) row['current'] = JSON.stringify({ memo: AWKWARD, ...current, notes: AWKWARD });
  return JSON.stringify({ ...message, data: JSON.stringify(data) });
}

/** An object that is given as one, as its JSON text, or as null. */
function parsed(value: unknown): Record<string, unknown> {
  return (typeof value === 'string' ? JSON.parse(value) : value ?? {}) as Record<string, unknown>;
}

/** The event's message in at most so many pieces: its text cut at random, anywhere, also inside escapes and between the halves of a character. */
export function splitEvent(value: string, piecesMax: number, naming: Naming, random: Random): string[] {
  const all = JSON.parse(value) as Message;
  const data = all['data'] as string;
  const message = Object.fromEntries(Object.entries(all).filter(([name]) => !/^(segment|final|split)/.test(name)));
  const cuts = new Set(Array.from({ length: piecesMax - 1 }, () => 1 + random.below(data.length - 1)));
  const bounds = [0, ...[...cuts].sort((a, b) => a - b), data.length];
  const pieces = bounds.length - 1;
  return Array.from({ length: pieces }, (_, piece) =>
    JSON.stringify({ ...message, id: `${String(message['id'])}-${piece}`, ...marksOf(naming, piece, pieces), data: data.slice(bounds[piece], bounds[piece + 1]) }));
}

function marksOf(naming: Naming, piece: number, pieces: number): object {
  switch (naming) {
    case 'segments from 0': return { segmentindex: piece, finalsegment: piece === pieces - 1 };
    case 'segments from 1': return { segmentindex: piece + 1, finalsegment: piece === pieces - 1 };
    case 'splits from 0': return { splitindex: piece, splittotalcnt: pieces };
    case 'splits from 1': return { splitindex: piece + 1, splittotalcnt: pieces };
    case 'cuts from 0': return { splitindex: piece, splittotalcnt: pieces - 1 };
  }
}

export interface SplitOptions {
  readonly naming: Naming;
  readonly partitions: number;
  /** Of an event to be split, and of a piece to be sent again soon after. */
  readonly splitChance: number;
  readonly repeatChance: number;
}

/** A log whose events are split, with what each record holds: which event, and which piece of it (-1: the whole). */
export interface SplitLog {
  readonly partitions: readonly (readonly LogRecord[])[];
  readonly holds: ReadonlyMap<LogRecord, { readonly event: number; readonly piece: number }>;
}

/** Sends the events of a log once more, as a producer does that splits them, takes any partition for each message, and sends some twice. */
export function splitLog(events: readonly LogRecord[], options: SplitOptions, random: Random): SplitLog {
  const partitions: LogRecord[][] = Array.from({ length: options.partitions }, () => []);
  const holds = new Map<LogRecord, { event: number; piece: number }>();
  const send = (like: LogRecord, value: string | null, event: number, piece: number): void => {
    const partition = random.below(options.partitions);
    const record = { ...like, partition, offset: partitions[partition].length, value };
    partitions[partition].push(record);
    holds.set(record, { event, piece });
  };
  let again: (() => void)[] = [];
  events.forEach((event, number) => {
    const { value } = event;
    if (value === null || !isChangeEvent(event) || !random.chance(options.splitChance)) send(event, value, number, -1);
    else {
      const pieces = splitEvent(value, 2 + random.below(4), options.naming, random);
      pieces.forEach((text, piece) => {
        const sending = (): void => send(event, text, number, piece);
        sending();
        if (random.chance(options.repeatChance)) again.push(sending);
      });
    }
    if (random.chance(0.3)) {
      for (const sending of again) sending();
      again = [];
    }
  });
  return { partitions, holds };
}
