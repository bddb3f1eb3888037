import { type ArraySource, ordinaryArrays } from './spareArrays.ts';

/** A fixed-size set of whole numbers [0, size), 32 to a word. Bits at and past `size` are always 0. */
export class Bitset {
  readonly size: number;
  /** ⌈size / 32⌉ words, bit i of word w standing for 32·w + i. Kernels work on it directly. */
  readonly words: Uint32Array;

  constructor(size: number, words = new Uint32Array((size + 31) >>> 5)) {
    this.size = size;
    this.words = words;
  }

  /** What is in it may be anything, past `size` too, until all words are written. */
  static takeFrom(arrays: ArraySource, size: number): Bitset {
    return new Bitset(size, arrays.words((size + 31) >>> 5));
  }

  static full(size: number, arrays = ordinaryArrays): Bitset {
    const set = Bitset.takeFrom(arrays, size);
    set.words.fill(0xffffffff);
    set.#clearTail();
    return set;
  }

  has(i: number): boolean {
    return ((this.words[i >>> 5]! >>> (i & 31)) & 1) === 1;
  }

  add(i: number): void {
    this.words[i >>> 5]! |= 1 << (i & 31);
  }

  delete(i: number): void {
    this.words[i >>> 5]! &= ~(1 << (i & 31));
  }

  /** In place; both of one size, as for `or` and `andNot`. */
  and(other: Bitset): this {
    andWords(this.words, other.words);
    return this;
  }

  or(other: Bitset): this {
    for (let w = 0; w < this.words.length; w++) this.words[w]! |= other.words[w]!;
    return this;
  }

  andNot(other: Bitset): this {
    for (let w = 0; w < this.words.length; w++) this.words[w]! &= ~other.words[w]!;
    return this;
  }

  /** This set's complement within [0, size), in place. */
  not(): this {
    for (let w = 0; w < this.words.length; w++) this.words[w] = ~this.words[w]!;
    this.#clearTail();
    return this;
  }

  copy(arrays = ordinaryArrays): Bitset {
    const words = arrays.words(this.words.length);
    words.set(this.words);
    return new Bitset(this.size, words);
  }

  /** The same members in a set of another size; members past it are lost. */
  resized(size: number): Bitset {
    const words = new Uint32Array((size + 31) >>> 5);
    words.set(this.words.subarray(0, words.length));
    const set = new Bitset(size, words);
    set.#clearTail();
    return set;
  }

  get isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  count(): number {
    let total = 0;
    for (let w = 0; w < this.words.length; w++) total += popcount32(this.words[w]!);
    return total;
  }

  /** Members in ascending order. */
  forEach(visit: (i: number) => void): void {
    for (let w = 0; w < this.words.length; w++) {
      for (let word = this.words[w]!; word !== 0; word &= word - 1) visit((w << 5) + ctz32(word));
    }
  }

  /** Members in ascending order. */
  toArray(): Uint32Array {
    const members = new Uint32Array(this.count());
    let count = 0;
    this.forEach((member) => {
      members[count++] = member;
    });
    return members;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let w = 0; w < this.words.length; w++) {
      for (let word = this.words[w]!; word !== 0; word &= word - 1) yield (w << 5) + ctz32(word);
    }
  }

  #clearTail(): void {
    const used = this.size & 31;
    if (used !== 0) this.words[this.words.length - 1]! &= (1 << used) - 1;
  }
}

/** A loop over two arrays that it knows: fields would be read again for each word. */
function andWords(words: Uint32Array, others: Uint32Array): void {
  for (let w = 0; w < words.length; w++) words[w]! &= others[w]!;
}

/** Bits set in a 32-bit word (Hacker's Delight, 5-1). */
export function popcount32(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Index of the lowest bit set; 32 for 0. */
export function ctz32(word: number): number {
  return word === 0 ? 32 : 31 - Math.clz32(word & -word);
}
