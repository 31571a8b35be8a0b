import type { Totals } from '../../src/ledger/figure.ts';
import type { PartitionCounters, State } from '../../src/state.ts';
import type { Asked } from './check-answers.ts';
import type { Answer, RecordCounts, StatusBody } from './process.ts';

/** Lets a state answer as the program does, without HTTP: just enough for `checkCase`. */
export function askState(state: State): Asked {
  return {
    get: (path) => {
      const url = new URL(path, 'http://rentfold');
      return Promise.resolve(url.pathname === '/health/status' ? answer(200, statusOf(state)) : figuresOf(state, url));
    },
  };
}

function figuresOf(state: State, url: URL): Answer {
  const propertyId = decodeURIComponent(url.pathname.split('/')[2]);
  const asOf = Date.parse(url.searchParams.get('as_of') ?? '2026-01-01') / 86_400_000;
  const found = state.books.figures({ propertyId, unitId: url.searchParams.get('unit_id'), asOf });
  if (found.kind !== 'figures') return answer(found.kind === 'unknown' ? 404 : 503, null);
  const { figures } = found;
  return answer(200, {
    property_id: figures.propertyId,
    unit_id: figures.unitId,
    as_of: url.searchParams.get('as_of'),
    ...totalsOf('ytd', figures.ytd),
    ...totalsOf('cumulative', figures.cumulative),
    cash_on_cash: figures.cashOnCash === null ? null : decimal(figures.cashOnCash),
    units: figures.units?.map((unit) => ({
      unit_id: unit.unitId, ytd_profit_loss: decimal(unit.ytdProfitLoss), cumulative_profit_loss: decimal(unit.cumulativeProfitLoss),
    })) ?? null,
    complete: figures.complete,
  });
}

/** `totalRevenue` of the year to date is `ytd_total_revenue`. */
function totalsOf(prefix: string, totals: Totals): Record<string, string> {
  return Object.fromEntries(Object.entries(totals).map(([name, units]) =>
    [`${prefix}_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, decimal(units as number)]));
}

/** Plain decimal text of a count of 1/10 000. */
function decimal(units: number): string {
  const digits = String(Math.abs(units)).padStart(5, '0');
  return `${units < 0 ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

function statusOf(state: State): StatusBody {
  const counters = state.counters();
  const sum = (name: 'read' | 'applied' | 'unchanged' | 'superseded' | 'passedOver' | 'deadLetters'): number => counters.reduce((total, one) => total + one[name], 0);
  const all = { read: sum('read'), applied: sum('applied'), unchanged: sum('unchanged'), superseded: sum('superseded'), passedOver: sum('passedOver'), deadLetters: sum('deadLetters') };
  return {
    records: countsOf(all),
    partitions: counters.map((one) => ({ topic: one.topic, partition: String(one.partition), records: countsOf(one) })),
    checkpoints: { succeeded: '0' },
  };
}

function countsOf(counted: Pick<PartitionCounters, 'read' | 'applied' | 'unchanged' | 'superseded' | 'passedOver' | 'deadLetters'>): RecordCounts {
  const { read, applied, unchanged, superseded, passedOver, deadLetters } = counted;
  return {
    read: String(read), applied: String(applied), unchanged: String(unchanged), superseded: String(superseded),
    passed_over: String(passedOver), dead_letters: String(deadLetters),
  };
}

function answer(status: number, body: unknown): Answer {
  return { status, headers: new Headers(), body, text: JSON.stringify(body) };
}
