/**
 * Goal: a line means what `JSON.parse` says it means, byte for byte, and what `JSON.parse` refuses is refused.
 * Method: lines generated in every shape a writer may give them, real lines, and both with bytes changed, inserted and removed, against `JSON.parse` as the oracle.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonFault } from '../../src/source/file-json.ts';
import { FileLine } from '../../src/source/file-line.ts';

interface Parsed {
  readonly topic: Buffer;
  readonly partition: number;
  readonly offset: number;
  readonly time: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

const line = new FileLine();

/** The line parsed in the middle of other bytes, or what is wrong with it. */
function parse(bytes: Buffer): Parsed | JsonFault {
  const around = Buffer.concat([Buffer.from('"}]0 '), bytes, Buffer.from('\n0"}]')]);
  const pool = new Uint8Array(bytes.length + 3);
  const part = (start: number, end: number): Buffer | null => (start < 0 ? null : Buffer.from(pool.subarray(start, end)));
  try {
    line.parse(around, 5, 5 + bytes.length, pool, 3);
  } catch (error) {
    if (error instanceof JsonFault) return error;
    throw error;
  }
  expect(line.poolEnd).toBeLessThanOrEqual(pool.length);
  const { partition, offset, time } = line;
  return { topic: Buffer.from(line.topicBytes.subarray(line.topicStart, line.topicEnd)), partition, offset, time, key: part(line.keyStart, line.keyEnd), value: part(line.valueStart, line.valueEnd) };
}

/** UTF-8, and three bytes for half of a pair. */
function bytesOf(text: string): Buffer {
  return Buffer.concat(Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return code >= 0xd800 && code <= 0xdfff ? Buffer.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)) : Buffer.from(character);
  }));
}

/** What `JSON.parse` makes of a line; null when it is no record. */
function oracle(bytes: Buffer): Parsed | null {
  const isUtf8 = Buffer.from(bytes.toString()).equals(bytes);
  const encode = isUtf8 ? bytesOf : (text: string): Buffer => Buffer.from(text, 'latin1');
  let read: unknown;
  try {
    read = JSON.parse(bytes.toString(isUtf8 ? 'utf8' : 'latin1'));
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return null;
  const own = (name: string): unknown => (Object.hasOwn(read, name) ? (read as Record<string, unknown>)[name] : undefined);
  const [topic, partition, offset, ts, key, payload] = ['topic', 'partition', 'offset', 'ts', 'key', 'payload'].map(own);
  const isWhole = (value: unknown, max: number): value is number => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
  const isText = (value: unknown): value is string | null => value === null || typeof value === 'string';
  if (typeof topic !== 'string' || topic === '' || !isWhole(partition, 2 ** 31 - 1) || !isWhole(offset, 2 ** 53 - 2) || !isText(key) || !isText(payload)) return null;
  if (ts !== undefined && ts !== null && !Number.isSafeInteger(ts)) return null;
  const time = typeof ts === 'number' && ts >= 0 ? ts : NaN;
  return { topic: encode(topic), partition: partition + 0, offset: offset + 0, time: time + 0, key: key === null ? null : encode(key), value: payload === null ? null : encode(payload) };
}

function expectSame(bytes: Buffer): void {
  const parsed = parse(bytes);
  const expected = oracle(bytes);
  if (parsed instanceof JsonFault) {
    expect(parsed.column).toBeGreaterThanOrEqual(1);
    expect(parsed.column).toBeLessThanOrEqual(bytes.length + 1);
    // Stricter on purpose: a name that stands twice is refused, where JSON.parse takes the last.
    if (parsed.message.includes('stands twice')) return;
    expect(expected, `${parsed.message} in ${bytes.toString()}`).toBeNull();
    return;
  }
  expect(expected, bytes.toString()).not.toBeNull();
  // Bytes that are not UTF-8 are carried through; with escapes beside them the oracle cannot tell the two apart.
  if (bytes.includes('\\u') && !Buffer.from(bytes.toString()).equals(bytes)) return;
  expect(parsed).toEqual(expected);
}

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.json(), fc.constantFrom('', '\ud800', '\udc00x', '\ud83d\ude00', '\u0000', '\u2028', '\\u0041', '"'));
const space = fc.constantFrom('', '', '', ' ', '\t', ' \r', '  ');
const other = fc.tuple(fc.constantFrom('tstype', 'broker', 'headers', 'topics', '', 'TOPIC', 'kex', '__proto__', 'offsets', 'payloaD'), fc.jsonValue({ maxDepth: 4 }));
const numberText = (values: fc.Arbitrary<number>): fc.Arbitrary<string> => values.chain((n) => fc.constantFrom(String(n), `${n}.0`, `${n}e0`, `${n}E+0`, `${n}.00e-0`));
const whole = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 999_999_999_999_999, 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53, 2 ** 31 - 1, 2 ** 31, -1));

/** JSON text of a string with some characters escaped that need not be. */
const quoted = (value: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.tuple(value, fc.nat(), fc.boolean()).map(([v, pick, upper]) => {
  const escape = (c: string): string => {
    const hexadecimal = c.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${upper ? hexadecimal.toUpperCase() : hexadecimal}`;
  };
  const json = JSON.stringify(v);
  if (pick % 3 !== 0 || json.includes('\\')) return json;
  return `"${Array.from(json.slice(1, -1), (c, i) => (i % 5 === pick % 5 ? Array.from({ length: c.length }, (_, k) => escape(c[k])).join('') : c)).join('')}"`;
});

const lines = fc.tuple(
  fc.record({ topic: quoted(fc.oneof(fc.constantFrom('pg.public.rents', 't'), text)), partition: numberText(whole), offset: numberText(whole), ts: fc.oneof(numberText(whole), fc.constant('null')), key: fc.oneof(quoted(text), fc.constant('null')), payload: fc.oneof(quoted(text), fc.constant('null')) }, { requiredKeys: ['topic', 'partition', 'offset', 'payload'] }),
  fc.array(other, { maxLength: 3 }), fc.infiniteStream(fc.nat()), fc.infiniteStream(space), fc.infiniteStream(fc.boolean()),
).map(([fields, others, order, spaces, escapes]) => {
  const gap = (): string => spaces.next().value;
  const name = (n: string): string => (n !== '' && escapes.next().value && order.next().value % 4 === 0 ? `"\\u${n.charCodeAt(0).toString(16).padStart(4, '0')}${n.slice(1)}"` : JSON.stringify(n));
  const pairs = [...Object.entries(fields).map(([n, v]) => [name(n), v!]), ...others.map(([n, v]) => [name(n), JSON.stringify(v)])];
  const shuffled = pairs.map((pair) => ({ pair, rank: order.next().value })).sort((a, b) => a.rank - b.rank).map(({ pair: [n, v] }) => `${gap()}${n}${gap()}:${gap()}${v}${gap()}`);
  return `${gap()}{${shuffled.join(',')}}${gap()}`;
});

const realLines = readFileSync(new URL('../fixtures/conformance/ghosts/pg.public.expenses.jsonl', import.meta.url)).toString().split('\n').filter(Boolean).slice(0, 60);
const pieces = fc.constantFrom('"', '\\', '\\u', '\\ud83d', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', 'null', 'true', ' ', '\t', '\u0000', 'ü', '\u00a0', '"offset":1,', '"headers":[1,{"a":[]}],', '"x":{"y":[1,2,{}]},', '\u001f', '/', 'x');
const mutations = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 3 }), fc.oneof(pieces.map((p) => Buffer.from(p)), fc.uint8Array({ maxLength: 2 }).map((b) => Buffer.from(b)))), { minLength: 1, maxLength: 3 });

function mutate(bytes: Buffer, changes: readonly (readonly [number, number, Buffer])[]): Buffer {
  for (const [where, removed, inserted] of changes) {
    const at = Math.floor(where * bytes.length);
    bytes = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
  }
  return Buffer.from(bytes.filter((byte) => byte !== 10));
}

describe('a line of a dump', () => {
  it('reads as JSON.parse reads it, in any order, spacing and escaping', () => {
    fc.assert(fc.property(lines, (made) => expectSame(Buffer.from(made))), { numRuns: 3000 });
  });

  it('is refused where JSON.parse refuses it, however it was damaged', () => {
    fc.assert(fc.property(fc.oneof(lines, fc.constantFrom(...realLines)), mutations, (made, changes) => expectSame(mutate(Buffer.from(made), changes))), { numRuns: 6000 });
  });

  it('reads real lines', () => {
    for (const real of realLines) {
      const bytes = Buffer.from(real);
      expect(parse(bytes)).toEqual(oracle(bytes));
      expect(oracle(bytes)).not.toBeNull();
    }
  });

  it('takes half of a surrogate pair as three bytes no UTF-8 decoder accepts, and a pair as one character', () => {
    const made = (payload: string): Parsed => parse(Buffer.from(`{"topic":"t","partition":0,"offset":0,"key":null,"payload":"${payload}"}`)) as Parsed;
    expect([...made('\\ud83d').value!]).toEqual([0xed, 0xa0, 0xbd]);
    expect([...made('\\udc00\\ud83d').value!]).toEqual([0xed, 0xb0, 0x80, 0xed, 0xa0, 0xbd]);
    expect(made('\\ud83d\\ude00').value!.toString()).toBe('😀');
    expect(made('\\u00e9\\u20ac').value!.toString()).toBe('é€');
  });

  it('reads nesting of any depth without running out of stack', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(parse(Buffer.from(`{"headers":${deep},"topic":"t","partition":0,"offset":0,"key":null,"payload":null}`))).toMatchObject({ partition: 0 });
    expect(parse(Buffer.from(`{"headers":${deep.slice(1)},"topic":"t"}`))).toBeInstanceOf(JsonFault);
  });

  it('gives the same place when only the place is read', () => {
    fc.assert(fc.property(lines, (made) => {
      const bytes = Buffer.from(`${made}\n`);
      const whole = parse(bytes.subarray(0, -1));
      if (whole instanceof JsonFault) return;
      line.parsePlace(bytes, 0, bytes.length - 1);
      expect([Buffer.from(line.topicBytes.subarray(line.topicStart, line.topicEnd)), line.partition, line.offset]).toEqual([whole.topic, whole.partition, whole.offset]);
    }));
  });
});
