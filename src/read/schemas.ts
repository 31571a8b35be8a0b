/**
 * JSON schemas of requests and answers: Fastify checks parameters and writes status by them, and `/openapi.json` is made from them.
 */
const TOTALS = {
  total_revenue: 'All rents, negative amounts and deposits included.',
  rent: 'Rents without deposits (`is_non_irs_revenue`).',
  expenses: 'Sum of the eight categories; rehab and planned expenses never count.',
  profit_loss: '`rent` minus `expenses`.',
  piti: 'Expenses of type `pandi`.',
  tax: 'Expenses of type `tax`.',
  utilities: 'Expenses of type `utilities`.',
  maintenance: 'Expenses of type `maintenance`.',
  capex: 'Expenses of type `capex`.',
  insurance: 'Expenses of type `insurance`.',
  property_management: 'Expenses of type `property_management`.',
  other: 'Expenses of any other type, or none.',
} as const;

const identifier = { type: 'string', maxLength: 512 } as const;
const nullableIdentifier = { type: ['string', 'null'], maxLength: 512 } as const;
const nullableInstant = { type: ['string', 'null'], format: 'date-time' } as const;
const nullableText = { type: ['string', 'null'] } as const;
const nullableInteger = { type: ['integer', 'null'] } as const;
const count = { type: 'integer', minimum: 0 } as const;
const text = { type: 'string' } as const;

/** An object all of whose properties are always there, and nothing else. */
function exactly<P extends Readonly<Record<string, unknown>>>(properties: P): { readonly type: 'object'; readonly required: string[]; readonly properties: P; readonly additionalProperties: false } {
  return { type: 'object', required: Object.keys(properties), properties, additionalProperties: false };
}

function described<S>(description: string, schema: S): S & { readonly description: string } {
  return { ...schema, description };
}

function totals(prefix: string, span: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(TOTALS).map(([name, about]) => [`${prefix}${name}`, { type: 'number', description: `${span}: ${about}` }]));
}

export const figuresParameters = exactly({
  property_id: { ...identifier, minLength: 1, description: 'Percent-encoded once; at most 512 bytes.' },
});

export const figuresQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    unit_id: { ...identifier, description: 'Figures of this unit alone. Empty, or the text `None`, asks for the property, as in the data such an id means none.' },
    as_of: { type: 'string', format: 'date', description: 'Day up to and including which rows count, `YYYY-MM-DD`. Today in the configured time zone when left out.' },
  },
} as const;

export const figuresAnswer = described('Figures, exact to the last digit.', exactly({
  property_id: identifier,
  unit_id: nullableIdentifier,
  as_of: { type: 'string', format: 'date' },
  ...totals('ytd_', 'From the first day of the fiscal year that holds `as_of` up to `as_of`'),
  ...totals('cumulative_', 'Everything up to `as_of`'),
  cash_invested: { type: ['number', 'null'], description: '`cash_invested` of the property\'s row.' },
  cash_on_cash: { type: ['number', 'null'], description: 'Annualised year-to-date profit or loss in percent of what is invested, rounded half-even to four decimals; null when nothing is invested.' },
  units: {
    type: ['array', 'null'],
    description: 'Units of the property; null when it has none, or when a unit was asked for.',
    items: exactly({ unit_id: identifier, ytd_profit_loss: { type: 'number' }, cumulative_profit_loss: { type: 'number' } }),
  },
  last_calculated_at: { ...nullableInstant, description: 'When the last change to these figures was folded.' },
  complete: { type: 'boolean', description: 'False while an event that may concern the property could not be understood, or when history is known to be missing.' },
  freshness: exactly({
    caught_up: { type: ['boolean', 'null'], description: 'Everything up to the newest known end of the log is folded; null when that is unknown.' },
    newest_change_at: { ...nullableInstant, description: 'Newest commit time folded; null when none is known.' },
    lag_records: { ...nullableInteger, description: 'Records of the log not folded yet; null when unknown.' },
  }),
}));

const problemAnswer = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { ...text, format: 'uri' },
    title: text,
    status: { type: 'integer' },
    detail: { ...text, description: 'What happened here, and what to do.' },
    instance: { ...text, description: 'The request; the log names it too.' },
    code: { ...text, description: 'Stable code of the error.' },
  },
} as const;

/** Response entries for the statuses at which a route answers with problem details. */
export function problemAnswers(...statuses: readonly number[]): Record<number, unknown> {
  const entry = (status: number): unknown => ({ description: PROBLEMS[status], content: { 'application/problem+json': { schema: problemAnswer } } });
  return Object.fromEntries(statuses.map((status) => [status, entry(status)]));
}

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'A parameter is malformed or unknown.',
  401: 'A token is needed, and missing or wrong.',
  404: 'Not known.',
  500: 'Something went wrong inside.',
  503: 'Not now: ask again after the seconds in Retry-After, where given.',
};

export const healthAnswer = described('Yes.', exactly({ status: text }));

const records = exactly({ read: count, applied: count, unchanged: count, superseded: count, passed_over: count, dead_letters: count });
const reasons = { type: 'object', additionalProperties: count } as const;
const stop = { type: ['object', 'null'], required: ['code', 'message', 'offset', 'at'], properties: { code: text, message: text, offset: nullableInteger, at: nullableInstant } } as const;

export const statusAnswer = described('The state of the process.', exactly({
  phase: { ...text, enum: ['restoring', 'catching-up', 'ready', 'stopped', 'closing'] },
  ready: { type: 'boolean' },
  caught_up: { type: ['boolean', 'null'] },
  lag_records: nullableInteger,
  newest_change_at: nullableInstant,
  role: { ...text, enum: ['publisher', 'standby'] },
  role_reason: { ...nullableText, description: 'Why this process stands by.' },
  lineage: nullableText,
  generation: nullableInteger,
  incomplete_history: { type: 'array', items: text },
  waiting_topics: { type: 'array', items: text },
  source_stop: stop,
  records,
  passed_over_reasons: reasons,
  unattributed: { ...count, description: 'Dead letters that name no row.' },
  order_ambiguous: { ...count, description: 'Positions of one row that could not be compared; the later commit time won.' },
  open_dead_letters: count,
  incomplete_properties: count,
  rows: exactly({ expenses: count, rents: count, properties: count }),
  properties: count,
  accounts: count,
  out_of_range_accounts: count,
  remembered_deletes: count,
  truncate_marks: count,
  ledger_bytes: count,
  account_bytes: count,
  partitions: {
    type: 'array',
    items: exactly({
      topic: text, partition: { type: 'integer' }, position: { ...count, description: 'Offset folded next.' }, end: nullableInteger, end_at_start: nullableInteger,
      lag_records: nullableInteger, stop, records, passed_over_reasons: reasons, unattributed: count, order_ambiguous: count,
    }),
  },
  unpublished: exactly({
    rows: { ...count, description: 'Rows, deletes and marks that no generation of this process holds, each counted once: bounded by what is held anyway.' },
    since: { ...nullableInstant, description: 'When the oldest of these changes was folded.' },
    failures: { ...count, description: 'Attempts to publish, or to get the lease, that failed since the last that did not.' },
    last_failure: {
      type: ['object', 'null'], required: ['attempt', 'code', 'message', 'at'], properties: { attempt: { ...text, enum: ['checkpoint', 'lease'] }, code: text, message: text, at: nullableInstant },
    },
  }),
  checkpoints: exactly({
    succeeded: count,
    failed: count,
    history: { type: 'array', items: exactly({ generation: count, rows: count, bytes: count, duration_ms: { type: 'number' }, at: nullableInstant, error: nullableText }) },
  }),
  parquet: exactly({
    succeeded: { ...count, description: 'Files written by this process.' },
    failed: count,
    error: { ...nullableText, description: 'Why the file was not written the last time it was due.' },
    file: {
      type: ['object', 'null'], required: ['generation', 'as_of', 'accounts', 'at'], description: 'The file as last written or found; null until that is known.',
      properties: { generation: count, as_of: { type: 'string', format: 'date' }, accounts: count, at: nullableInstant },
    },
  }),
  warnings: { type: 'array', items: exactly({ code: text, count, message: text, at: nullableInstant }) },
  started_at: nullableInstant,
  restored_at: nullableInstant,
  ready_at: nullableInstant,
  versions: { type: 'object', additionalProperties: text },
}));
