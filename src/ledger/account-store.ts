import { NO_DAY } from '../change/change.ts';
import { hashIdentifier } from '../change/identifier.ts';
import { enter, firstUnder } from './hashed-places.ts';

/**
 * Accounts, packed: 64 bytes each, so that all a change of a row needs of an account lies in one or two cache lines. Fields by word:
 *
 * | words | field |
 * |---|---|
 * | 0–3 | identifier |
 * | 4 | kind of the identifier (lower 8 bits), flags (upper 24) |
 * | 5 | owner: of a unit its property's account plus one, of a property 0 |
 * | 6 | newest day: no counting row is dated later |
 * | 7 | live rows |
 * | 8–9 | of a property `down_payment` of its own row; NaN null |
 * | 10–11 | unused |
 * | 12 | of a property the first row of its chain, plus one |
 * | 13 | first slot of its totals, plus one |
 * | 14 | of a property its first unit, of a unit the next one of the same property; plus one |
 * | 15 | hash of owner, kind and identifier |
 *
 * When an account was last changed stands in a column of its own, which a checkpoint copies at once.
 */
export const ACCOUNT_WORDS = 16;
export const ACCOUNT_DOUBLES = ACCOUNT_WORDS / 2;
const KIND = 4;
const OWNER = 5;
export const NEWEST_DAY = 6;
export const ROW_COUNT = 7;
export const DOWN_PAYMENT = 4;
export const CHAIN_HEAD = 12;
export const FIRST_SLOT = 13;
export const UNIT_LINK = 14;
const HASH = 15;
const KIND_MASK = 0xff;
const FLAGS_SHIFT = 8;

const CAPACITY_FIRST = 256;
const LOAD_MAX = 0.7;

/**
 * Numbers for accounts: (owner, kind, four words) → 0, 1, 2, … in order of arrival. The owner tells equal unit ids of two properties apart. Long identifiers
 * come with the number of their text in the books' own table. By the bits of its hash nearly every other account met while probing is told apart without a look at it.
 */
export class AccountStore {
  count = 0;
  /** Views of one memory: fields of account `i` begin at word `i · ACCOUNT_WORDS`. They are new ones after `intern` made an account. */
  words = new Uint32Array(CAPACITY_FIRST * ACCOUNT_WORDS);
  integers = new Int32Array(this.words.buffer);
  doubles = new Float64Array(this.words.buffer);
  /** When each account was last changed, milliseconds. A new one after `intern` made an account, too. */
  changedAt = new Float64Array(CAPACITY_FIRST).fill(Number.NEGATIVE_INFINITY);
  #slots = new Uint32Array(CAPACITY_FIRST * 2);

  /** The number, or -1. */
  find(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
    return this.findHashed(hashAccount(owner, kind, a, b, c, d), owner, kind, a, b, c, d);
  }

  /** `find` with the identifier's hash. */
  findHashed(hashed: number, owner: number, kind: number, a: number, b: number, c: number, d: number): number {
    const slots = this.#slots;
    const words = this.words;
    const mask = slots.length - 1;
    for (let slot = hashed & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (((entry ^ hashed) & ~mask) !== 0) continue;
      const account = (entry & mask) - 1;
      const at = account * ACCOUNT_WORDS;
      const differs = (words[at] ^ a) | (words[at + 1] ^ b) | (words[at + 2] ^ c) | (words[at + 3] ^ d) | (words[at + OWNER] ^ owner) | ((words[at + KIND] & KIND_MASK) ^ kind);
      if (differs === 0) return account;
    }
    return -1;
  }

  /** The number, a new one if need be (then `count` rises by one, and its fields are those of an account without rows). */
  intern(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
    const hashed = hashAccount(owner, kind, a, b, c, d);
    const known = this.findHashed(hashed, owner, kind, a, b, c, d);
    if (known >= 0) return known;
    if (this.count + 1 > this.#slots.length * LOAD_MAX) this.#growSlots();
    const account = this.count++;
    if (this.count * ACCOUNT_WORDS > this.words.length) this.#growFields();
    const { words } = this;
    const at = account * ACCOUNT_WORDS;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    words[at + KIND] = kind;
    words[at + OWNER] = owner;
    words[at + HASH] = hashed;
    this.integers[at + NEWEST_DAY] = NO_DAY;
    this.doubles[account * ACCOUNT_DOUBLES + DOWN_PAYMENT] = Number.NaN;
    this.#place(account);
    return account;
  }

  /** Reads where an account with this hash stands in the index, to have its memory fetched. */
  touchPlace(hashed: number): number {
    return this.#slots[hashed & (this.#slots.length - 1)];
  }

  /** Reads the account that stands first in the index under this hash, to have its memory fetched. */
  touchAccount(hashed: number): number {
    const account = firstUnder(this.#slots, hashed);
    return account < 0 ? 0 : this.words[account * ACCOUNT_WORDS];
  }

  /** Kind of the account's identifier. */
  kind(account: number): number {
    return this.words[account * ACCOUNT_WORDS + KIND] & KIND_MASK;
  }

  /** 0 for a property, else the property's account plus one. */
  owner(account: number): number {
    return this.words[account * ACCOUNT_WORDS + OWNER];
  }

  flags(account: number): number {
    return this.words[account * ACCOUNT_WORDS + KIND] >>> FLAGS_SHIFT;
  }

  setFlags(account: number, flags: number): void {
    const at = account * ACCOUNT_WORDS + KIND;
    this.words[at] = (this.words[at] & KIND_MASK) | (flags << FLAGS_SHIFT);
  }

  get bytes(): number {
    return this.words.byteLength + this.changedAt.byteLength + this.#slots.byteLength;
  }

  #place(account: number): void {
    enter(this.#slots, account, this.words[account * ACCOUNT_WORDS + HASH]);
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let account = 0; account < this.count; account++) this.#place(account);
  }

  #growFields(): void {
    const { words } = this;
    this.words = new Uint32Array(words.length * 2);
    this.words.set(words);
    this.integers = new Int32Array(this.words.buffer);
    this.doubles = new Float64Array(this.words.buffer);
    const { changedAt } = this;
    this.changedAt = new Float64Array(changedAt.length * 2).fill(Number.NEGATIVE_INFINITY, changedAt.length);
    this.changedAt.set(changedAt);
  }
}

/** Hash of an account's owner and identifier. */
export function hashAccount(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
  const identifier = hashIdentifier(kind, a, b, c, d);
  return owner === 0 ? identifier : (Math.imul(identifier ^ Math.imul(owner, 0x9e3779b1), 0x85ebca6b) ^ (identifier >>> 15)) >>> 0;
}
