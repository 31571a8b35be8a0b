import type { SlotMap } from './names.ts';
import { TOKEN_NAME_SHIFT, TOKEN_WORDS } from './token.ts';
import { SLOTS_MAX } from './vocabulary.ts';

/** Slots of an object that has none of the members asked for. */
export const NO_SLOTS: Readonly<Int32Array> = new Int32Array(SLOTS_MAX).fill(-1);

/** Where the members of an object are that a slot map asks for. */
export class Members {
  /** Token by slot, -1: not there. */
  readonly slots = new Int32Array(SLOTS_MAX);
  /** A bit for every slot found, and one for every slot met twice. */
  found = 0;
  twice = 0;
  /** Number of all members. */
  count = 0;
  /** True when they are those of one object in all texts of one shape: then they stay as they are. */
  isKept = false;

  /** Finds the members of the object at token `object` of `words`, which are as a `Tape` holds them. */
  gather(words: Int32Array, object: number, map: SlotMap): void {
    const { slots } = this;
    for (let slot = 0; slot < SLOTS_MAX; slot++) slots[slot] = -1;
    const end = words[object + 3];
    let twice = 0;
    let found = 0;
    let count = 0;
    for (let token = object + TOKEN_WORDS; token < end; token = words[token + 3]) {
      count++;
      const slot = map[words[token] >> TOKEN_NAME_SHIFT];
      if (slot < 0) continue;
      if (slots[slot] >= 0) twice |= 1 << slot;
      slots[slot] = token;
      found |= 1 << slot;
    }
    this.found = found;
    this.twice = twice;
    this.count = count;
  }
}

/** A change event needs three or four; an object of a list is looked at once. */
const KEPT_MAX = 8;

interface Collection {
  readonly object: number;
  readonly map: SlotMap;
  readonly members: Members;
}

/** Members of objects in texts that have the same names in the same places, found once for all of them. */
export class Collections {
  readonly #kept: Collection[] = [];

  /** What was found in the object at token `object` by that map; null when nothing was kept. */
  find(object: number, map: SlotMap): Members | null {
    const kept = this.#kept;
    for (let i = 0; i < kept.length; i++) if (kept[i].object === object && kept[i].map === map) return kept[i].members;
    return null;
  }

  /** Finds the members and keeps what was found; in `own` once there is no room to keep it. */
  add(words: Int32Array, object: number, map: SlotMap, own: Members): Members {
    const isKept = this.#kept.length < KEPT_MAX;
    const members = isKept ? new Members() : own;
    members.gather(words, object, map);
    if (isKept) {
      members.isKept = true;
      this.#kept.push({ object, map, members });
    }
    return members;
  }
}
