/**
 * Every error code of rentfold, in one table: what it means, what to do, and what it does to the process. The README lists the same codes; a test
 * compares the two. Codes are stable: never rename, never reuse.
 */

export interface ErrorCode {
  /** `start`: ends a command before it serves. `stop`: stops a partition or the source. `letter`: reason of a dead letter. `read`: answer to a request. `warning`: said, and gone on. */
  readonly kind: 'start' | 'stop' | 'letter' | 'read' | 'warning';
  /** Exit code of a command that ends with it: of every code of kind `start`; 6 for kind `stop` unless said here, which only `replay` ends with. */
  readonly exit?: 1 | 2 | 3 | 4 | 5 | 6;
  /** HTTP status for kind `read`. */
  readonly status?: number;
  readonly meaning: string;
  /** What a person does next. */
  readonly action: string;
}

export const ERROR_CODES = {
  // Start
  CONFIGURATION_INVALID: { kind: 'start', exit: 2, meaning: 'One or more options are wrong; every one is named.', action: 'Correct the options named; `rentfold config` shows what is in force.' },
  DECODING_CHANGED: { kind: 'start', exit: 2, meaning: 'An option that decides what a record means (zone, tables, columns, decimals, past epochs) differs from the one this lineage was read with.', action: 'Set the option back, or replay into an empty store.' },
  POSITION_TOO_OLD: { kind: 'start', exit: 3, meaning: 'The log no longer holds the records after our position: retention passed it.', action: 'Replay into an empty store from a log that reaches back, or accept the gap with RENTFOLD_ACCEPT_INCOMPLETE_HISTORY=true.' },
  POSITION_BEYOND_END: { kind: 'start', exit: 3, meaning: 'Our position lies after the end of the log: it was truncated, re-created or is another log.', action: 'Check that the source is the one this store was made from; otherwise replay into an empty store.' },
  POSITION_RECORD_CHANGED: { kind: 'start', exit: 3, meaning: 'The record before our position is not the one that was applied: the topic was re-created or is another log.', action: 'Check that the source is the one this store was made from; otherwise replay into an empty store.' },
  HISTORY_INCOMPLETE: { kind: 'start', exit: 3, meaning: 'The beginning of a log, or of a partition that appears, is gone. Where that is accepted, each stretch that is missing is warned of by this code.', action: 'Provide the whole log, or accept it with RENTFOLD_ACCEPT_INCOMPLETE_HISTORY=true: then every answer says `complete: false`.' },
  STORE_DAMAGED: { kind: 'start', exit: 4, meaning: 'No generation of the checkpoint passes its checks.', action: 'Put the store back from a copy, or point RENTFOLD_STORE_DIR at an empty one to read the log from zero.' },
  STORE_FOREIGN: { kind: 'start', exit: 4, meaning: 'The store holds checkpoints of a newer format or of something else.', action: 'Use the version that wrote it, or another store.' },
  STORE_NOT_WRITABLE: { kind: 'start', exit: 2, meaning: 'The store\'s place (folder or container) does not exist and cannot be made, or something needed there is not permitted.', action: 'Create the place, or give the right that the message names.' },
  STORE_UNAVAILABLE: { kind: 'start', exit: 1, meaning: 'The store did not answer or refused the operation.', action: 'Look at the message for the cause; rentfold goes on folding and tries again while it runs.' },
  STORE_IN_USE: { kind: 'start', exit: 1, meaning: 'Another process publishes to the store.', action: 'Let it end, or use another store.' },
  REPLAY_STORE_NOT_EMPTY: { kind: 'start', exit: 5, meaning: '`replay` met a store whose lineage has already caught up with its log.', action: 'Use an empty RENTFOLD_STORE_DIR or container, or go on with this one by `serve`.' },
  REPLAY_INTERRUPTED: { kind: 'start', exit: 1, meaning: '`replay` was asked to end before the end of the log.', action: 'Run `replay` again: it goes on from its last checkpoint.' },
  SOURCE_UNAVAILABLE: { kind: 'start', exit: 1, meaning: 'The source cannot be reached or read.', action: 'Look at the message for the cause.' },
  UNEXPECTED: { kind: 'start', exit: 1, meaning: 'Something happened that rentfold has no name for.', action: 'Keep the log and report it.' },
  // A partition or the source stops
  TABLE_AMBIGUOUS: { kind: 'stop', meaning: 'An unqualified table name met a second schema or database.', action: 'Say which is meant with RENTFOLD_TABLE_EXPENSES, RENTFOLD_TABLE_RENTS or RENTFOLD_TABLE_PROPERTIES; a store that was begun without it needs the log read again into an empty one.' },
  PARTITION_NOT_UNDERSTOOD: { kind: 'stop', meaning: 'The first 100 row events of a partition, or more than half of 1 000, cannot be understood: an option is probably wrong.', action: 'Correct the option named in the message; a store that was begun with the wrong one needs the log read again into an empty one.' },
  OFFSET_FELL: { kind: 'stop', meaning: 'An offset in a partition is not above the one before it.', action: 'Repair or re-make the dump or topic named in the message.' },
  RECORDS_CORRUPT: { kind: 'stop', meaning: 'A record batch from the broker is damaged: its lengths or its packed bytes make no sense.', action: 'Look at the topic\'s segment with `kafka-dump-log`; repair the topic or replay from a copy of it.' },
  RECORDS_TOO_LARGE: { kind: 'stop', meaning: 'A record batch unpacks to more bytes than rentfold takes at once.', action: 'Find the producer of such batches.' },
  RECORDS_UNSUPPORTED: { kind: 'stop', meaning: 'A record batch has a format or a codec that rentfold does not read.', action: 'Copy the topic into one with record batches of format 2.' },
  OFFSETS_MISSING: { kind: 'stop', exit: 3, meaning: 'Offsets are missing in the middle of a partition: of a topic that is not compacted, or of a hub.', action: 'Look at the topic\'s segments, or whether the hub is compacted; replay into an empty store from a log that is whole, or accept the gap with RENTFOLD_ACCEPT_INCOMPLETE_HISTORY=true.' },
  FILE_SHRANK: { kind: 'stop', meaning: 'A file is shorter than what was already read of it.', action: 'Put the file back as it was, or replay into an empty store.' },
  FILE_REPLACED: { kind: 'stop', meaning: 'A file no longer holds the line that was read last from it.', action: 'Put the file back as it was, or replay into an empty store.' },
  FILE_LINE_INVALID: { kind: 'stop', meaning: 'A line of a dump is not a record as `kcat -C -J` writes it.', action: 'Repair or remove the line named in the message.' },
  PARTITION_IN_TWO_FILES: { kind: 'stop', meaning: 'A partition appears in two files, so its order is not known.', action: 'Put each partition into one file.' },
  SOURCE_FAILED: { kind: 'stop', exit: 1, meaning: 'The source failed while reading.', action: 'Look at the message; restart when the cause is gone.' },
  FOLD_FAILED: { kind: 'stop', exit: 1, meaning: 'Folding broke off inside a batch; no checkpoint is written any more.', action: 'Keep the log and report it; a restart goes on from the last checkpoint.' },
  // Reasons of dead letters
  JSON_INVALID: { kind: 'letter', meaning: 'The value is not JSON.', action: 'Find the producer of such records.' },
  JSON_TOO_DEEP: { kind: 'letter', meaning: 'The JSON is nested deeper than any change event.', action: 'Find the producer of such records.' },
  JSON_DUPLICATE_KEY: { kind: 'letter', meaning: 'A name that figures depend on stands twice in one object.', action: 'Find the producer of such records.' },
  UTF8_INVALID: { kind: 'letter', meaning: 'The bytes are not UTF-8.', action: 'Find the producer of such records.' },
  RECORD_TOO_LARGE: { kind: 'letter', meaning: 'The record is larger than rentfold reads.', action: 'Find the producer of such records.' },
  FRAMING_UNSUPPORTED: { kind: 'letter', meaning: 'The value is framed for a schema registry, and none is configured, or its schema is of a kind that is not read (Protobuf).', action: 'Set RENTFOLD_SCHEMA_REGISTRY_URL (numbers in front of values) or RENTFOLD_SCHEMA_REGISTRY_NAMESPACE (content types); use a converter for Avro or JSON.' },
  SCHEMA_UNKNOWN: { kind: 'letter', meaning: 'The schema registry does not know the schema that the record names.', action: 'Check that RENTFOLD_SCHEMA_REGISTRY_URL or RENTFOLD_SCHEMA_REGISTRY_NAMESPACE is the registry that the connector writes to, and that the schema was not deleted there.' },
  SCHEMA_INVALID: { kind: 'letter', meaning: 'What the schema registry has for the record is no schema that can be read.', action: 'Look at the schema that the message names.' },
  AVRO_INVALID: { kind: 'letter', meaning: 'The bytes are not Avro of the schema that the record names.', action: 'Find the producer of such records.' },
  ENVELOPE_UNKNOWN: { kind: 'letter', meaning: 'The JSON is no change event that rentfold knows.', action: 'Compare the connector\'s converter and transforms with the README.' },
  OPERATION_UNKNOWN: { kind: 'letter', meaning: 'The event\'s operation is not one of its format.', action: 'Find the producer of such records.' },
  IMAGE_MISSING: { kind: 'letter', meaning: 'The event lacks the row image its operation needs.', action: 'Check the connector\'s settings.' },
  SEGMENTED: { kind: 'letter', meaning: 'A message holds a piece of a SQL Server change event and does not say which of which, or holds it behind the framing of a schema registry.', action: 'Find the producer of such records.' },
  SEGMENT_PENDING: { kind: 'letter', meaning: 'A message holds a piece of a SQL Server change event whose other pieces have not all come yet.', action: 'Nothing: it ends by itself when they come.' },
  SEGMENTS_INCOMPLETE: { kind: 'letter', meaning: 'Pieces of a SQL Server change event are missing.', action: 'Look for the pieces that the message does not name; touch the row at its source so that it is sent again. A larger `max_message_size_kb` of the stream group makes fewer pieces.' },
  TABLE_UNKNOWN: { kind: 'letter', meaning: 'The event names no table and neither does its topic.', action: 'Add `add.fields=table` to the transform.' },
  KEY_MISSING: { kind: 'letter', meaning: 'The row has no primary key, or it is null.', action: 'Check the column named in the message.' },
  COLUMN_MISSING: { kind: 'letter', meaning: 'A column that figures are made of is not in the row.', action: 'Set RENTFOLD_COLUMNS_EXPENSES, …_RENTS or …_PROPERTIES: the new name, or `none`.' },
  PROPERTY_MISSING: { kind: 'letter', meaning: 'A rent or expense names no property.', action: 'Correct the row at its source.' },
  IDENTIFIER_INVALID: { kind: 'letter', meaning: 'An id is neither text nor a whole number.', action: 'Correct the row at its source.' },
  IDENTIFIER_TOO_LONG: { kind: 'letter', meaning: 'An id is longer than 512 bytes.', action: 'Correct the row at its source.' },
  AMOUNT_MISSING: { kind: 'letter', meaning: 'The amount of a rent or expense is null.', action: 'Correct the row at its source.' },
  AMOUNT_INVALID: { kind: 'letter', meaning: 'The amount is not a decimal number in the form expected.', action: 'Check RENTFOLD_DECIMALS and the connector\'s `decimal.handling.mode`.' },
  AMOUNT_OUT_OF_BOUNDS: { kind: 'letter', meaning: 'The amount needs more than four decimals or reaches 10¹¹.', action: 'Correct the row at its source.' },
  DATE_MISSING: { kind: 'letter', meaning: 'The date of a rent or expense is null.', action: 'Correct the row at its source.' },
  DATE_INVALID: { kind: 'letter', meaning: 'The date is no calendar date or instant that rentfold knows, or infinite.', action: 'Correct the row, or the connector\'s `time.precision.mode`.' },
  FLAG_INVALID: { kind: 'letter', meaning: 'A flag is none of true, false, 0, 1, t, f or null.', action: 'Correct the row at its source.' },
  TYPE_INVALID: { kind: 'letter', meaning: 'An expense type is not text.', action: 'Correct the row at its source.' },
  POSITION_INVALID: { kind: 'letter', meaning: 'The source position cannot be read.', action: 'Find the producer of such records.' },
  PARTIAL_UNORDERED: { kind: 'letter', meaning: 'A partial update\'s row is unknown, or its newest image came from another partition.', action: 'Send whole rows (`@include_all_columns = 1`, REPLICA IDENTITY FULL), or key messages by row.' },
  // Answers to requests
  PROPERTY_UNKNOWN: { kind: 'read', status: 404, meaning: 'No row of this property, or of this unit of it, is known.', action: 'Check the id.' },
  ROUTE_UNKNOWN: { kind: 'read', status: 404, meaning: 'There is nothing at this path.', action: '`/openapi.json` lists what there is.' },
  REQUEST_INVALID: { kind: 'read', status: 400, meaning: 'A parameter is malformed or unknown.', action: 'Correct the parameter named.' },
  UNAUTHORIZED: { kind: 'read', status: 401, meaning: 'The token is missing or wrong.', action: 'Send `Authorization: Bearer` with RENTFOLD_READ_TOKEN.' },
  METHOD_NOT_ALLOWED: { kind: 'read', status: 405, meaning: 'Only GET and HEAD are answered.', action: 'Use GET.' },
  RESTORING: { kind: 'read', status: 503, meaning: 'The checkpoint is being loaded.', action: 'Ask again after the seconds in Retry-After.' },
  CATCHING_UP: { kind: 'read', status: 503, meaning: 'A new store has not yet folded up to the end of the log seen at start: partial sums are never served.', action: 'Ask again after the seconds in Retry-After; /health/status shows the lag.' },
  PARTITION_STOPPED: { kind: 'read', status: 503, meaning: 'A partition stopped; figures may miss its changes.', action: '/health/status names code and place.' },
  TOTAL_OUT_OF_RANGE: { kind: 'read', status: 503, meaning: 'A total of the account left the range of exact numbers.', action: 'Find the rows with the extreme amounts.' },
  SHUTTING_DOWN: { kind: 'read', status: 503, meaning: 'The process is ending and answers nothing new.', action: 'Ask another instance, or again after the seconds in Retry-After.' },
  INTERNAL: { kind: 'read', status: 500, meaning: 'Something went wrong inside.', action: 'The log has it under the same request id.' },
  // Warnings
  OPTION_UNKNOWN: { kind: 'warning', meaning: 'An environment name begins with RENTFOLD_ and is no option.', action: 'Check its spelling.' },
  POSITION_FELL: { kind: 'warning', meaning: 'Source positions fell while commit times rose: the database may have failed over.', action: 'Add the moment of the failover to RENTFOLD_SOURCE_EPOCHS.' },
  GENERATION_UNUSABLE: { kind: 'warning', meaning: 'A checkpoint generation failed its checks and the one before it was used.', action: 'Find out what damaged the file named; nothing is lost.' },
  FILE_UNEXPLAINED: { kind: 'warning', meaning: 'A file under our names belongs to no manifest and was not used.', action: 'Remove it if it is not yours.' },
  RECORD_UNVERIFIED: { kind: 'warning', meaning: 'The record before a position is gone (retention, compaction), so it could not be compared.', action: 'Nothing, if the log is the right one.' },
  TOPIC_MISSING: { kind: 'warning', meaning: 'A topic or hub that is to be read does not exist; it is waited for and counts as caught up.', action: 'Nothing, if its table is empty; else check the spelling in RENTFOLD_KAFKA_TOPICS or RENTFOLD_EVENT_HUBS_NAMES.' },
  TRANSACTION_OPEN: { kind: 'warning', meaning: 'A producer\'s transaction stays open and holds back everything behind it in its partition.', action: 'Find the producer; `kafka-transactions` lists hanging transactions and ends them.' },
  OFFSETS_SKIPPED: { kind: 'warning', meaning: 'Offsets are missing in a partition whose topic is compacted, or may be.', action: 'Nothing, if the topic is compacted; else let rentfold\'s user describe the topic\'s configuration.' },
  SOURCE_RETRYING: { kind: 'warning', meaning: 'A broker or an Event Hubs namespace does not answer, refuses to, or ended a connection; it is tried again for as long as it takes.', action: 'Look at the broker or partition named, and at the reason; nothing is lost, figures wait.' },
  REGISTRY_RETRYING: { kind: 'warning', meaning: 'A schema registry does not answer or refuses to; it is asked again for as long as it takes, and records that need it wait.', action: 'Look at the registry, the options and the cause named; nothing is lost, figures wait.' },
  CHECKPOINT_FAILED: { kind: 'warning', meaning: 'A checkpoint could not be written; it is tried again.', action: 'Look at the store; folding and reading go on.' },
  COMMIT_FAILED: { kind: 'warning', meaning: 'A checkpoint is durable, but the source did not take its positions.', action: 'Nothing: only tools that show lag miss them.' },
  PARQUET_FAILED: { kind: 'warning', meaning: 'The parquet file could not be written; the one before it stays.', action: 'Look at the message for the cause; it is tried again, and checkpoints go on.' },
  PARQUET_FOREIGN: { kind: 'warning', meaning: 'Another program writes the parquet file beside rentfold, which leaves it alone.', action: 'End the other program, then set RENTFOLD_PARQUET_OVERWRITE=true.' },
  LEASE_LOST: { kind: 'warning', meaning: 'Another process publishes; this one stands by.', action: 'Nothing, if two processes are meant.' },
} as const satisfies Record<string, ErrorCode>;

export type Code = keyof typeof ERROR_CODES;

/** What the exit codes of all commands mean. */
export const EXIT_CODES = {
  0: 'done',
  1: 'unexpected, or a source or store that cannot be reached; also when the last checkpoint could not be written, or `replay` was asked to end',
  2: 'configuration: every wrong option is named in one line',
  3: 'the position or the history is not in the log',
  4: 'the store is damaged or foreign: no generation is usable',
  5: '`replay` into a store that holds a lineage which has caught up',
  6: '`replay` stopped by a partition that it cannot understand',
} as const;

/** Exit code of a command that ends with an error of this code. */
export function exitOf(code: Code): keyof typeof EXIT_CODES {
  const { kind, exit }: ErrorCode = ERROR_CODES[code];
  return exit ?? (kind === 'stop' ? 6 : 1);
}

/** An error with a stable code. The message says what happened, where, and what to do next. */
export class RentfoldError extends Error {
  readonly code: Code;
  override readonly name = 'RentfoldError';

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Exit code of the process when this ends a command. */
  get exit(): number {
    return exitOf(this.code);
  }
}
