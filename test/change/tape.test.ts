// Goal: the tape accepts exactly the texts that are UTF-8 and that JSON.parse accepts, and holds the same values. Method: fast-check, differential:
// generated JSON with odd spacing and escapes, the same with bytes changed, cut or doubled, and texts chosen for their edges.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SCAN_INVALID, SCAN_NOT_UTF8, SCAN_TOO_DEEP } from '../../src/change/json-scan.ts';
import { Members } from '../../src/change/members.ts';
import { Names } from '../../src/change/names.ts';
import { TOKEN_ARRAY, TOKEN_FALSE, TOKEN_NULL, TOKEN_NUMBER, TOKEN_OBJECT, TOKEN_STRING, TOKEN_TRUE } from '../../src/change/token.ts';
import type { Tape } from '../../src/change/tape.ts';
import { JsonTape } from '../../src/change/json-tape.ts';
import { TextView } from '../../src/change/text-view.ts';

const encoder = new TextEncoder();
const NAME_LIST = ['id', 'amount', 'before', 'after', 'ein längerer Name', '', 'x'];
const names = new Names();
const ids = new Map(NAME_LIST.map((name) => [name, names.add(name)]));

/** The tape's value at a token; members whose name is not in NAME_LIST are left out. Numbers are their source text. */
function valueOf(tape: Tape, token: number, view: TextView): unknown {
  switch (tape.kind(token)) {
    case TOKEN_NULL: return null;
    case TOKEN_TRUE: return true;
    case TOKEN_FALSE: return false;
    case TOKEN_NUMBER: {
      view.see(tape, token);
      return Number(view.text());
    }
    case TOKEN_STRING: return view.see(tape, token) ? view.text() : '(lone surrogate)';
    case TOKEN_ARRAY: {
      const list: unknown[] = [];
      for (let child = tape.first(token); child < tape.next(token); child = tape.next(child)) list.push(valueOf(tape, child, view));
      return list;
    }
    default: {
      expect(tape.kind(token)).toBe(TOKEN_OBJECT);
      const members: Record<string, unknown> = {};
      for (let child = tape.first(token); child < tape.next(token); child = tape.next(child)) {
        for (const [name, id] of ids) if (tape.name(child) === id) members[name] = valueOf(tape, child, view);
      }
      return members;
    }
  }
}

/** The same of what JSON.parse gives. */
function known(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : '(lone surrogate)';
  if (Array.isArray(value)) return value.map(known);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(NAME_LIST.filter((name) => Object.hasOwn(value, name)).map((name) => [name, known((value as Record<string, unknown>)[name])]));
}

const tape = new JsonTape(names);
const view = new TextView();

/** Reads bytes in the middle of others, which must not be looked at. */
function read(bytes: Uint8Array, around: string): number {
  const frame = encoder.encode(around);
  const pool = new Uint8Array(frame.length * 2 + bytes.length);
  pool.set(frame);
  pool.set(bytes, frame.length);
  pool.set(frame, frame.length + bytes.length);
  const answer = tape.read(pool, frame.length, frame.length + bytes.length);
  if (answer >= 0) expect(answer).toBe(frame.length + bytes.length);
  return answer;
}

function agrees(bytes: Uint8Array): void {
  let text: string | null = null;
  let value: unknown;
  let isJson = false;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    isJson = true;
  } catch {
    isJson = false;
  }
  for (const around of ['', '"', '1e5}]', '\\"', 'null,"é']) {
    const answer = read(bytes, around);
    expect(answer >= 0, `${JSON.stringify(text)} is ${isJson ? '' : 'not '}JSON`).toBe(isJson);
    if (isJson) expect(valueOf(tape, 0, view)).toEqual(known(value));
  }
}

/** JSON text of a value with random spacing, and any character of strings and names escaped or not. */
function render(value: unknown, random: () => number): string {
  const space = (): string => ['', '', '', ' ', '\n', '\t \r'][Math.floor(random() * 6)];
  const string = (text: string): string => `"${Array.from(text, (c) => {
    const isPlain = c >= ' ' && c !== '"' && c !== '\\';
    if (isPlain && random() < 0.8) return c;
    const short = JSON.stringify(c).slice(1, -1);
    return isPlain || random() < 0.5 || short.length > 2 ? Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join('') : short;
  }).join('')}"`;
  const write = (v: unknown): string => {
    if (typeof v === 'string') return string(v);
    if (Array.isArray(v)) return `[${v.map((x) => space() + write(x) + space()).join(',')}${v.length === 0 ? space() : ''}]`;
    if (v !== null && typeof v === 'object') return `{${Object.entries(v).map(([k, x]) => `${space()}${string(k)}${space()}:${space()}${write(x)}${space()}`).join(',')}${space()}}`;
    return JSON.stringify(v);
  };
  return space() + write(value) + space();
}

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -0.5, 1e300, 12.5, 1e-7, 9007199254740991), fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...NAME_LIST), fc.string({ unit: 'binary', maxLength: 5 })), tie('value'), { maxKeys: 6 })),
})).value;

const rendered = fc.tuple(json, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })))
  .map(([value, randoms]) => encoder.encode(render(value, () => randoms.next().value as number)));

describe('differential', () => {
  test('generated JSON', () => {
    fc.assert(fc.property(rendered, agrees), { numRuns: 500 });
  });

  test('generated JSON with a byte changed, cut out or doubled', () => {
    const bytesOfInterest = fc.oneof(fc.constantFrom(...encoder.encode('"\\{}[]:,-+.eEu0127 \n\tntf/')), fc.integer({ min: 0, max: 255 }));
    fc.assert(fc.property(rendered, fc.nat(), bytesOfInterest, fc.constantFrom('change', 'cut', 'insert', 'truncate'), (bytes, place, byte, how) => {
      const at = bytes.length === 0 ? 0 : place % bytes.length;
      const changed = Uint8Array.from(bytes);
      if (how === 'change') changed[at] = byte;
      agrees(how === 'change' ? changed : how === 'truncate' ? bytes.slice(0, at)
        : Uint8Array.from([...bytes.slice(0, at), ...(how === 'insert' ? [byte] : []), ...bytes.slice(how === 'cut' ? at + 1 : at)]));
    }), { numRuns: 3000 });
  });

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), agrees), { numRuns: 500 });
    fc.assert(fc.property(fc.stringMatching(/^[-+0-9.eE]{0,8}$/), (text) => agrees(encoder.encode(text))), { numRuns: 1000 });
  });

  test.each([
    '', ' ', '{}', '[]', '[[]]', '{"":{}}', '"', '""', '"\\"', '"\\u12"', '"\\u12G4"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\ude00\\ud83d"', '"\\x"', '"\\', '01', '-', '-0', '-01', '1.', '.1', '1.e1', '1e', '1e+',
    '1E-0', 'nul', 'null ', 'nulll', 'tru', 'truE', 'fals', 'false0', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{a:1}', '[1,]', '[,1]', '[1 2]', '{"a":1 "b":2}', '{"a" 1}', '1 2', '{}{}', '[}', '{]', ']', '\ufeff{}',
    '"\u007f"', '"\u2028"', "'a'", '{"a":1}x', 'NaN', 'Infinity', '/**/1', '"\u0000"', '"\t"', '{"id":1,"id":2}', '{"\\u0069d":7}', '{"id" :1}', '{"id": 1}', '{"amount":1,"id":2}',
  ])('%j', (text) => agrees(encoder.encode(text)));

  test.each([['c0 80'], ['e0 80 80'], ['ed a0 80'], ['f4 90 80 80'], ['f8 88 80 80 80'], ['c3'], ['e2 82'], ['f0 9f 98'], ['80'], ['ff'], ['c3 a9'], ['f0 9f 98 80'], ['ed 9f bf'], ['ee 80 80'], ['f4 8f bf bf']])(
    'bytes %s in a string, a name and outside', (hex) => {
      const bytes = hex.split(' ').map((byte) => Number.parseInt(byte, 16));
      agrees(Uint8Array.from([34, ...bytes, 34]));
      agrees(Uint8Array.from([123, 34, ...bytes, 34, 58, 49, 125]));
      agrees(Uint8Array.from(bytes));
    });
});

describe('answers', () => {
  test('invalid UTF-8 and invalid JSON are told apart', () => {
    expect(read(Uint8Array.from([34, 0xff, 34]), '')).toBe(SCAN_NOT_UTF8);
    expect(read(encoder.encode('{"a":1'), '')).toBe(SCAN_INVALID);
    expect(read(encoder.encode('"\u001f"'), '')).toBe(SCAN_INVALID);
  });

  test('nesting has a limit and costs no stack', () => {
    const nested = (depth: number): Uint8Array => encoder.encode('['.repeat(depth) + ']'.repeat(depth));
    expect(read(nested(128), '')).toBeGreaterThan(0);
    expect(read(nested(129), '')).toBe(SCAN_TOO_DEEP);
    expect(read(encoder.encode('{"a":'.repeat(1_000_000)), '')).toBe(SCAN_TOO_DEEP);
  });

  test('a text of many tokens, then a small one again', () => {
    agrees(encoder.encode(`[${'1,'.repeat(600_000)}1]`));
    agrees(encoder.encode('{"id":[1,{"x":null}]}'));
  });

  test('a doubled name is told by collect', () => {
    read(encoder.encode('{"id":1,"x":2,"\\u0069d":3}'), '');
    const map = new Int8Array(512).fill(-1);
    map[ids.get('id')!] = 3;
    expect(tape.collect(0, map, new Members())).toMatchObject({ twice: 1 << 3, found: 1 << 3, count: 3 });
  });
});

describe('names', () => {
  test('guessed names are the names that stand there', () => {
    // The second text of each pair meets the guesses the first one left, and differs from them by a byte, a length, an order or a depth.
    for (const [first, second] of [['{"id":1,"amount":2}', '{"id":1,"amounT":2}'], ['{"id":1,"x":2}', '{"id":1,"xx":2}'], ['{"id":1,"amount":2}', '{"amount":1,"id":2}'],
      ['{"id":{"x":1},"x":2}', '{"id":{"x":1,"x":3},"amount":2}'], ['{"ein längerer Name":1,"id":2}', '{"ein längerer Namé":1,"id":2}']]) {
      for (let i = 0; i < 3; i++) agrees(encoder.encode(first));
      agrees(encoder.encode(second));
      agrees(encoder.encode(first));
    }
  });

  test('more names than there are guesses', () => {
    for (let i = 0; i < 5000; i++) {
      const text = encoder.encode(`{"name${i}":1,"id":${i}}`);
      expect(read(text, '')).toBeGreaterThan(0);
      expect(valueOf(tape, 0, view)).toEqual({ id: i });
    }
  });
});
