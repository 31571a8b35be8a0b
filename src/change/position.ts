/**
 * Source positions, packed into POSITION_WORDS 32-bit words so that they can be compared without allocation.
 * A position says where in the source database's own log a change stands. (epoch, family, words.)
 *
 * Word 0: family in bits 0–3; bit 4 snapshot row; bit 5 the Postgres commit LSN was missing and replaced by the own one;
 * (not set for the rows of an incremental snapshot, which alone among snapshot rows come with a commit: so they can be told apart, for
 * their commit time is only when they were read); bits 16–31 the epoch (how many of RENTFOLD_SOURCE_EPOCHS lie at or before the commit time).
 *
 * | family | words 1–6 |
 * |---|---|
 * | 0 none | no position at all |
 * | 1 time | 1–2 `source.ts_ms` (high, low) |
 * | 2 postgres | 1–2 last commit LSN, or the own one; 3–4 own LSN |
 * | 3 binlog | 1 file number, 2–3 pos, 4 row, 5 server_id |
 * | 4 sqlserver | 1–3 commit_lsn (80 bits, then the first 16 of change_lsn), 4–5 the other 64 bits of change_lsn, 6 event_serial_no |
 * | 5 ces | 1–3 commit LSN (80 bits, then 16 zero bits), 4–5 sequence number |
 */
export const POSITION_NONE = 0;
export const POSITION_TIME = 1;
export const POSITION_POSTGRES = 2;
export const POSITION_BINLOG = 3;
export const POSITION_SQLSERVER = 4;
export const POSITION_CES = 5;

export const POSITION_FAMILY = 0x0f;
export const POSITION_SNAPSHOT = 0x10;
export const POSITION_COMMIT_MISSING = 0x20;
export const POSITION_EPOCH_SHIFT = 16;
