import type { Bitset } from './bitset.ts';

/**
 * A list that grows a page at a time, so that no step of growing copies it. `newPage` makes a page of the given size:
 * a typed array for numbers, an Array for anything else.
 */
export class PagedList<T> {
  readonly #newPage: (size: number) => Page<T>;
  readonly #pages: Page<T>[] = [];
  #length = 0;
  /** By page, 1 for those that a copy has too; undefined before there was one. */
  #shared: Uint8Array | undefined;

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
    const p = i >>> PAGE_BITS;
    if (this.#shared !== undefined && this.#shared[p] === 1) this.#unshare(p);
    this.#pages[p]![i & PAGE_MASK] = value;
  }

  /**
   * The list as it is now, only for reading: it has the pages in common with this one, which copies a page before it is
   * changed for the first time.
   */
  snapshot(): PagedList<T> {
    const copy = new PagedList<T>(this.#newPage);
    copy.#pages.push(...this.#pages);
    copy.#length = this.#length;
    this.#shared = new Uint8Array(this.#pages.length).fill(1);
    return copy;
  }

  #unshare(p: number): void {
    const page = this.#newPage(1 << PAGE_BITS);
    for (let i = 0; i <= PAGE_MASK; i++) page[i] = this.#pages[p]![i]!;
    this.#pages[p] = page;
    this.#shared![p] = 0;
  }
}

interface Page<T> {
  [i: number]: T;
}

const PAGE_BITS = 10;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
const PAGES_PER_STEP = 32;
