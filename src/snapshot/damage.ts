import { RentfoldError } from '../errors.ts';

/** A file of the store that cannot be trusted: missing, torn, altered, mixed up or foreign. Ends in a fall-back to the generation before it. */
export class Damage extends Error {
  override readonly name = 'Damage';
  /** Name of the file in the store. */
  readonly file: string;
  /** What is wrong with it, in words. */
  readonly reason: string;

  constructor(file: string, reason: string) {
    super(`${file}: ${reason}`);
    this.file = file;
    this.reason = reason;
  }
}

/** For commands that look at one file: damage as an error with a code; any other error as it is. */
export function damageAsError(error: unknown): unknown {
  return error instanceof Damage ? new RentfoldError('STORE_DAMAGED', error.message, { cause: error }) : error;
}
