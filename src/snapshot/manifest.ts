import { RentfoldError } from '../errors.ts';
import type { DecodeOptions } from '../change/decoder.ts';
import type { ControlTotals, Definitions, TruncateMark } from '../ledger/ledger.ts';
import { messageOf } from '../runtime/message-of.ts';
import type { StateSeed } from '../state.ts';
import { Damage } from './damage.ts';
import { manifestShape } from './manifest-shape.ts';
import { seal, unseal } from './sealed.ts';
import type { SegmentEntry } from './segment.ts';
import { ShapeError } from './shape.ts';

/** One generation of the checkpoint: positions, and the immutable files that hold the rows as of them. */
export interface Manifest extends StateSeed {
  readonly lineage: string;
  /** 1 and up; rises by one with every checkpoint, by more after an unusable one. */
  readonly generation: number;
  /** Generation this one follows; null for the first. */
  readonly parent: number | null;
  /** Id of the process that wrote it. */
  readonly writer: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly source: SourceIdentity;
  /** True once the lineage has been folded up to an end of the log seen at a start. */
  readonly caughtUpOnce: boolean;
  /** Stretches of the log known to be missing, in words. Not empty: every answer is incomplete. */
  readonly incompleteHistory: readonly string[];
  /** What decided how records were read. */
  readonly decoding: DecodeOptions;
  readonly definitions: RecordedDefinitions;
  /** Parts of the state by row shard; today one, of all shards. */
  readonly parts: readonly [ManifestPart];
}

/** Which log the state was read from. */
export interface SourceIdentity {
  /** As the source names itself: a folder, a cluster id. */
  readonly identity: string;
  readonly topics: readonly { readonly topic: string; readonly partitions: number }[];
}

/** Rules the control totals were made by. Not part of what rows are: they may differ at the next start. */
export interface RecordedDefinitions extends Definitions {
  readonly rulesVersion: number;
}

/** Rows of a range of shards. */
export interface ManifestPart {
  readonly firstShard: number;
  readonly lastShard: number;
  /** A base first, if there is one, then deltas in the order they were made. */
  readonly segments: readonly SegmentEntry[];
  /** Null when no dead letter is open. */
  readonly deadLetters: LettersEntry | null;
  readonly marks: readonly TruncateMark[];
  readonly controlTotals: ControlTotals;
}

/** The file of open dead letters. */
export interface LettersEntry {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly count: number;
}

/** Raised when what a manifest holds or means changes. A store with a higher one is refused. Version 2 has `wholeEvents`. */
export const MANIFEST_VERSION = 2;
/** Raised when the rules R3–R6 sum rows differently: then recorded control totals are not compared. */
export const RULES_VERSION = 1;

const FORMAT = 'rentfold-manifest';

/** The manifest as a file, read back once: what could not be restored is not written. Throws UNEXPECTED then. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = seal(FORMAT, versionOf(manifest), manifest);
  try {
    readManifest(`generation ${manifest.generation}`, bytes);
  } catch (error) {
    throw new RentfoldError('UNEXPECTED', `the manifest to be written could not be read again: ${messageOf(error)}`, { cause: error });
  }
  return bytes;
}

/** The oldest version that has all that is to be written: a rentfold that knows no more reads it, and refuses what it does not know instead of calling it damaged. */
function versionOf({ wholeEvents }: Manifest): number {
  return wholeEvents === undefined ? 1 : MANIFEST_VERSION;
}

/**
 * Reads a manifest file. Throws `Damage` when it is altered or not what its name says (`lineage`, `generation`), and STORE_FOREIGN when a
 * newer version of rentfold wrote it.
 */
export function decodeManifest(file: string, bytes: Uint8Array, expected: { readonly lineage: string; readonly generation: number }): Manifest {
  const manifest = readManifest(file, bytes);
  if (manifest.lineage !== expected.lineage) throw new Damage(file, `it belongs to lineage ${manifest.lineage}`);
  if (manifest.generation !== expected.generation) throw new Damage(file, `it is generation ${manifest.generation} under another generation's name`);
  return manifest;
}

/** `decodeManifest` for a file whose place says nothing, e.g. a copy to be inspected. */
export function readManifest(file: string, bytes: Uint8Array): Manifest {
  const unsealed = unseal(FORMAT, bytes);
  if (unsealed.kind === 'unsound') throw new Damage(file, unsealed.reason);
  if (unsealed.version > MANIFEST_VERSION) {
    throw new RentfoldError('STORE_FOREIGN', `${file} has format version ${unsealed.version}, this rentfold reads up to ${MANIFEST_VERSION}: use the version that wrote it, or another store`);
  }
  try {
    return manifestShape(unsealed.body, '');
  } catch (error) {
    if (error instanceof ShapeError) throw new Damage(file, error.message);
    throw error;
  }
}

/** File names that a manifest names. */
export function namedFiles(manifest: Manifest): string[] {
  return manifest.parts.flatMap((part) => [
    ...part.segments.flatMap((segment) => [segment.rows.name, segment.accounts.name]),
    ...(part.deadLetters === null ? [] : [part.deadLetters.name]),
  ]);
}
