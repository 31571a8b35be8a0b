import type { StreamEvent } from './history-connector.ts';
import type { Ids, Row, Table } from './history-rows.ts';

/** Choices a connector's configuration makes about how values look in JSON. One choice holds for a whole log. */
export interface RenderStyle {
  readonly ids: Ids;
  readonly dates: 'days' | 'iso' | 'zulu' | 'millis' | 'micros';
  readonly decimals: 'text' | 'number';
  readonly withSchema: boolean;
}

/** Message key: the primary key's column, or the property's (whose own table is still keyed by its id). */
export function renderKey(table: Table, row: Row, byProperty: boolean, style: RenderStyle): string {
  const payload = byProperty && table !== 'properties' ? `{"property_id":${property(row, style)}}` : `{"id":${JSON.stringify(row.id)}}`;
  if (!style.withSchema) return payload;
  return `{"schema":{"type":"struct","optional":false,"name":"pg.public.${table}.Key"},"payload":${payload}}`;
}

/** A change event in Debezium's envelope. `now` is the envelope's own time, new on every sending. */
export function renderValue(event: StreamEvent, now: number, style: RenderStyle): string {
  const sequence = JSON.stringify(JSON.stringify([event.first === null ? null : String(event.first), String(event.own)]));
  // Rows of an incremental snapshot come without lsn and transaction (recorded).
  const isIncremental = event.snapshot === 'incremental';
  const source = `{"version":"3.6.1.Final","connector":"postgresql","name":"pg","ts_ms":${event.time},"snapshot":"${event.snapshot}",`
    + `"db":"rental","sequence":${sequence},"ts_us":${event.time}000,"ts_ns":${event.time}000000,"schema":"public","table":"${event.table}",`
    + `"txId":${event.transaction ?? 'null'},"lsn":${isIncremental ? 'null' : event.own},"xmin":null,"origin":null,"origin_lsn":null}`;
  const before = event.before === null ? 'null' : renderImage(event.table, event.before, style);
  const after = event.after === null ? 'null' : renderImage(event.table, event.after, style);
  const payload = `{"before":${before},"after":${after},"source":${source},"transaction":null,"op":"${event.operation}",`
    + `"ts_ms":${now},"ts_us":${now}000,"ts_ns":${now}000000}`;
  if (!style.withSchema) return payload;
  return `{"schema":${valueSchema(event.table, style)},"payload":${payload}}`;
}

/** A whole row as its image in an event. */
export function renderImage(table: Table, row: Row, style: RenderStyle): string {
  const id = JSON.stringify(row.id);
  if (table === 'properties') {
    return `{"id":${id},"user_id":null,"display_name":"Gartenweg \\"${row.day % 90}\\"","cash_invested":${decimal(row.cashInvested, style)},`
      + `"down_payment":${decimal(row.downPayment, style)},"purchase_price":null,"current_market_value":null}`;
  }
  const shared = `"id":${id},"property_id":${property(row, style)},"unit_id":${JSON.stringify(row.unit)},"description":"}{ \\\\ \\u00e4",`
    + `"amount":${decimal(row.amount, style)}`;
  if (table === 'rents') return `{${shared},"payment_date":${date(row.day, style)},"is_non_irs_revenue":${row.flag}}`;
  return `{${shared},"date":${date(row.day, style)},"expense_type":${JSON.stringify(row.type)},"is_planned":${row.flag}}`;
}

function property(row: Row, style: RenderStyle): string {
  return style.ids === 'integer' ? String(Number(row.property)) : JSON.stringify(row.property);
}

function decimal(text: string | null, style: RenderStyle): string {
  if (text === null) return 'null';
  return style.decimals === 'number' ? text : `"${text}"`;
}

function date(day: number, style: RenderStyle): string {
  const iso = new Date(day * 86_400_000).toISOString().slice(0, 10);
  switch (style.dates) {
    case 'days': return String(day);
    case 'iso': return `"${iso}"`;
    case 'zulu': return `"${iso}Z"`;
    case 'millis': return String(day * 86_400_000);
    case 'micros': return String(day * 86_400_000_000);
  }
}

function valueSchema(table: Table, style: RenderStyle): string {
  const id = style.ids === 'integer' ? 'int64' : 'string';
  const money = style.decimals === 'number' ? 'double' : 'string';
  const isInteger = style.dates === 'days' || style.dates === 'millis' || style.dates === 'micros';
  const dateField = `{"type":"${isInteger ? (style.dates === 'days' ? 'int32' : 'int64') : 'string'}","optional":true,`;
  const fields = table === 'properties'
    ? `{"type":"${id}","optional":false,"field":"id"},{"type":"${money}","optional":true,"field":"cash_invested"}`
    : `{"type":"${id}","optional":false,"field":"id"},{"type":"${money}","optional":false,"field":"amount"},`
      + `${dateField}"field":"${table === 'rents' ? 'payment_date' : 'date'}"}`;
  const row = (field: string): string => `{"type":"struct","fields":[${fields}],"optional":true,"name":"pg.public.${table}.Value","field":"${field}"}`;
  return `{"type":"struct","fields":[${row('before')},${row('after')}],"optional":false,"name":"pg.public.${table}.Envelope","version":2}`;
}
