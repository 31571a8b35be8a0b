import type { Control } from '../control.ts';
import { partitionName } from '../source/positions.ts';
import type { Clock } from '../runtime/clock.ts';
import type { State } from '../state.ts';

/** How far a replay is. */
export interface Progress {
  /** Share of the offsets up to the end seen at start, 0 to 100, rounded down: 100 only when all is folded. */
  readonly percent: number;
  /** Records folded by this process. */
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Seconds left at the rate so far; null before anything was folded. */
  readonly secondsLeft: number | null;
}

/** Measures a replay whose log has been opened. */
export class ReplayMeter {
  readonly #parts: { readonly state: State; readonly control: Control; readonly clock: Clock };
  readonly #beganMs: number;
  readonly #readBefore: number;
  /** Offset at which each partition began, by name. */
  readonly #starts: ReadonlyMap<string, number>;

  constructor(parts: { readonly state: State; readonly control: Control; readonly clock: Clock }) {
    this.#parts = parts;
    this.#beganMs = parts.clock.monotonicMs();
    this.#readBefore = this.#read();
    this.#starts = new Map(Object.values(parts.control.state().partitions).map((partition) => [partitionName(partition), partition.next]));
  }

  measure(): Progress {
    const seconds = (this.#parts.clock.monotonicMs() - this.#beganMs) / 1000;
    const events = this.#read() - this.#readBefore;
    let total = 0;
    let left = 0;
    for (const partition of Object.values(this.#parts.control.state().partitions)) {
      if (partition.endAtStart === null) continue;
      total += Math.max(0, partition.endAtStart - (this.#starts.get(partitionName(partition)) ?? 0));
      left += Math.max(0, partition.endAtStart - partition.next);
    }
    const done = total - left;
    return {
      percent: total === 0 ? 100 : Math.floor((100 * done) / total), events, seconds, eventsPerSecond: seconds > 0 ? Math.round(events / seconds) : 0,
      secondsLeft: done > 0 ? (seconds * left) / done : null,
    };
  }

  #read(): number {
    return this.#parts.state.counters().reduce((sum, { read }) => sum + read, 0);
  }
}
