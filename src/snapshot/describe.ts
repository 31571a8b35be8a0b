import { RecordBatchReader, type RecordBatch } from 'apache-arrow';
import { messageOf } from '../runtime/message-of.ts';
import { Damage } from './damage.ts';
import { decodeCurrent } from './current.ts';
import { readManifest, type Manifest, type ManifestPart } from './manifest.ts';
import { fieldsText } from './segment-schema.ts';
import { sumsText } from './sums-text.ts';

/** What a checkpoint file says, in words, for a person who looks at one: `rentfold inspect`. */

/** Rows of a segment that are shown. */
const ROWS_SHOWN = 5;

/**
 * Lines that describe a manifest, `current.json`, a segment's Arrow file or a dead-letter file; the kind is found from the content. Throws
 * `Damage` for a file that is altered or none of these, STORE_FOREIGN for a newer version's.
 */
export function describeFile(file: string, bytes: Uint8Array): string[] {
  if (Buffer.from(bytes.subarray(0, 6)).toString('latin1') === 'ARROW1') return describeSegment(file, bytes);
  if (file.endsWith('.jsonl')) return describeLetters(file, bytes);
  if (file.endsWith('current.json')) {
    const { lineage, changedAt } = decodeCurrent(file, bytes);
    return [`lineage ${lineage} is served, since ${timeText(changedAt)}`];
  }
  return describeManifest(readManifest(file, bytes));
}

/** A manifest in words. */
function describeManifest(manifest: Manifest): string[] {
  const { counters, positions } = manifest;
  const total = (name: 'read' | 'applied' | 'unchanged' | 'superseded' | 'passedOver' | 'deadLetters'): number => counters.reduce((sum, one) => sum + one[name], 0);
  return [
    `generation ${manifest.generation} of lineage ${manifest.lineage}, ${manifest.parent === null ? 'the first' : `after generation ${manifest.parent}`}`,
    `written ${timeText(manifest.createdAt)} by writer ${manifest.writer}`,
    `source ${manifest.source.identity}: ${manifest.source.topics.map(({ topic, partitions }) => `${topic} (${partitions})`).join(', ') || 'nothing read yet'}`,
    `records: ${total('read')} read = ${total('applied')} applied + ${total('unchanged')} unchanged + ${total('superseded')} superseded + ${total('passedOver')} passed over + ${total('deadLetters')} dead letters`,
    `newest change ${manifest.newestChangeAt === null ? 'unknown' : timeText(manifest.newestChangeAt)}; ${manifest.caughtUpOnce ? 'has caught up with the log' : 'has not caught up with the log yet: no figures are served from it'}`,
    ...manifest.incompleteHistory.map((gap) => `incomplete history: ${gap}`),
    `read with time zone ${manifest.decoding.timeZone}, decimals ${manifest.decoding.decimals.kind === 'text' ? 'text' : `base64:${manifest.decoding.decimals.scale}`}, ${manifest.decoding.epochs.length} source epochs`,
    `definitions: rules ${manifest.definitions.rulesVersion}, fiscal year from month ${manifest.definitions.fiscalYearStartMonth}, deletes remembered ${manifest.definitions.deletedKeysDays} days`,
    ...manifest.parts.flatMap(describePart),
    ...positions.map((p) => `position ${p.topic}/${p.partition}: next offset ${p.next}${p.lastOffset === null ? '' : `, last record ${p.lastOffset}${p.lastTime === null ? '' : ` of ${timeText(p.lastTime)}`}${p.lastHash === null ? '' : `, hash ${p.lastHash}`}`}`),
  ];
}

function describePart(part: ManifestPart): string[] {
  const { controlTotals: totals } = part;
  return [
    `rows: ${totals.rows.expenses} expenses, ${totals.rows.rents} rents, ${totals.rows.properties} properties; ${totals.rememberedDeletes} remembered deletes, ${totals.truncateMarks} truncate marks`,
    `sums: ${sumsText(totals)}`,
    ...part.segments.flatMap(({ kind, rows, accounts }) => [
      `${kind} ${rows.name}: ${rows.rows} rows, ${rows.bytes} bytes, sha256 ${rows.sha256}`,
      `${kind} ${accounts.name}: ${accounts.rows} accounts, ${accounts.bytes} bytes, sha256 ${accounts.sha256}`,
    ]),
    part.deadLetters === null ? 'no open dead letters' : `dead letters ${part.deadLetters.name}: ${part.deadLetters.count} open, ${part.deadLetters.bytes} bytes, sha256 ${part.deadLetters.sha256}`,
  ];
}

function describeSegment(file: string, bytes: Uint8Array): string[] {
  let batches: RecordBatch[];
  try {
    batches = [...RecordBatchReader.from(bytes)];
  } catch (error) {
    throw new Damage(file, `not readable as an Arrow file (${messageOf(error)})`);
  }
  const schema = batches[0]?.schema;
  const rows = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  const shown = batches[0]?.toArray().slice(0, ROWS_SHOWN) ?? [];
  return [
    `${schema?.metadata.get('rentfold.format') ?? 'an Arrow file of something else'}, format version ${schema?.metadata.get('rentfold.version') ?? 'unknown'}`,
    `${rows} rows in ${batches.filter((batch) => batch.numRows > 0).length} batches`,
    `columns ${schema === undefined ? 'unknown' : fieldsText(schema.fields)}`,
    ...(schema?.metadata.has('rentfold.partitions') === true ? [`partitions ${schema.metadata.get('rentfold.partitions')}`] : []),
    ...shown.map((row) => JSON.stringify(row)),
  ];
}

function describeLetters(file: string, bytes: Uint8Array): string[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n').filter((line) => line !== '');
  try {
    const letters = lines.map((line) => JSON.parse(line) as { topic: string; partition: number; offset: number; code: string; message: string });
    return [`${letters.length} dead letters`, ...letters.map((letter) => `${letter.topic}/${letter.partition} offset ${letter.offset}: ${letter.code}, ${letter.message}`)];
  } catch {
    throw new Damage(file, 'a line is not JSON');
  }
}

function timeText(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? `${milliseconds} ms` : date.toISOString();
}
