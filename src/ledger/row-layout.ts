import type { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from './ledger.ts';

/**
 * Row images, packed: 80 bytes a row, interleaved so that one row lies in two cache lines, in chunks of 65 536 rows. No object per
 * row, nothing for the garbage collector to walk. Fields by word:
 *
 * | words | field |
 * |---|---|
 * | 0–3 | key |
 * | 4 | position head (6 bits), table (2), key kind (3), state (2), row flag (1), exported (1), partition (upper 16) |
 * | 5 | expense type (lower 16), epoch (upper 16) |
 * | 6 | account |
 * | 7 | day |
 * | 8–9 | amount, of a deleted row when it was folded |
 * | 10–11 | latest commit time |
 * | 12–13 | offset |
 * | 14–17 | position words 1–4 |
 * | 18, 19 | next and previous row of the property's chain, plus one |
 *
 * Position words 5 and 6 (binlog server, SQL Server, change event streaming) live in a side column that a chunk gets when it needs one.
 */
export const ROW_WORDS = 20;
export const ROW_DOUBLES = ROW_WORDS / 2;
export const CHUNK_BITS = 16;
export const CHUNK_ROWS = 1 << CHUNK_BITS;
export const CHUNK_MASK = CHUNK_ROWS - 1;

export const META = 4;
export const TYPE = 5;
export const ACCOUNT = 6;
export const DAY = 7;
export const AMOUNT = 4;
export const TIME = 5;
export const OFFSET = 6;
export const POSITION = 14;
export const NEXT = 18;
export const PREVIOUS = 19;

export const HEAD_MASK = 0x3f;
export const TABLE_SHIFT = 6;
export const TABLE_MASK = 3;
export const KIND_SHIFT = 8;
export const KIND_MASK = 7;
export const KEY_MASK = (TABLE_MASK << TABLE_SHIFT) | (KIND_MASK << KIND_SHIFT);
export const STATE_SHIFT = 11;
export const STATE_MASK = 3;
export const FLAG_BIT = 1 << 13;
export const EXPORTED_BIT = 1 << 14;
export const PARTITION_SHIFT = 16;
export const EPOCH_MASK = 0xffff0000;

/** A slot that holds no row. */
export const ROW_FREE = 3;
/** Row states: live, deleted (remembered), forgotten (its key is dropped once a cut has said so), free slot. */
export type RowState = typeof ROW_LIVE | typeof ROW_DELETED | typeof ROW_FORGOTTEN | typeof ROW_FREE;
/** `account` of a row without one, also in exported blocks. */
export const NO_ACCOUNT = 0xffffffff;
/** Own number of "no expense type". */
export const NO_TYPE = 0xffffffff;
/** How a row says it has none, and that its type's number stands in a side table because sixteen bits do not hold it. */
export const TYPE_NONE = 0xffff;
export const TYPE_RARE = 0xfffe;
