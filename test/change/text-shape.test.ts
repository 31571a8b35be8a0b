// Goal: a tape that remembers the shapes of texts reads every text as one that remembers nothing. Method: fast-check, differential: one tape reads long runs of texts that are alike
// (values of every kind changed, lengths, escapes, spacing, members left out), some of them damaged; for each a fresh tape must give the same answer and the same tokens.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Members } from '../../src/change/members.ts';
import { Names, slotMap } from '../../src/change/names.ts';
import { JsonTape } from '../../src/change/json-tape.ts';
import { TOKEN_OBJECT, TOKEN_WORDS } from '../../src/change/token.ts';

const encoder = new TextEncoder();
const MEMBERS = ['id', 'amount', 'before', 'after', 'x', 'description', 'ein längerer Name'];
const names = new Names();
const own = new Members();
MEMBERS.slice(0, 4).forEach((name) => names.add(name));

/** Slots of two names each; `x` stands twice now and then. */
const MAPS = [['id', 'x'], ['amount', 'before']].map((wanted) => slotMap(names, wanted.map((name, slot) => [name, slot])));

/** A tape's answer and all it says of every token, and of every object's members. */
function readBy(tape: JsonTape, bytes: Uint8Array, from: number, to: number): unknown {
  const answer = tape.read(bytes, from, to);
  if (answer < 0) return answer;
  const tokens = Array.from({ length: tape.size / TOKEN_WORDS }, (_, i) => {
    const token = i * TOKEN_WORDS;
    const members = tape.kind(token) !== TOKEN_OBJECT ? [] : MAPS.map((map) => {
      const { slots, found, twice, count } = tape.collect(token, map, own);
      return [...slots, found, twice, count];
    });
    return [tape.kind(token), tape.name(token), tape.start(token), tape.end(token), tape.next(token), tape.isEscaped(token), members];
  });
  return { answer, tokens };
}

const pool = new Uint8Array(new ArrayBuffer(70_003), 3);

function readsAlike(texts: Iterable<Uint8Array>): void {
  const tape = new JsonTape(names);
  let offset = 0;
  for (const text of texts) {
    offset = (offset + 3) % 17;
    // The same memory for all texts, and not at its buffer's beginning, as batches have it.
    pool.fill(0x22, 0, offset + text.length + 20).set(text, offset);
    expect(readBy(tape, pool, offset, offset + text.length)).toEqual(readBy(new JsonTape(names), pool, offset, offset + text.length));
  }
}

const scalar = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '-0', '1', '12', '123456789012', '1.5', '-2e10', '1E-2', '""', '"a"', '"ab"', '"é"', '"\\u00e9\\n"', '"abcdefgh"', '"0af1b5a4-7e02-4a2f-9c20-000000000001"'),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => JSON.stringify(text)),
  fc.integer().map(String),
);
/** A layout: the text of an object with a hole for every scalar value. */
const layout: fc.Arbitrary<string> = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant('#'), tie('object'), tie('array')),
  object: fc.array(fc.tuple(fc.constantFrom(...MEMBERS), tie('value')), { maxLength: 6 }).map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
  array: fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
})).object;

const filled = (text: string, values: readonly string[]): string => {
  let next = 0;
  return text.replaceAll('#', () => values[next++ % values.length]);
};

test('texts of a few layouts, in any mixture', () => {
  fc.assert(fc.property(
    fc.array(layout, { minLength: 1, maxLength: 16 }),
    fc.array(fc.tuple(fc.nat(), fc.array(scalar, { minLength: 1, maxLength: 5 })), { minLength: 5, maxLength: 40 }),
    (layouts, picks) => readsAlike(picks.map(([pick, values]) => encoder.encode(filled(layouts[pick % layouts.length], values)))),
  ), { numRuns: 60 });
});

test('texts that fit but for one byte, one cut or one doubled stretch', () => {
  fc.assert(fc.property(
    layout, fc.array(fc.tuple(fc.array(scalar, { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('byte', 'cut', 'double', 'none')), { minLength: 4, maxLength: 30 }),
    (text, changes) => readsAlike(changes.map(([values, place, byte, what]) => {
      const bytes = encoder.encode(filled(text, values));
      const at = place % bytes.length;
      if (what === 'byte') bytes[at] = byte;
      if (what === 'cut') return bytes.subarray(0, at);
      return what === 'double' ? Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(Math.max(0, at - 5))) : bytes;
    })),
  ), { numRuns: 100 });
});

test('a value that becomes longer, of another kind, an object, or is followed by space; texts without names', () => {
  const texts = ['1', '12', '"a"', '"ab"', 'null', '{"id":1,"x":"a"}', '{"id":12,"x":"a"}', '{"id":12 ,"x":"a"}', '{"id":null,"x":"ab"}', '{"id":{},"x":"a"}', '{"id":[1],"x":"a"}', '{"id":1,"x":"a"} ', ' {"id":1,"x":"a"}', '{"id":1,"x":"a"}}', '{"id":01,"x":"a"}', '{"id":1,"x":"\\ud800"}'];
  readsAlike([...texts, ...texts, ...texts].map((text) => encoder.encode(text)));
});

test('more layouts than are remembered, each again and again, and hundreds met once', () => {
  const many = Array.from({ length: 40 }, (_, i) => `{"id":${i},"k${i}":"v"}`);
  const once = Array.from({ length: 400 }, (_, i) => `{"name ${i * 7}":[${i},"${i}"]}`);
  readsAlike([...many, ...many, ...once, ...many].map((text) => encoder.encode(text)));
});
