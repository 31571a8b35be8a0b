/** A small seeded generator (mulberry32), so that one number reproduces a whole draw. Not for anything but tests. */
export interface Random {
  /** A number in [0, 1). */
  unit(): number;
  /** A whole number in [0, end). */
  below(end: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed | 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    unit,
    below: (end) => Math.floor(unit() * end),
    chance: (probability) => unit() < probability,
    pick: (items) => {
      if (items.length === 0) throw new Error('nothing to pick from');
      return items[Math.floor(unit() * items.length)];
    },
  };
}

/** Hash of a text, 32 bits, as a stand-in for a producer's partitioner. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  return hash >>> 0;
}
