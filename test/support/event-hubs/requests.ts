import rhea, { type Message, type Sender } from 'rhea';
import { partitionNumber } from './address.ts';
import { audiencePath, refuseToken, tokenExpiry } from './authority.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Counters } from './counters.ts';
import type { ServiceFaults, StatusFault } from './faults.ts';
import type { Hub } from './hub.ts';

const { types } = rhea;
/** Code of an AMQP string of up to 2^32 bytes, for arrays. */
const STRING_CODE = 0xb1;

/** What the answers to requests are made from. */
export interface RequestContext {
  readonly hub: (name: string) => Hub | undefined;
  readonly faults: ServiceFaults;
  readonly counters: Counters;
  readonly key: string;
  readonly now: () => number;
  /** A token was taken that ends at this time, in milliseconds. */
  readonly tokenTaken: (client: ClientConnection, until: number) => void;
}

/** Answers a `put-token` request. */
export function answerToken(client: ClientConnection, request: Message, context: RequestContext): void {
  const { name: audience, type } = request.application_properties as { name: string; type: string };
  const token = String(request.body);
  const path = audiencePath(audience);
  const fault = context.faults.tokens.shift();
  if (fault === 'silent') client.answersTokens = false;
  if (fault === 'silent' || !client.answersTokens) {
    context.counters.tokens.push({ audience, type, token, status: null });
    return;
  }
  const refusal = fault ?? refuseToken(type, token, context.key, context.now())
    ?? (path === null || context.hub(path.split('/')[0]) === undefined ? notFound(audience) : null);
  const status = refusal?.status ?? 202;
  context.counters.tokens.push({ audience, type, token, status });
  if (refusal === null) {
    const until = tokenExpiry(type, token);
    client.permits.put(path!, until);
    context.tokenTaken(client, until);
  }
  reply(client, request, refusal ?? { status, description: 'Accepted' }, null);
}

/** Answers a `READ` request for a hub or a partition. */
export function answerManagement(client: ClientConnection, request: Message, context: RequestContext): void {
  const asked = request.application_properties as { name: string; type: string; partition?: string };
  const fault = context.faults.management.shift();
  const partition = asked.partition ?? null;
  if (fault === 'silent') {
    context.counters.management.push({ hub: asked.name, partition, status: null });
    return;
  }
  const answer = fault ?? read(client, asked.name, partition, context);
  context.counters.management.push({ hub: asked.name, partition, status: answer.status });
  reply(client, request, answer, 'body' in answer ? answer.body : null);
}

interface Answer extends StatusFault {
  readonly body: Readonly<Record<string, unknown>>;
}

function read(client: ClientConnection, name: string, partitionId: string | null, { hub: find, now }: RequestContext): StatusFault | Answer {
  const hub = find(name);
  if (hub === undefined) return notFound(name);
  if (!client.permits.covers(`${name}/$management`, now())) return { status: 401, description: 'Unauthorized access.', condition: 'amqp:unauthorized-access' };
  if (partitionId === null) {
    return ok({
      name: hub.name, type: 'com.microsoft:eventhub', created_at: types.wrap_timestamp(hub.createdAt), partition_count: hub.partitions.length,
      partition_ids: types.wrap_array(hub.partitions.map((_, i) => String(i)), STRING_CODE, undefined), georeplication_factor: 1,
    });
  }
  const log = hub.partitions[partitionNumber(partitionId) ?? -1];
  if (log === undefined) return { status: 400, description: `The specified partition is invalid for an EventHub partition sender or receiver. It should be between 0 and ${hub.partitions.length - 1}.`, condition: 'com.microsoft:argument-out-of-range' };
  return ok({
    name: hub.name, type: 'com.microsoft:partition', partition: partitionId,
    begin_sequence_number: types.wrap_long(log.first), last_enqueued_sequence_number: types.wrap_long(log.last.sequenceNumber),
    last_enqueued_offset: log.last.offset, last_enqueued_time_utc: types.wrap_timestamp(log.last.enqueuedTime), is_partition_empty: log.first === log.next,
  });
}

function ok(body: Readonly<Record<string, unknown>>): Answer {
  return { status: 200, description: 'OK', body };
}

function notFound(name: string): StatusFault {
  return { status: 404, description: `The messaging entity '${name}' could not be found.`, condition: 'amqp:not-found' };
}

function reply(client: ClientConnection, request: Message, { status, description, condition }: StatusFault, body: unknown): void {
  const link: Sender | undefined = client.replies.get(request.reply_to ?? '');
  link?.send({
    correlation_id: request.message_id!,
    application_properties: { 'status-code': types.wrap_int(status), 'status-description': description, ...(condition === undefined ? {} : { 'error-condition': types.wrap_symbol(condition) }) },
    body,
  });
}
