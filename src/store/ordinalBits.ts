import type { Bitset } from '../base/bitset.ts';

/** A bit for each of a tablet's ordinals. Snapshots of it stay as they are: what they have is copied before it changes. */
export class OrdinalBits {
  #words = new Uint32Array(WORDS_AT_FIRST);
  #isShared = false;

  get byteLength(): number {
    return this.#words.byteLength;
  }

  /** For reading. Bits past the last one set are 0. */
  get words(): Uint32Array {
    return this.#words;
  }

  has(ordinal: number): boolean {
    return hasBit(this.#words, ordinal);
  }

  set(ordinal: number, has: boolean): void {
    if (this.has(ordinal) === has) return;
    this.reserve(ordinal + 1);
    if (this.#isShared) {
      this.#words = this.#words.slice();
      this.#isShared = false;
    }
    this.#words[ordinal >>> 5]! ^= 1 << (ordinal & 31);
  }

  /** Makes room for so many ordinals. Growing copies a bit a user: tens of microseconds at a tablet's million. */
  reserve(count: number): void {
    let { length } = this.#words;
    while (32 * length < count) length *= 2;
    if (length === this.#words.length) return;
    const words = new Uint32Array(length);
    words.set(this.#words);
    this.#words = words;
    this.#isShared = false;
  }

  /** The words as they are now, until `unshare`. */
  share(): Uint32Array {
    this.#isShared = true;
    return this.#words;
  }

  /** Nobody has any of those that were shared. */
  unshare(): void {
    this.#isShared = false;
  }

  /** Takes over, while new, another's bits of ordinals that are `here`. */
  inherit(parent: OrdinalBits, here: Bitset): void {
    this.#words = new Uint32Array(parent.#words.length);
    const end = Math.min(here.words.length, this.#words.length);
    for (let w = 0; w < end; w++) this.#words[w] = parent.#words[w]! & here.words[w]!;
  }

  /** Sets, while new, these. */
  fillFrom(set: Bitset): void {
    this.reserve(set.size);
    this.#words.set(set.words);
  }
}

/** Of words that may end before the ordinal. */
export function hasBit(words: Uint32Array, ordinal: number): boolean {
  return ((words[ordinal >>> 5]! >>> (ordinal & 31)) & 1) === 1;
}

const WORDS_AT_FIRST = 8;
