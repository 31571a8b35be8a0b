/**
 * Goal: whatever pieces a broker's answers arrive in, whole answers come out, byte for byte; memory is used again only after it was given back; bytes that are no answers are handed
 * on as they come. Method: random answers cut at random places; frames of all sizes around those whose memory is kept.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameGatherer, FrameMemory } from '../../src/source/kafka-frames.ts';

function frame(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** What a gatherer delivers for a stream that arrives in pieces of these lengths, again and again. */
function delivered(stream: Uint8Array, pieces: readonly number[], memory = new FrameMemory()): Buffer[] {
  const frames: Buffer[] = [];
  const gatherer = new FrameGatherer(memory, (bytes) => frames.push(bytes));
  for (let at = 0, i = 0; at < stream.length; i++) {
    const room = gatherer.room();
    const piece = stream.subarray(at, at + Math.min(room.length, pieces[i % pieces.length]));
    room.set(piece);
    gatherer.arrived(piece.length);
    at += piece.length;
  }
  return frames;
}

it('answers in any pieces come out whole', () => {
  fc.assert(fc.property(
    fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
    (bodies, pieces) => { expect(delivered(Buffer.concat(bodies.map(frame)), pieces)).toEqual(bodies.map(frame)); },
  ));
});

it('long answers in pieces of any size, up to all that a read may bring', () => {
  const bodies = [70_000, 5, 300_000, 2_000_000, 65_536, 1, 400_000].map((length, i) => new Uint8Array(length).map((_, at) => (at * 7 + i) & 0xff));
  for (const pieces of [[8_000_000], [65_536], [65_535, 3], [100_000, 1, 1_000_000], [262_144, 262_145]]) expect(delivered(Buffer.concat(bodies.map(frame)), pieces).map((bytes, i) => bytes.equals(frame(bodies[i])))).toEqual(bodies.map(() => true));
});

it('large answers share memory one after the other, never two at once', () => {
  const bodies = [300_000, 4_000_000, 900_000, 9_000_000].map((length, i) => new Uint8Array(length).fill(i + 1));
  const memory = new FrameMemory();
  const first = delivered(Buffer.concat(bodies.map(frame)), [65_536], memory);
  expect(first.map((bytes) => bytes.equals(frame(bodies[first.indexOf(bytes)])))).toEqual([true, true, true, true]);
  first.forEach((bytes) => memory.giveBack(bytes));
  memory.giveBack(first[0]);
  const second = delivered(Buffer.concat(bodies.slice(0, 3).map(frame)), [65_536], memory);
  const own = new Set(second.map(({ buffer }) => buffer));
  expect(own.size, 'each has its own').toBe(3);
  expect(second.every(({ buffer }) => first.some((bytes) => bytes.buffer === buffer)), 'and none is new').toBe(true);
  expect(second.map((bytes, i) => bytes.equals(frame(bodies[i])))).toEqual([true, true, true]);
});

it('what is no answer is handed on as it comes', () => {
  const text = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
  for (const pieces of [[3], [4], [7], [100]]) expect(Buffer.concat(delivered(text, pieces))).toEqual(text);
  const negative = Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
  expect(Buffer.concat(delivered(negative, [2]))).toEqual(negative);
});
