import type { Bitset } from './bitset.ts';

/**
 * A list that grows a page at a time, so that no step of growing copies it. `newPage` makes a page of the given size:
 * a typed array for numbers, an Array for anything else.
 */
export class PagedList<T> {
  readonly #newPage: (size: number) => Page<T>;
  readonly #pages: Page<T>[] = [];
  #length = 0;

  constructor(newPage: (size: number) => Page<T>) {
    this.#newPage = newPage;
  }

  get length(): number {
    return this.#length;
  }

  /** Elements there is memory for. */
  get capacity(): number {
    return this.#pages.length << PAGE_BITS;
  }

  push(value: T): void {
    if (this.#length === this.capacity) this.#pages.push(this.#newPage(1 << PAGE_BITS));
    this.#length++;
    this.set(this.#length - 1, value);
  }

  /** Becomes, while empty, another list of which only elements that are `here` are kept; yields between some pages. */
  *inherit(parent: PagedList<T>, here: Bitset, otherAt: (i: number) => T): Generator<void> {
    for (const [p, source] of parent.#pages.entries()) {
      if (p % PAGES_PER_STEP === 0) yield;
      const page = this.#newPage(1 << PAGE_BITS);
      const first = p << PAGE_BITS;
      const count = Math.min(1 << PAGE_BITS, parent.length - first);
      for (let i = 0; i < count; i++) page[i] = here.has(first + i) ? source[i]! : otherAt(first + i);
      this.#pages.push(page);
    }
    this.#length = parent.length;
  }

  /** 0 <= i < length, as for `set`. */
  get(i: number): T {
    return this.#pages[i >>> PAGE_BITS]![i & PAGE_MASK]!;
  }

  set(i: number, value: T): void {
    this.#pages[i >>> PAGE_BITS]![i & PAGE_MASK] = value;
  }
}

interface Page<T> {
  [i: number]: T;
}

const PAGE_BITS = 10;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
const PAGES_PER_STEP = 32;
