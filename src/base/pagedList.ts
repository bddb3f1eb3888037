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
