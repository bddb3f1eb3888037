import { assert } from './assert.ts';

/**
 * The ground of the tables of ids: fixed-width entries found by a 32-bit hash, up to hundreds of millions of them, and
 * no step of growing that takes longer than rehashing one page (tens of microseconds).
 *
 * Extendible hashing (Fagin, Nievergelt, Pippenger, Strong, 1979): the leading bits of the hash pick a page through a
 * directory, its trailing 16 bits a slot within, then come the following slots, around the end. A page doubles until it
 * has PAGE_SLOTS, and from then on splits in two by the next leading bit.
 *
 * An entry is `width` words: the first is the hash, the last is never 0, which marks a free slot. Callers probe by
 * themselves, so that each compares what it stores:
 *
 *   for (at = pages.start(page, hash); words[at + width - 1] !== 0; at = pages.next(words, at)) ...
 *
 * and after filling the free slot they arrive at, call `added`.
 */
export class HashPages {
  readonly #width: number;
  #directory: Page[];
  /** log2 of the directory's length. */
  #depth = 0;
  #count = 0;
  #words: number;

  constructor(width: number) {
    assert(width >= 2, 'an entry has a hash and something else');
    this.#width = width;
    this.#directory = [newPage({ depth: 0, prefix: 0, slots: PAGE_SLOTS_MIN, width })];
    this.#words = PAGE_SLOTS_MIN * width;
  }

  get count(): number {
    return this.#count;
  }

  get memoryBytes(): number {
    return this.#words * 4 + this.#directory.length * 8;
  }

  pageOf(hash: number): Page {
    return this.#directory[(hash >>> 16) >>> (DEPTH_MAX - this.#depth)]!;
  }

  /** Word index of the slot where the search for this hash begins. */
  start(page: Page, hash: number): number {
    return (Math.imul(hash & 0xffff, page.slots) >>> 16) * this.#width;
  }

  next(words: Uint32Array, at: number): number {
    const next = at + this.#width;
    return next === words.length ? 0 : next;
  }

  /** The caller has filled a free slot of this page. Slots may have moved when this returns. */
  added(page: Page): void {
    this.#count++;
    page.used++;
    if (page.used <= page.slots * FILL_MAX) return;
    // Past the last depth only entries of one hash prefix are left: an attack, or a bad hash. It stays correct.
    if (page.slots < PAGE_SLOTS || page.depth === DEPTH_MAX) this.#double(page);
    else this.#split(page);
  }

  /** Visits every entry, in no order that means anything. */
  forEach(visit: (words: Uint32Array, at: number) => void): void {
    for (const page of new Set(this.#directory)) {
      forEachEntry(page.words, this.#width, (at) => visit(page.words, at));
    }
  }

  /**
   * Becomes, while empty, another table of which only those entries are kept whose last word passes: page by page, with
   * the same directory. Yields between two pages.
   */
  *inherit(parent: HashPages, isWanted: (lastWord: number) => boolean): Generator<void> {
    const copies = new Map<Page, Page>();
    this.#words = 0;
    for (const page of new Set(parent.#directory)) {
      const copy = this.#filtered(page, isWanted);
      copies.set(page, copy);
      this.#words += copy.words.length;
      this.#count += copy.used;
      yield;
    }
    this.#directory = parent.#directory.map((page) => copies.get(page)!);
    this.#depth = parent.#depth;
  }

  /** With as few slots as its own entries may have. */
  #filtered({ words, depth, prefix }: Page, isWanted: (lastWord: number) => boolean): Page {
    const width = this.#width;
    const wanted = new Uint32Array(words.length / width);
    let used = 0;
    forEachEntry(words, width, (at) => {
      if (isWanted(words[at + width - 1]!)) wanted[used++] = at;
    });
    let slots = PAGE_SLOTS_MIN;
    while (used > slots * FILL_MAX) slots *= 2;
    const copy = newPage({ depth, prefix, slots, width });
    for (let i = 0; i < used; i++) this.#copyEntry(words, wanted[i]!, copy);
    copy.used = used;
    return copy;
  }

  #double(page: Page): void {
    const { words } = page;
    this.#words += words.length;
    page.slots *= 2;
    page.words = new Uint32Array(words.length * 2);
    forEachEntry(words, this.#width, (at) => this.#copyEntry(words, at, page));
  }

  #split(page: Page): void {
    if (page.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((same) => [same, same]);
      this.#depth++;
    }
    const { words, depth, prefix, slots } = page;
    const left = newPage({ depth: depth + 1, prefix: prefix * 2, slots, width: this.#width });
    const right = newPage({ depth: depth + 1, prefix: prefix * 2 + 1, slots, width: this.#width });
    forEachEntry(words, this.#width, (at) => {
      const target = (words[at]! >>> (31 - depth)) & 1 ? right : left;
      this.#copyEntry(words, at, target);
      target.used++;
    });
    this.#words += words.length;
    for (const child of [left, right]) {
      const span = 1 << (this.#depth - child.depth);
      this.#directory.fill(child, child.prefix * span, (child.prefix + 1) * span);
    }
  }

  #copyEntry(words: Uint32Array, from: number, page: Page): void {
    const width = this.#width;
    const target = page.words;
    let at = this.start(page, words[from]!);
    while (target[at + width - 1] !== 0) at = this.next(target, at);
    for (let i = 0; i < width; i++) target[at + i] = words[from + i]!;
  }
}

export interface Page {
  /** `slots` entries, free ones included. */
  words: Uint32Array;
  slots: number;
  used: number;
  /** Leading bits that all hashes in it share, and those bits. */
  readonly depth: number;
  readonly prefix: number;
}

const DEPTH_MAX = 16;
const PAGE_SLOTS_MIN = 20;
/** Not a power of two: a table that holds one (a tablet's million users) then has its pages 80 % full, not half. */
const PAGE_SLOTS = 5120;
/** At 7/8 a search for what is not there looks at 32 slots in a row on average. */
const FILL_MAX = 7 / 8;

function newPage(page: { depth: number; prefix: number; slots: number; width: number }): Page {
  const { depth, prefix, slots, width } = page;
  return { words: new Uint32Array(slots * width), slots, used: 0, depth, prefix };
}

function forEachEntry(words: Uint32Array, width: number, visit: (at: number) => void): void {
  for (let at = 0; at < words.length; at += width) if (words[at + width - 1] !== 0) visit(at);
}
