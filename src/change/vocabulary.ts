import { Names, slotMap } from './names.ts';
import type { SlotMap } from './names.ts';

/** Slots of an object's own members that tell the formats apart. */
export const TOP_SCHEMA = 0;
export const TOP_PAYLOAD = 1;
export const TOP_OP = 2;
export const TOP_BEFORE = 3;
export const TOP_AFTER = 4;
export const TOP_SOURCE = 5;
export const TOP_DATA = 6;
export const TOP_SPECVERSION = 7;
export const TOP_TYPE = 8;
export const TOP_DATABASE = 9;
export const TOP_STATUS = 10;
export const TOP_ID = 11;
export const TOP_EVENT_COUNT = 12;
export const TOP_DDL = 13;
export const TOP_DATABASE_NAME = 14;
export const TOP_ROW_OP = 15;
export const TOP_ROW_DELETED = 16;
export const TOP_EVENT_OP = 17;
export const TOP_TS_MS = 18;
export const TOP_TS_US = 19;
export const TOP_TS_NS = 20;
export const TOP_ROW_TABLE = 21;
export const TOP_ROW_SEQUENCE = 22;
export const TOP_ROW_LSN = 23;
export const TOP_ROW_TS_MS = 24;
export const TOP_AGGREGATE_TYPE = 25;
export const TOP_MESSAGE = 26;
const TOP = [
  'schema', 'payload', 'op', 'before', 'after', 'source', 'data', 'specversion', 'type', 'database', 'status', 'id', 'event_count', 'ddl', 'databaseName',
  '__op', '__deleted', 'iodebeziumop', 'ts_ms', 'ts_us', 'ts_ns', '__table', '__source_sequence', '__lsn', '__source_ts_ms', 'aggregate_type', 'message',
] as const;

/** Slots of what an event says about its source: identity and position. `source.ts_ms` is the commit time. */
export const SOURCE_DB = 0;
export const SOURCE_SCHEMA = 1;
export const SOURCE_TABLE = 2;
export const SOURCE_TS_MS = 3;
export const SOURCE_SEQUENCE = 4;
export const SOURCE_LSN = 5;
export const SOURCE_FILE = 6;
export const SOURCE_POS = 7;
export const SOURCE_ROW = 8;
export const SOURCE_SERVER_ID = 9;
export const SOURCE_COMMIT_LSN = 10;
export const SOURCE_CHANGE_LSN = 11;
export const SOURCE_EVENT_SERIAL_NO = 12;
/** Number of source slots; a flattened row's second spelling of a field stands this much higher. */
export const SOURCE_SLOTS = 13;
const SOURCE = ['db', 'schema', 'table', 'ts_ms', 'sequence', 'lsn', 'file', 'pos', 'row', 'server_id', 'commit_lsn', 'change_lsn', 'event_serial_no'] as const;

/** Slots of Maxwell's envelope, beside those of TOP. */
export const MAXWELL_TABLE = 0;
export const MAXWELL_TS = 1;
export const MAXWELL_POSITION = 2;
export const MAXWELL_XOFFSET = 3;
export const MAXWELL_SERVER_ID = 4;
export const MAXWELL_OLD = 5;
const MAXWELL = ['table', 'ts', 'position', 'xoffset', 'server_id', 'old'] as const;

/** Slots of SQL Server's change events: the envelope, then `eventsource`, `transaction`, `eventrow`, and the members of lists in them. */
export const CES_OPERATION = 0;
export const CES_SEGMENT_INDEX = 1;
export const CES_FINAL_SEGMENT = 2;
export const CES_SPLIT_TOTAL = 3;
export const CES_LOGICAL_ID = 4;
export const CES_TIME = 5;
export const CES_EVENT_SOURCE = 6;
export const CES_EVENT_ROW = 7;
export const CES_DB = 8;
export const CES_SCHEMA = 9;
export const CES_TABLE = 10;
export const CES_KEY = 11;
export const CES_TRANSACTION = 12;
export const CES_COMMIT_LSN = 13;
export const CES_SEQUENCE = 14;
export const CES_COMMIT_TIME = 15;
export const CES_OLD = 16;
export const CES_CURRENT = 17;
export const CES_COLUMN_NAME = 18;
export const CES_VALUE = 19;
export const CES_SPLIT_INDEX = 20;
const CES = [
  'operation', 'segmentindex', 'finalsegment', 'splittotalcnt', 'logicalid', 'time', 'eventsource', 'eventrow', 'db', 'schema', 'tbl', 'pkkey', 'transaction',
  'commitlsn', 'sequencenumber', 'committime', 'old', 'current', 'columnname', 'value', 'splitindex',
] as const;

/** Slots of a Connect schema block, of structs in values, and of message keys. */
export const BLOCK_FIELDS = 0;
export const BLOCK_FIELD = 1;
export const BLOCK_TYPE = 2;
export const BLOCK_NAME = 3;
export const BLOCK_PARAMETERS = 4;
export const BLOCK_SCALE = 5;
export const BLOCK_VALUE = 6;
export const BLOCK_YEAR = 7;
export const BLOCK_MONTH = 8;
export const BLOCK_DAY = 9;
export const BLOCK_PHYSICAL_TABLE = 10;
export const BLOCK_SOURCE_TABLE = 11;
export const BLOCK_SCHEMA = 12;
export const BLOCK_PAYLOAD = 13;
const BLOCK = [
  'fields', 'field', 'type', 'name', 'parameters', 'scale', 'value', 'year', 'month', 'day', '__dbz__physicalTableIdentifier', '__dbz__sourceIdentifier', 'schema', 'payload',
] as const;

/** Most slots any map has: length of a `collect` target. */
export const SLOTS_MAX = 32;

/** The names of all formats and the slot maps that read them. Column names of the tables are added by their layouts. */
export class Vocabulary {
  readonly names = new Names();
  readonly top: SlotMap = this.#map(TOP);
  readonly source: SlotMap = this.#map(SOURCE);
  /** `__source_lsn` or `__lsn`; the envelope's own time, `__ts_ms`, is none of the source's. */
  readonly flattened: SlotMap = slotMap(this.names, SOURCE.flatMap((name, slot) => [
    [`__source_${name}`, slot], ...(name === 'ts_ms' ? [] : [[`__${name}`, slot + SOURCE_SLOTS]] as const),
  ] as const));
  /** CloudEvents attributes have neither capitals nor underscores. */
  readonly cloudEvent: SlotMap = this.#map(SOURCE.map((name) => `iodebezium${name.replaceAll('_', '')}`));
  readonly maxwell: SlotMap = this.#map(MAXWELL);
  readonly ces: SlotMap = this.#map(CES);
  readonly block: SlotMap = this.#map(BLOCK);

  #map(list: readonly string[]): SlotMap {
    return slotMap(this.names, list.map((name, slot) => [name, slot] as const));
  }
}
