import { dateText } from '../change/dates.ts';
import type { Control } from '../control.ts';
import type { Logger } from '../runtime/log.ts';
import type { ParquetOutcome } from '../snapshot/checkpointer.ts';

/** Tells the log and the control state what became of the parquet file. What another program wrote is said once per content. */
export function createParquetEvents(log: Logger, control: Control, warned: (warning: { readonly code: string; readonly message: string }) => void): (outcome: ParquetOutcome) => void {
  let foreignTag: string | null = null;
  return (outcome) => {
    switch (outcome.kind) {
      case 'written':
        control.parquet({ kind: 'there', isNew: true, file: fileOf(outcome) });
        if (outcome.copiedTo !== null) log.info({ copy: outcome.copiedTo }, `[FP-CACHE] What another program had written was copied to ${outcome.copiedTo} first`);
        log.info(
          { generation: outcome.generation, as_of: dateText(outcome.asOf), accounts: outcome.accounts, bytes: outcome.bytes, ms: Math.round(outcome.ms), outOfRange: outcome.outOfRange },
          `[FP-CACHE] Parquet file: generation ${outcome.generation} as of ${dateText(outcome.asOf)}, ${outcome.accounts} accounts, ${outcome.bytes} bytes`,
        );
        return;
      case 'current':
        control.parquet({ kind: 'there', isNew: false, file: fileOf(outcome) });
        return;
      case 'left':
        control.parquet({ kind: 'not-written', isFailure: false, error: outcome.why === 'foreign' ? `PARQUET_FOREIGN: ${outcome.message}` : outcome.message });
        if (outcome.why === 'foreign' && outcome.tag !== foreignTag) warned({ code: 'PARQUET_FOREIGN', message: outcome.message });
        else log.debug(`the parquet file is left as it is: ${outcome.message}`);
        foreignTag = outcome.why === 'foreign' ? outcome.tag : null;
        return;
      case 'failed': {
        const reason = `${outcome.error.code}: ${outcome.error.message}`;
        control.parquet({ kind: 'not-written', isFailure: true, error: reason });
        warned({ code: 'PARQUET_FAILED', message: `the parquet file was not written: ${reason}; the one before it stays, and it is tried again` });
      }
    }
  };
}

function fileOf({ generation, asOf, at, accounts }: Extract<ParquetOutcome, { kind: 'written' | 'current' }>): { generation: number; asOf: number; at: number; accounts: number } {
  return { generation, asOf, at, accounts };
}
