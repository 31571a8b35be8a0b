import { randomBytes } from 'node:crypto';
import { RentfoldError } from '../errors.ts';

/**
 * Names of everything a checkpoint store holds, in one place: making them and recognising them.
 * A generation is a positive whole number, written with ten digits so that name order is number order.
 */

/** Digits of a generation in a name. */
const GENERATION_DIGITS = 10;
/** Highest generation that can be named. */
export const GENERATION_MAX = 10 ** GENERATION_DIGITS - 1;

const LINEAGE = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;
const WRITER = /^[a-z0-9]{4,32}$/;
const MANIFEST = /^(\d{10})\.json$/;
const DATA = /^(\d{10})-([a-z0-9]{4,32})-(\d{1,9})\.arrow$/;
const LETTERS = /^(\d{10})-([a-z0-9]{4,32})(?:-(\d{1,9}))?\.dead-letters\.jsonl$/;

/** The names below one prefix, e.g. `cdc/financial_performance/`. */
export interface Names {
  /** Everything of ours. */
  readonly prefix: string;
  /** Which lineage is served. */
  readonly current: string;
  /** The parquet file that others read. */
  readonly parquet: string;
  /** Folder of what stood in that file's place before and was not ours. */
  readonly legacy: string;
  /** Says that rentfold has written the parquet file once. */
  readonly parquetWritten: string;
  /** Folder of all lineages. */
  readonly checkpoints: string;
  /** Folder of one lineage. */
  lineage(lineage: string): string;
  manifest(lineage: string, generation: number): string;
  /** Full name of a data file of a lineage. */
  file(lineage: string, fileName: string): string;
}

/** Names below a folder path; an empty prefix or one ending in `/`. */
export function createNames(prefix: string): Names {
  if (prefix !== '' && !prefix.endsWith('/')) throw new RentfoldError('UNEXPECTED', `the store prefix "${prefix}" must end in "/"`);
  const checkpoints = `${prefix}checkpoints/`;
  const folder = (lineage: string): string => `${checkpoints}${checkedLineage(lineage)}/`;
  return {
    prefix,
    current: `${checkpoints}current.json`,
    parquet: `${prefix}financial_performance_current.parquet`,
    legacy: `${prefix}legacy/`,
    parquetWritten: `${prefix}legacy/first-written.json`,
    checkpoints,
    lineage: folder,
    manifest: (lineage, generation) => `${folder(lineage)}${generationText(generation)}.json`,
    file: (lineage, fileName) => {
      if (parseFileName(fileName) === null) throw new RentfoldError('UNEXPECTED', `"${fileName}" is no name of a checkpoint file`);
      return folder(lineage) + fileName;
    },
  };
}

/** Ten digits; throws for what is no generation. */
export function generationText(generation: number): string {
  if (!Number.isInteger(generation) || generation < 1 || generation > GENERATION_MAX) throw new RentfoldError('UNEXPECTED', `${generation} is no generation`);
  return String(generation).padStart(GENERATION_DIGITS, '0');
}

/** A new lineage's id: sortable by the time it began, and random, so that two never meet. */
export function createLineageId(now: number): string {
  return `${new Date(now).toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
}

/** A new writer's id; every process takes one. */
export function createWriterId(): string {
  return randomBytes(6).toString('hex');
}

/** Whether a text has the form of a lineage's id. */
export function isLineageId(text: string): boolean {
  return LINEAGE.test(text);
}

/** Whether a text has the form of a writer's id. */
export function isWriterId(text: string): boolean {
  return WRITER.test(text);
}

function checkedLineage(lineage: string): string {
  if (!isLineageId(lineage)) throw new RentfoldError('UNEXPECTED', `"${lineage}" is no lineage id`);
  return lineage;
}

/** File name of a segment's part. `number` rises inside one writer and is never used twice. */
export function dataFileName(generation: number, writer: string, number: number): string {
  return `${generationText(generation)}-${writer}-${number}.arrow`;
}

/** File name of a generation's open dead letters; `attempt` above 0 after a write whose outcome was lost. */
export function lettersFileName(generation: number, writer: string, attempt: number): string {
  return `${generationText(generation)}-${writer}${attempt === 0 ? '' : `-${attempt}`}.dead-letters.jsonl`;
}

/** What a file name inside a lineage's folder says, or null when it is none of ours. */
export interface FileName {
  readonly kind: 'manifest' | 'data' | 'dead-letters';
  readonly generation: number;
  /** Null for manifests: their writer is inside. */
  readonly writer: string | null;
}

/** Recognises a file name inside a lineage's folder. */
export function parseFileName(name: string): FileName | null {
  const manifest = MANIFEST.exec(name);
  if (manifest !== null) return named('manifest', manifest[1], null);
  const data = DATA.exec(name);
  if (data !== null) return named('data', data[1], data[2]);
  const letters = LETTERS.exec(name);
  return letters === null ? null : named('dead-letters', letters[1], letters[2]);
}

function named(kind: FileName['kind'], digits: string, writer: string | null): FileName | null {
  const generation = Number(digits);
  return generation === 0 ? null : { kind, generation, writer };
}
