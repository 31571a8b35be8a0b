import type { ControlState } from '../control-state.ts';
import type { Control } from '../control.ts';
import { dayInZone } from '../change/dates.ts';
import type { FigureAnswer, FigureQuery } from '../ledger/figure.ts';
import type { BooksCounts } from '../ledger/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import type { PartitionCounters, State } from '../state.ts';

/** All that answers are made of. Everything is synchronous and taken from memory at the moment of the request. */
export interface ReadModel {
  /** Figures from the books; not to be called while the control state's phase is `restoring`. */
  figures(query: FigureQuery): FigureAnswer;
  counts(): BooksCounts;
  counters(): readonly PartitionCounters[];
  /** Newest commit time folded, milliseconds, or null. */
  newestChangeAt(): number | null;
  control(): ControlState;
  /** Epoch day of today in RENTFOLD_TIME_ZONE. */
  today(): number;
  /** Milliseconds since 1970. */
  now(): number;
}

export interface ReadModelParts {
  readonly state: Pick<State, 'books' | 'counters' | 'newestChangeAt'>;
  readonly control: Control;
  readonly clock: Pick<Clock, 'now'>;
  /** IANA name. */
  readonly timeZone: string;
}

/** The read model of a running process. */
export function createReadModel({ state, control, clock, timeZone }: ReadModelParts): ReadModel {
  return {
    figures: (query) => state.books.figures(query),
    counts: () => state.books.counts(),
    counters: () => state.counters(),
    newestChangeAt: () => state.newestChangeAt,
    control: () => control.state(),
    today: () => dayInZone(clock.now(), timeZone),
    now: () => clock.now(),
  };
}
