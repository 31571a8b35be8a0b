import { RentfoldError } from '../errors.ts';
import { Damage } from './damage.ts';
import { isLineageId } from './names.ts';
import { seal, unseal } from './sealed.ts';

/** `current.json`: which lineage is served. Made with the first checkpoint; changed only by promote and rollback, always against the tag read. */
export interface Current {
  readonly lineage: string;
  /** When this was written, milliseconds since 1970. */
  readonly changedAt: number;
}

const FORMAT = 'rentfold-current';
const VERSION = 1;

/** `current.json` as a file. */
export function encodeCurrent(current: Current): Uint8Array {
  return seal(FORMAT, VERSION, { lineage: current.lineage, changedAt: current.changedAt });
}

/** Throws `Damage`, or STORE_FOREIGN for a newer version. */
export function decodeCurrent(file: string, bytes: Uint8Array): Current {
  const unsealed = unseal(FORMAT, bytes);
  if (unsealed.kind === 'unsound') throw new Damage(file, unsealed.reason);
  if (unsealed.version > VERSION) throw new RentfoldError('STORE_FOREIGN', `${file} has format version ${unsealed.version}, this rentfold reads up to ${VERSION}: use the version that wrote it`);
  const { lineage, changedAt } = unsealed.body;
  if (typeof lineage !== 'string' || !isLineageId(lineage) || typeof changedAt !== 'number') throw new Damage(file, 'it names no lineage');
  return { lineage, changedAt };
}
