import { type Hash64, hash64Into, hashBytes } from '../base/hash.ts';
import { isArray, type Value } from '../base/value.ts';

/**
 * Builds the logical state hash: equal for equal logical state, however tables are laid out. What has an order is put in
 * in that order; what has none goes through a SetHash:
 *
 *   const member = new StateHash();
 *   const members = new SetHash();
 *   for (const [name, n] of map) members.add(member.text(name).number(n));
 *   hash.set(members);
 *
 * Every item is three words (its kind and 64 bits), so that no two sequences of items give the same bytes.
 */
export class StateHash {
  readonly #words = new Uint32Array(ITEM_WORDS * ITEMS_HELD);
  #used = 0;

  text(text: string): this {
    hash64Into(halves, text);
    return this.#item(KIND.text, halves[0]!, halves[1]!);
  }

  /** All doubles differ that have different bits: 0 and -0 do. */
  number(number: number): this {
    doubles.setFloat64(0, number);
    return this.#item(KIND.number, doubles.getUint32(0), doubles.getUint32(4));
  }

  boolean(boolean: boolean): this {
    return this.#item(KIND.boolean, 0, boolean ? 1 : 0);
  }

  value(value: Value): this {
    if (isArray(value)) {
      this.#item(KIND.array, 0, value.length);
      for (const element of value) this.value(element);
      return this;
    }
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return this.number(value);
      case 'boolean':
        return this.boolean(value);
    }
  }

  set(members: SetHash): this {
    this.number(members.count);
    return this.#item(KIND.set, members.hi, members.lo);
  }

  digest(): Hash64 {
    return hashBytes(new Uint8Array(this.#words.buffer, 0, this.#used * 4));
  }

  /** The digest, leaving an empty hash to begin another with. */
  take(): Hash64 {
    const digest = this.digest();
    this.#used = 0;
    return digest;
  }

  #item(kind: number, hi: number, lo: number): this {
    if (this.#used === this.#words.length) {
      const before = this.take();
      this.#item(KIND.before, before.hi, before.lo);
    }
    this.#words[this.#used] = kind;
    this.#words[this.#used + 1] = hi;
    this.#words[this.#used + 2] = lo;
    this.#used += ITEM_WORDS;
    return this;
  }
}

/** The sum of its members' hashes mod 2^64: the same in whatever order they come, and two of a kind do not cancel out. */
export class SetHash {
  hi = 0;
  lo = 0;
  count = 0;

  /** Takes the member's digest and leaves it empty, for the next one. */
  add(member: StateHash): void {
    this.addHash(member.take());
  }

  addHash({ hi, lo }: Hash64): void {
    const sum = this.lo + lo;
    this.lo = sum >>> 0;
    this.hi = (this.hi + hi + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    this.count++;
  }
}

const KIND = { before: 0, text: 1, number: 2, boolean: 3, array: 4, set: 5 } as const;
const ITEM_WORDS = 3;
const ITEMS_HELD = 64;

const halves = new Uint32Array(2);
const doubles = new DataView(new ArrayBuffer(8));
