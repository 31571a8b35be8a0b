import rhea, { type AmqpError, type EventContext, type Receiver, type Sender } from 'rhea';
import { parseAddress, partitionNumber, type Address } from './address.ts';
import { unauthorized, type ClientConnection } from './client-connection.ts';
import type { Counters } from './counters.ts';
import { decodeTransfer } from './event.ts';
import type { ServiceFaults } from './faults.ts';
import type { Hub } from './hub.ts';
import type { Receivers } from './receivers.ts';
import { parseSelector, SELECTOR_FILTER } from './start-position.ts';
import { Subscription } from './subscription.ts';

/** What receivers and producers are attached to. */
export interface LinkContext {
  readonly hub: (name: string) => Hub | undefined;
  readonly receivers: Receivers;
  readonly faults: ServiceFaults;
  readonly counters: Counters;
  readonly now: () => number;
  readonly messageBytesMax: number;
}

type Refused = { readonly refused: AmqpError };

/** Lets a client's receiver in, or closes its link with the reason; both are counted. */
export function attachReceiver(client: ClientConnection, link: Sender, address: Address & { kind: 'receive' }, context: LinkContext): void {
  const properties = link.properties as Record<string, unknown> | undefined;
  const epoch = properties?.['com.microsoft:epoch'];
  const asked = {
    hub: address.hub, partition: address.partition, group: address.group, filter: selectorOf(link), epoch: typeof epoch === 'number' ? epoch : null,
    receiverName: (properties?.['com.microsoft:receiver-name'] as string | undefined) ?? null,
    runtimeMetric: [link.desired_capabilities ?? []].flat().includes('com.microsoft:enable-receiver-runtime-metric'),
  };
  const found = findStart(client, link.source.address, address, asked, context);
  context.counters.attaches.push({ ...asked, refused: 'refused' in found ? found.refused.condition! : null });
  if ('refused' in found) {
    link.close(found.refused);
    return;
  }
  const { hub, partition, next } = found;
  link.set_source(link.source);
  link.set_target(link.target);
  client.guard(link, link.source.address);
  if (asked.epoch !== null) context.receivers.steal(hub.name, partition, address.group, asked.epoch);
  const { faults, counters, now } = context;
  context.receivers.add(new Subscription({ link, hub: hub.name, partition, group: address.group, epoch: asked.epoch, runtimeMetric: asked.runtimeMetric, log: hub.partition(partition), next, faults: faults.of(hub.name, partition), counters, now }));
}

function selectorOf(link: Sender): string | null {
  const filter = link.source.filter?.[SELECTOR_FILTER] as { value: unknown } | undefined;
  return filter === undefined ? null : String(filter.value);
}

function findStart(client: ClientConnection, path: string, address: Address & { kind: 'receive' }, asked: { readonly filter: string | null; readonly epoch: number | null },
  context: LinkContext): Refused | { readonly hub: Hub; readonly partition: number; readonly next: number } {
  const { hub: name, group, partition: id } = address;
  const place = findPartition(client, path, name, id, context);
  if ('refused' in place) return place;
  const { hub, partition } = place;
  if (!hub.hasGroup(group)) return refused('amqp:not-found', `The messaging entity '${path}' could not be found: no consumer group '${group}'.`);
  const fault = context.faults.of(hub.name, partition).refusals.shift() ?? context.receivers.refusal(hub.name, partition, group, asked.epoch);
  if (fault !== null) return { refused: fault };
  const position = asked.filter === null ? { by: 'offset', value: '-1', inclusive: false } as const : parseSelector(asked.filter);
  if (position === null) return refused('amqp:invalid-field', `The filter '${asked.filter}' is not understood.`);
  const start = hub.partition(partition).startAt(position);
  return 'invalid' in start ? refused('com.microsoft:argument-error', start.invalid) : { hub, partition, next: start.next };
}

/** Lets a client's producer in, or closes its link with the reason. */
export function attachSender(client: ClientConnection, link: Receiver, address: Address & { kind: 'send' }, context: LinkContext): void {
  const found = findPartition(client, link.target.address, address.hub, address.partition ?? '0', context);
  if ('refused' in found) {
    link.close(found.refused);
    return;
  }
  link.set_source(link.source);
  link.set_target(link.target);
  client.guard(link, link.target.address);
}

/** Takes a producer's transfer into the log, all of it into one partition, or rejects it. */
export function takeTransfer({ message, delivery, receiver }: EventContext, context: LinkContext): void {
  const fault = context.faults.sends.shift() ?? appendTransfer(message!, receiver!.target.address, context);
  if (fault === null) {
    context.counters.sends++;
    delivery!.accept();
  } else {
    context.counters.rejectedSends++;
    delivery!.reject(fault);
  }
}

function appendTransfer(transferred: NonNullable<EventContext['message']> | Buffer, path: string, { hub: find, now, messageBytesMax }: LinkContext): AmqpError | null {
  const address = parseAddress(path) as Address & { kind: 'send' };
  const hub = find(address.hub);
  if (hub === undefined) return { condition: 'amqp:not-found', description: `The messaging entity '${path}' could not be found.` };
  const bytes = Buffer.isBuffer(transferred) ? transferred.length : rhea.message.encode(transferred).length;
  if (bytes > messageBytesMax) return { condition: 'amqp:link:message-size-exceeded', description: `The received message (size ${bytes}) exceeds the limit (${messageBytesMax}) currently allowed on the link.` };
  const events = decodeTransfer(transferred);
  const log = address.partition === null ? hub.choose(events[0]?.partitionKey) : hub.partition(partitionNumber(address.partition)!);
  log.append(events, now());
  return null;
}

function findPartition(client: ClientConnection, path: string, name: string, id: string, { hub: find, now }: LinkContext): Refused | { readonly hub: Hub; readonly partition: number } {
  const hub = find(name);
  if (hub === undefined) return refused('amqp:not-found', `The messaging entity '${path}' could not be found.`);
  if (!client.permits.covers(path, now())) return { refused: unauthorized(path) };
  const partition = partitionNumber(id);
  if (partition !== null && partition < hub.partitions.length) return { hub, partition };
  return refused('com.microsoft:argument-out-of-range', `The specified partition is invalid for an EventHub partition sender or receiver. It should be between 0 and ${hub.partitions.length - 1}.`);
}

function refused(condition: string, description: string): Refused {
  return { refused: { condition, description } };
}
