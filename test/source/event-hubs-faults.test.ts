/**
 * Goal: whatever the service and the way to it do, the Event Hubs source hands over each event once and in order, or stops its partition and names the gap.
 * Method: the real client on a double of a namespace whose faults are switched on at moments the test knows; what arrived is compared with what was appended.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventHubsConfig, EventHubsTiming } from '../../src/source/event-hubs-options.ts';
import { createSystemClock, type Clock } from '../../src/runtime/clock.ts';
import { RentfoldError } from '../../src/errors.ts';
import { WAITING_EVENTS_MAX } from '../../src/source/event-hubs-follow.ts';
import type { OpenOptions } from '../../src/source/source.ts';
import { recordAt, recordsOf, type TestRecord } from '../support/dump.ts';
import { faultFired } from '../support/faults/fired.ts';
import { HubsLog } from '../support/hubs-log.ts';
import { hubsSource } from '../support/hubs-source.ts';
import { positionAfter, SourceReader } from '../support/read-source.ts';
import { until } from '../support/until.ts';

let log: HubsLog;
const readers: SourceReader[] = [];

beforeEach(async () => {
  log = await HubsLog.create();
});
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.close();
  await log.dispose();
});

interface How {
  readonly options?: Partial<OpenOptions>;
  readonly config?: Partial<EventHubsConfig>;
  readonly timing?: Partial<EventHubsTiming>;
  readonly clock?: Clock;
}

async function openReader({ options = {}, config = {}, timing = {}, clock }: How = {}): Promise<SourceReader> {
  const reader = new SourceReader(hubsSource(log.double, config, timing, clock));
  readers.push(reader);
  await reader.open(options);
  return reader;
}

async function refusal(how: How = {}): Promise<RentfoldError> {
  const error: unknown = await openReader(how).then(() => null, (e: unknown) => e);
  expect(error).toBeInstanceOf(RentfoldError);
  return error as RentfoldError;
}

const read = async (reader: SourceReader, count: number): Promise<boolean> => await reader.until(() => reader.records.length >= count);
/** Reads on until something was warned of. */
const warned = async (reader: SourceReader): Promise<boolean> => await reader.until(() => reader.warnings.length > 0);
const attached = (): number => log.double.counters.attachesOf('t', 0).length;

describe('a reader whose link or connection ends', () => {
  /** Reads half of a log that grows, lets something happen, and reads the rest. */
  async function readThrough(happen: () => void | Promise<void>, how: How = {}): Promise<{ reader: SourceReader; expected: TestRecord[] }> {
    log.append(recordsOf('t', 0, 0, 30));
    const reader = await openReader(how);
    await read(reader, 30);
    await happen();
    log.append(recordsOf('t', 0, 30, 60));
    await read(reader, 60);
    return { reader, expected: recordsOf('t', 0, 0, 60) };
  }

  it.each([
    ['com.microsoft:server-busy', 'The server is busy.'], ['amqp:link:detach-forced', 'The link is force detached.'], ['amqp:internal-error', 'The service was unable to process the request.'],
  ])('goes on exactly where it was after %s, and says once why it had to wait', async (condition, description) => {
    const { reader, expected } = await readThrough(() => {
      log.double.refuseReceivers('t', 0, 3, { condition, description });
      expect(log.double.detach('t', 0, condition, description)).toBe(1);
      faultFired('H1');
    });
    expect(reader.records).toEqual(expected);
    expect(reader.stops).toEqual([]);
    expect(reader.warnings).toEqual([{ code: 'SOURCE_RETRYING', message: expect.stringMatching(new RegExp(`^t/0 .*${description}.*${condition}`)) as string }]);
  });

  it('goes on exactly where it was after every connection was cut, also while none can be made', async () => {
    const { reader, expected } = await readThrough(async () => {
      log.double.pauseListening();
      expect(log.double.cutSockets()).toBeGreaterThan(0);
      faultFired('H2');
      await warned(readers[0]);
      await log.double.resumeListening();
    });
    expect(reader.records).toEqual(expected);
    expect(reader.warnings.every(({ code }) => code === 'SOURCE_RETRYING')).toBe(true);
    expect(log.double.connections).toBeGreaterThan(1);
  });

  it('starts at the offset text of the last event every time, never anywhere else', async () => {
    await readThrough(() => void log.double.detach('t', 0, 'amqp:link:detach-forced'));
    const offsets = new Map(log.double.events('t', 0).map(({ offset, sequenceNumber }) => [sequenceNumber, offset]));
    const filters = log.double.counters.attachesOf('t', 0).map(({ filter }) => filter);
    expect(filters.at(-1)).toBe(`amqp.annotation.x-opt-offset >= '${offsets.get(29)}'`);
    expect(new Set(filters.slice(0, -1))).toEqual(new Set([`amqp.annotation.x-opt-offset > '-1'`]));
  });

  it('drops what is sent again', async () => {
    log.append(recordsOf('t', 0, 0, 50));
    log.double.repeat('t', 0, 20);
    const reader = await openReader();
    await read(reader, 50);
    log.append(recordsOf('t', 0, 50, 51));
    await read(reader, 51);
    expect(log.double.counters.transfersOf('t', 0)).toBeGreaterThanOrEqual(71);
    faultFired('H7');
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 51));
  });

  it('asks again for events that did not come', async () => {
    log.append(recordsOf('t', 0, 0, 10));
    const reader = await openReader();
    await read(reader, 10);
    log.double.skip('t', 0, 3);
    log.append(recordsOf('t', 0, 10, 30));
    await read(reader, 30);
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 30));
    expect(reader.warnings).toMatchObject([{ code: 'SOURCE_RETRYING', message: expect.stringContaining('events 10 to 12 did not come') as string }]);
    faultFired('H8');
  });

  it('attaches again when events are there, were asked for and do not come', async () => {
    log.append(recordsOf('t', 0, 0, 30));
    const reader = await openReader();
    await read(reader, 30);
    log.double.pace('t', 0, 'stopped');
    log.append(recordsOf('t', 0, 30, 40));
    await warned(reader);
    log.double.pace('t', 0, null);
    await read(reader, 40);
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 40));
    expect(reader.warnings[0]).toMatchObject({ code: 'SOURCE_RETRYING', message: expect.stringContaining('did not come') as string });
    faultFired('H9');
  });

  it('makes a new connection when the service says nothing any more', async () => {
    const { reader, expected } = await readThrough(async () => {
      const before = log.double.connections;
      log.double.failManagement(1, 'silent');
      await warned(readers[0]);
      await until(() => log.double.connections > before);
    }, { timing: { requestMs: 2_000 } });
    expect(reader.records).toEqual(expected);
    expect(reader.warnings[0]).toMatchObject({ code: 'SOURCE_RETRYING', message: expect.stringMatching(/no answer .* within 2000 ms/) as string });
    faultFired('H10');
  });

  it('makes a new connection when its claims are not answered any more, although questions are', async () => {
    const { reader, expected } = await readThrough(async () => {
      const { connections, counters } = log.double;
      log.double.refuseTokens(1, 'silent');
      log.double.detach('t', 0, 'amqp:link:detach-forced');
      await until(() => log.double.connections > connections);
      expect(counters.tokens.filter(({ status }) => status === null).length).toBeGreaterThan(1);
      faultFired('H15');
    }, { timing: { requestMs: 1_000 } });
    expect(reader.records).toEqual(expected);
    expect([reader.warnings, reader.stops]).toEqual([[{ code: 'SOURCE_RETRYING', message: expect.stringMatching(/^t\/0 .*/) as string }], []]);
  });

  it('goes on after its claim ended and new ones were refused for a while, and shows no secret', async () => {
    const { reader, expected } = await readThrough(async () => {
      log.double.refuseTokens(3);
      expect(log.double.expireTokens()).toBeGreaterThan(0);
      faultFired('H11');
      await warned(readers[0]);
    });
    expect(reader.records).toEqual(expected);
    expect(reader.warnings.map(({ message }) => message).join()).toMatch(/token/i);
    expect(JSON.stringify(reader.warnings)).not.toMatch(/sig=|SharedAccess|YSBrZXk/);
  });

  it('says of each partition that its claim cannot be renewed, once until it can, and again when it fails again', async () => {
    const system = createSystemClock();
    const [renewMs, renewAgainMs] = [45 * 60_000, 5_000];
    const clock: Clock = { ...system, sleep: (ms, signal) => system.sleep(ms === renewMs || ms === renewAgainMs ? 10 : ms, signal) };
    log.append([...recordsOf('t', 0, 0, 3), ...recordsOf('t', 1, 0, 3)]);
    const reader = await openReader({ clock });
    await read(reader, 6);
    const links = attached();
    const { tokens } = log.double.counters;
    const claims = (partition: number, status: number): number => tokens.filter((token) => token.audience.endsWith(`/Partitions/${partition}`) && token.status === status).length;
    for (const round of [1, 2]) {
      const refused = [0, 1].map((partition) => claims(partition, 401));
      log.double.refuseTokens(40);
      await reader.until(() => reader.warnings.length === 2 * round);
      await until(() => [0, 1].every((partition) => claims(partition, 401) > refused[partition] + 2));
      const renewed = [0, 1].map((partition) => claims(partition, 202));
      await until(() => [0, 1].every((partition) => claims(partition, 202) > renewed[partition] + 1));
    }
    log.append([...recordsOf('t', 0, 3, 4), ...recordsOf('t', 1, 3, 4)]);
    await read(reader, 8);
    const said = reader.warnings.map(({ message }) => /^(t\/[01]): the claim to read could not be renewed: .*invalid signature/.exec(message)?.[1]);
    expect([said.slice(0, 2).sort(), said.slice(2).sort()]).toEqual([['t/0', 't/1'], ['t/0', 't/1']]);
    expect(attached()).toBe(links);
  });

  it('is not stopped by questions that are throttled', async () => {
    const { reader, expected } = await readThrough(async () => {
      log.double.failManagement(3, { status: 503, description: 'The request was terminated because the namespace is being throttled.', condition: 'com.microsoft:server-busy' });
      await warned(readers[0]);
    });
    expect(reader.records).toEqual(expected);
    expect(reader.warnings[0].message).toMatch(/throttled/);
    faultFired('H12');
  });
});

describe('another reader in our consumer group', () => {
  it('takes our link, and we wait for its end without taking it back', async () => {
    log.append(recordsOf('t', 0, 0, 10));
    const reader = await openReader({ timing: { stolenRetryMs: [50, 50] } });
    await read(reader, 10);
    const before = attached();
    const stolen = { condition: 'amqp:link:stolen', description: "At least one receiver for the endpoint is created with epoch of '1'" };
    log.double.refuseReceivers('t', 0, 3, stolen);
    expect(log.double.steal('t', 0)).toBe(1);
    faultFired('H6');
    log.append(recordsOf('t', 0, 10, 20));
    await read(reader, 20);
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 20));
    expect(reader.warnings).toEqual([{ code: 'SOURCE_RETRYING', message: expect.stringMatching(/^t\/0: another reader .*\$Default.*RENTFOLD_EVENT_HUBS_CONSUMER_GROUP/) as string }]);
    const since = log.double.counters.attachesOf('t', 0).slice(before);
    expect(since.map(({ refused }) => refused)).toEqual([stolen.condition, stolen.condition, stolen.condition, null]);
    expect(since.every(({ epoch }) => epoch === null)).toBe(true);
  });

  it('reads beside us when it is another rentfold, in a group of its own or in ours', async () => {
    await log.dispose();
    log = await HubsLog.create({ hubs: [{ name: 't', partitions: 1, consumerGroups: ['standby'] }] });
    log.append(recordsOf('t', 0, 0, 10));
    const all = [await openReader(), await openReader(), await openReader({ config: { consumerGroup: 'standby' } })];
    await Promise.all(all.map(async (reader) => await read(reader, 10)));
    log.append(recordsOf('t', 0, 10, 20));
    await Promise.all(all.map(async (reader) => await read(reader, 20)));
    for (const reader of all) expect([reader.records, reader.warnings]).toEqual([recordsOf('t', 0, 0, 20), []]);
  });
});

describe('a log that changes while it is read', () => {
  async function readTen(options: Partial<OpenOptions> = {}): Promise<SourceReader> {
    log.append([...recordsOf('t', 0, 0, 10), ...recordsOf('t', 1, 0, 3)]);
    const reader = await openReader({ options });
    await read(reader, 13);
    return reader;
  }
  /** What is done happens while the reader has no link. */
  function away(act: () => void): void {
    log.double.refuseReceivers('t', 0, 2, { condition: 'com.microsoft:server-busy', description: 'The server is busy.' });
    log.double.detach('t', 0, 'com.microsoft:server-busy');
    act();
  }

  it('stops at what retention took, names the gap, and reads other partitions on', async () => {
    const reader = await readTen();
    away(() => {
      log.append(recordsOf('t', 0, 10, 30));
      log.double.truncateHead('t', 0, 20);
    });
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code: 'POSITION_TOO_OLD', offset: 10, message: expect.stringMatching(/events 10 to 19 are gone.*RENTFOLD_ACCEPT_INCOMPLETE_HISTORY/s) as string }]);
    faultFired('H3');
    log.append(recordsOf('t', 1, 3, 5));
    await read(reader, 15);
    expect(reader.records.filter(({ partition }) => partition === 1)).toEqual(recordsOf('t', 1, 0, 5));
    expect(reader.records.filter(({ partition }) => partition === 0)).toEqual(recordsOf('t', 0, 0, 10));
  });

  it('goes on behind what retention took where gaps are accepted, and says so', async () => {
    const reader = await readTen({ acceptIncompleteHistory: true });
    away(() => {
      log.append(recordsOf('t', 0, 10, 30));
      log.double.truncateHead('t', 0, 20);
    });
    await read(reader, 23);
    expect(reader.gaps).toEqual([expect.stringMatching(/events 10 to 19 are gone/)]);
    expect(reader.records.filter(({ partition }) => partition === 0)).toEqual([...recordsOf('t', 0, 0, 10), ...recordsOf('t', 0, 20, 30)]);
  });

  it('stops at a hole that stays, or tells it where gaps are accepted', async () => {
    for (const acceptIncompleteHistory of [false, true]) {
      log.recreate('t', recordsOf('t', 0, 0, 10));
      const reader = await openReader({ options: { acceptIncompleteHistory } });
      await read(reader, 10);
      const [before, sent] = [attached(), log.double.counters.transfersOf('t', 0)];
      log.double.skip('t', 0, 2);
      log.double.pace('t', 0, { events: 1, everyMs: 3_600_000 });
      log.append(recordsOf('t', 0, 10, 20));
      // The first event behind the hole ends the link; the next link begins with the last event before it, and then misses the same two.
      const again = until(() => attached() > before && log.double.counters.transfersOf('t', 0) >= sent + 2).then(() => {
        log.double.skip('t', 0, 2);
        log.double.pace('t', 0, null);
      });
      await reader.until(() => (acceptIncompleteHistory ? reader.records.length >= 18 : reader.stops.length > 0));
      await again;
      if (acceptIncompleteHistory) expect([reader.stops, reader.gaps, reader.records]).toEqual([[], [expect.stringMatching(/events 10 to 11 of t\/0 are missing/)], [...recordsOf('t', 0, 0, 10), ...recordsOf('t', 0, 12, 20)]]);
      else {
        expect(reader.stops).toMatchObject([{ code: 'OFFSETS_MISSING', offset: 10, message: expect.stringMatching(/events 10 to 11 of t\/0/) as string }]);
        expect(reader.records).toEqual(recordsOf('t', 0, 0, 10));
      }
      await reader.close();
    }
  });

  it.each([
    ['is shorter now', 'H4', 'POSITION_BEYOND_END', recordsOf('t', 0, 0, 4)],
    ['holds other events now', 'H5', 'POSITION_RECORD_CHANGED', recordsOf('t', 0, 0, 20).map((r) => ({ ...r, value: `${r.value!} ` }))],
  ] as const)('stops when the hub was made again and %s', async (_, id, code, records) => {
    log.append(recordsOf('t', 0, 0, 10));
    const reader = await openReader();
    await read(reader, 10);
    log.recreate('t', records);
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code }]);
    faultFired(id);
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 10));
  });

  it('stops when the hub it reads is deleted, and waits for one of which it read nothing', async () => {
    log.append(recordsOf('t', 0, 0, 10));
    log.double.addHub({ name: 'u', partitions: 2 });
    const reader = await openReader({ config: { hubs: ['t', 'u'] } });
    await read(reader, 10);
    log.double.deleteHub('t');
    log.double.deleteHub('u');
    await reader.until(() => reader.stops.length > 0 && reader.waiting.includes('u'));
    expect(reader.stops).toMatchObject([{ topic: 't', code: 'POSITION_BEYOND_END', message: expect.stringContaining('deleted') as string }]);
    faultFired('H13');
    log.append(recordsOf('u', 0, 0, 5));
    await reader.until(() => reader.records.length === 15 && reader.waiting.length === 0);
  });

  it('waits when its consumer group is deleted, which does not mean that the hub is', async () => {
    log.append(recordsOf('t', 0, 0, 10));
    const reader = await openReader({ timing: { patienceMs: 0 } });
    await read(reader, 10);
    log.double.refuseReceivers('t', 0, 3, { condition: 'amqp:not-found', description: `The messaging entity 't|$Default' could not be found.` });
    log.double.detach('t', 0, 'amqp:not-found');
    log.append(recordsOf('t', 0, 10, 20));
    await reader.until(() => reader.records.length >= 20 || reader.stops.length > 0);
    expect([reader.records, reader.stops, reader.waiting]).toEqual([recordsOf('t', 0, 0, 20), [], []]);
  });

  it('stops the partitions that a hub made again does not have any more', async () => {
    log.append([...recordsOf('t', 0, 0, 10), ...recordsOf('t', 1, 0, 10)]);
    const reader = await openReader();
    await read(reader, 20);
    log.recreate('t', recordsOf('t', 0, 0, 10));
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 1, code: 'POSITION_BEYOND_END' }]);
  });

  it('stops a partition that appears with its beginning gone', async () => {
    log.append(recordsOf('t', 0, 0, 1));
    const reader = await openReader({ config: { hubs: ['t', 'u'] } });
    expect(reader.waiting).toEqual(['u']);
    log.append(recordsOf('u', 0, 0, 9));
    log.double.truncateHead('u', 0, 4);
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ topic: 'u', code: 'HISTORY_INCOMPLETE', message: expect.stringMatching(/events 0 to 3 are missing/) as string }]);
  });

  it('reads a partition that appears with its beginning gone where that is accepted, and tells the gap', async () => {
    log.append(recordsOf('t', 0, 0, 1));
    const reader = await openReader({ config: { hubs: ['t', 'u', 'v'] }, options: { acceptIncompleteHistory: true } });
    log.append([...recordsOf('u', 0, 0, 9), ...recordsOf('v', 0, 0, 3)]);
    log.double.truncateHead('u', 0, 4);
    log.double.truncateHead('v', 0, 3);
    await reader.until(() => reader.records.length === 6 && reader.positions.has('v/0'));
    expect(reader.records.filter(({ topic }) => topic === 'u')).toEqual(recordsOf('u', 0, 4, 9));
    expect(reader.positions.get('v/0')).toMatchObject({ next: 3, lastOffset: null });
    expect([reader.gaps.toSorted(), reader.stops]).toEqual([[expect.stringMatching(/u\/0.*events 0 to 3 are missing/), expect.stringMatching(/v\/0.*events 0 to 2 are missing/)], []]);
  });
});

describe('opening', () => {
  it('waits for a service that is not there yet, and says what it could not reach when it does not come', async () => {
    log.append(recordsOf('t', 0, 0, 5));
    log.double.pauseListening();
    const error = await refusal();
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/RENTFOLD_EVENT_HUBS_CONNECTION_STRING.*ECONNREFUSED/) as string });
    const opening = openReader({ timing: { patienceMs: 30_000 } });
    await log.double.resumeListening();
    const reader = await opening;
    await read(reader, 5);
  });

  it('names the option when the service refuses who we are, at once', async () => {
    log.append(recordsOf('t', 0, 0, 5));
    log.double.refuseTokens(50);
    const error = await refusal({ timing: { patienceMs: 3_600_000 } });
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/^RENTFOLD_EVENT_HUBS_CONNECTION_STRING: .*refuses us.*listen/) as string });
    expect(error.message).not.toMatch(/YSBrZXk|sig=/);
  });

  it.each([0, 5])('names the consumer group that does not exist, of a hub with %i events', async (count) => {
    log.double.addHub({ name: 't', partitions: 1 });
    if (count > 0) log.append(recordsOf('t', 0, 0, count));
    const config = { consumerGroup: 'reports' };
    if (count > 0) expect(await refusal({ config })).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/^RENTFOLD_EVENT_HUBS_CONSUMER_GROUP: .*reports/) as string });
    else {
      const reader = await openReader({ config });
      await warned(reader);
      expect(reader.warnings[0].message).toMatch(/could not be found/);
    }
  });

  it('stops at a position that the service refuses, as it does while reading, when numbers fit and the offset is of another log', async () => {
    await log.dispose();
    log = await HubsLog.create({ offsets: 'opaque' });
    log.append(recordsOf('t', 0, 0, 10));
    const position = { ...positionAfter(recordAt('t', 0, 9)), token: log.double.events('t', 0)[9].offset };
    const reader = await openReader();
    await read(reader, 10);
    log.recreate('t', recordsOf('t', 0, 0, 20));
    await reader.until(() => reader.stops.length > 0);
    const words = /^t\/0 was read up to sequence number 10, and the service refuses to go on from there: The supplied offset .* is invalid.*replay into an empty store/;
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code: 'POSITION_BEYOND_END', message: expect.stringMatching(words) as string }]);
    expect(await refusal({ options: { positions: [position] } })).toMatchObject({ code: 'POSITION_BEYOND_END', message: expect.stringMatching(words) as string });
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 10));
  });

  it('compares by the offset text of the position, and refuses another log although its numbers fit', async () => {
    log.append(recordsOf('t', 0, 0, 20));
    const places = log.double.events('t', 0);
    const position = { ...positionAfter(recordAt('t', 0, 9)), token: places[9].offset };
    const reader = await openReader({ options: { positions: [position] } });
    await read(reader, 10);
    expect(reader.records).toEqual(recordsOf('t', 0, 10, 20));
    expect(log.double.counters.attachesOf('t', 0).map(({ filter }) => filter)).toEqual(Array(2).fill(`amqp.annotation.x-opt-offset >= '${places[9].offset}'`));
    expect(await refusal({ options: { positions: [{ ...position, token: places[14].offset }] } })).toMatchObject({ code: 'POSITION_RECORD_CHANGED' });
  });
});

describe('memory', () => {
  const EVENTS = WAITING_EVENTS_MAX + 2_000;

  it.each([1, 4])('holds no more events than it says when nobody takes them, from %i partitions', async (partitions) => {
    const each = EVENTS / partitions;
    log.double.addHub({ name: 't', partitions });
    for (let partition = 0; partition < partitions; partition++) log.append(recordsOf('t', partition, 0, each));
    const reader = await openReader();
    await read(reader, 1);
    const places = Array.from({ length: partitions }, (_, partition) => partition);
    const sent = (): number => places.reduce((sum, partition) => sum + log.double.counters.transfersOf('t', partition), 0);
    await until(() => places.every((partition) => log.double.credit('t', partition).now === 0));
    expect(sent() - reader.records.length).toBeLessThanOrEqual(WAITING_EVENTS_MAX);
    expect(sent()).toBeLessThan(EVENTS);
    faultFired('H14');
    await read(reader, EVENTS);
    expect(reader.records.length).toBe(EVENTS);
  });

  it('asks for no more and no more while events come one by one', async () => {
    log.append(recordsOf('t', 0, 0, 1));
    const reader = await openReader();
    for (let next = 1; next <= 60; next++) {
      await read(reader, next);
      log.append(recordsOf('t', 0, next, next + 1));
    }
    const { max, receivers } = log.double.credit('t', 0);
    expect(receivers).toBe(1);
    expect(max).toBeLessThanOrEqual(WAITING_EVENTS_MAX);
    expect(max).toBeGreaterThan(0);
  });

  it('asks for few events at a time when they are large', async () => {
    const value = 'x'.repeat(250_000);
    log.append(recordsOf('t', 0, 0, 200).map((r) => ({ ...r, value })));
    const reader = await openReader();
    await read(reader, 1);
    await until(() => log.double.credit('t', 0).now === 0);
    expect(log.double.counters.transfersOf('t', 0) - reader.records.length).toBeLessThanOrEqual(32 * 1024 * 1024 / value.length);
    await read(reader, 200);
    expect(reader.records.map(({ offset }) => offset)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it('keeps its link when one event alone is more than the share of a partition, and nothing else is on its way', async () => {
    const value = 'x'.repeat(900_000);
    log.double.addHub({ name: 't', partitions: 128 });
    log.append(recordsOf('t', 0, 0, 4).map((r) => ({ ...r, value })));
    const reader = await openReader({ timing: { lookMs: 3_600_000 } });
    const before = attached();
    await read(reader, 4);
    expect([reader.records.map(({ offset }) => offset), attached() - before]).toEqual([[0, 1, 2, 3], 1]);
  });

  it('gives its link up when events are suddenly large, and reads every one of them once', async () => {
    const value = 'x'.repeat(500_000);
    log.append(recordsOf('t', 0, 0, 200));
    const reader = await openReader();
    await read(reader, 200);
    const before = attached();
    log.append(recordsOf('t', 0, 200, 400).map((r) => ({ ...r, value })));
    await until(() => attached() > before);
    await read(reader, 400);
    expect(reader.records.map(({ offset }) => offset)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    expect([reader.warnings, reader.stops]).toEqual([[], []]);
  });
});
