import { dateText } from '../change/dates.ts';
import { sortedPartitions } from '../control-state.ts';
import { oneLine } from '../runtime/one-line.ts';
import { sumsText } from '../snapshot/sums-text.ts';
import { partitionName } from '../source/positions.ts';
import type { OpenedLog } from '../source/source.ts';
import type { State } from '../state.ts';
import { missingTopicText, type Folding } from './folding.ts';
import { grouped } from './numbers.ts';
import type { Progress } from './replay-meter.ts';

/** What the summary of a finished replay is made of. */
export interface SummaryParts {
  readonly folding: Folding;
  readonly state: State;
  readonly opened: OpenedLog;
  readonly progress: Progress;
}

/** What a finished replay has to say, for people. Counts are of the whole history, also when the replay was gone on with; the rate is of this process. */
export function summaryText(parts: SummaryParts): string {
  const { folding, state, opened, progress } = parts;
  const control = folding.control.state();
  const read = state.counters().reduce((sum, counters) => sum + counters.read, 0);
  const lines = [`replayed ${oneLine(opened.identity)} into ${folding.parts.store.place}`];
  const add = (name: string, text: string): void => void lines.push(`  ${name.padEnd(14)}  ${text}`);
  const earlier = read === progress.events ? '' : `; ${grouped(read - progress.events)} more before it was gone on with`;
  add('events', `${grouped(progress.events)} read in ${progress.seconds.toFixed(1)} s, ${grouped(progress.eventsPerSecond)} a second${earlier}`);
  outcomeLines(state).forEach(([name, text]) => add(name, text));
  bookLines(state).forEach(([name, text]) => add(name, text));
  for (const gap of control.incompleteHistory) add('missing', `${oneLine(gap)}; every answer says complete: false`);
  if (control.generation === null) add('checkpoint', 'none: the log holds no record, so nothing was written. If it should, check where records are read from (rentfold config)');
  else add('checkpoint', `generation ${control.generation} of lineage ${control.lineage}; rentfold serve goes on from it`);
  const { file, error } = control.parquet;
  if (file !== null) add('parquet file', `${grouped(file.accounts)} accounts as of ${dateText(file.asOf)}`);
  else if (error !== null) add('parquet file', `not written: ${oneLine(error)}; rentfold serve tries again`);
  sortedPartitions(control).forEach((partition, index) => add(index === 0 ? 'positions' : '', `${oneLine(partitionName(partition))} ${partition.next}`));
  for (const topic of control.waitingTopics) lines.push(`warning: ${missingTopicText(topic, folding.parts.config.source)}`);
  return `${lines.join('\n')}\n`;
}

type Line = readonly [name: string, text: string];

/** What became of the records. */
function outcomeLines(state: State): Line[] {
  const counters = state.counters();
  const total = (name: 'applied' | 'unchanged' | 'superseded' | 'passedOver' | 'deadLetters'): number => counters.reduce((sum, each) => sum + each[name], 0);
  const reasons = new Map<string, number>();
  for (const { passedOverReasons } of counters) for (const [reason, count] of Object.entries(passedOverReasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  const letters = total('deadLetters');
  const open = new Map<string, number>();
  for (const { letter } of state.books.openDeadLetters()) open.set(letter.code, (open.get(letter.code) ?? 0) + 1);
  const openText = open.size === 0 ? 'all made good since' : `still open: ${listed(open)}; rentfold dead-letters list names them`;
  return [
    ['', `${grouped(total('applied'))} applied, ${grouped(total('unchanged'))} unchanged, ${grouped(total('superseded'))} superseded`],
    ['passed over', `${grouped(total('passedOver'))}${reasons.size === 0 ? '' : `: ${listed(reasons)}`}`],
    ['dead letters', `${grouped(letters)}${letters === 0 ? '' : `, ${openText}`}`],
  ];
}

/** What is known now. */
function bookLines(state: State): Line[] {
  const { rows, accounts, properties, incompleteProperties, outOfRangeAccounts } = state.books.counts();
  const totals = state.books.controlTotals();
  const units = accounts - properties;
  return [
    ['rows', `${grouped(rows.expenses)} expenses, ${grouped(rows.rents)} rents, ${grouped(rows.properties)} properties`],
    ['accounts', `${grouped(accounts)}: ${grouped(properties)} properties and ${grouped(units)} units; incomplete properties: ${grouped(incompleteProperties)}, accounts out of range: ${grouped(outOfRangeAccounts)}`],
    ['control totals', sumsText(totals)],
  ];
}

/** Counts by name, the greatest first. */
function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)).map(([name, count]) => `${grouped(count)} ${name}`).join(', ');
}
