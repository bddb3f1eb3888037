import type { Bitset } from '../base/bitset.ts';

/** Ordinals per page, a power of two: so small that growing a page takes a fraction of a millisecond. */
const PAGE_BITS = 14;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
/** No key of a page. */
const EMPTY = 0xffff;
const CAPACITY_MIN = 8;
/** A page over 4/5 full becomes one that is 5/8 full: 10 bytes a time are 12.5 to 16 with what is empty. */
const LOAD_MAX = 0.8;
const LOAD_GROWN = 0.625;

/**
 * A few times (ms) for each of some users: a table from ordinal to times, in pages of 16 K ordinals. Each page is one
 * open-addressing table (linear probing, deletion by shifting back) in which a user stands once for every time.
 */
export class TimesTable {
  readonly #pages: (Page | undefined)[] = [];

  get memoryBytes(): number {
    return this.#pages.reduce((sum, page) => sum + (page?.memoryBytes ?? 0), 0);
  }

  /** Writes the user's times into `target`, ascending, and says how many there are. */
  read(ordinal: number, target: Float64Array): number {
    const page = this.#pages[ordinal >>> PAGE_BITS];
    return page === undefined ? 0 : page.read(ordinal & PAGE_MASK, target);
  }

  /** Takes over, while empty, what another table has of ordinals that are `here`; yields between two pages. */
  *inherit(parent: TimesTable, here: Bitset): Generator<void> {
    for (const [i, page] of parent.#pages.entries()) {
      this.#pages.push(page?.kept(here, i << PAGE_BITS));
      yield;
    }
  }

  /**
   * Makes times[from, to) the user's times. Those of other users at or before `expiredMs` are of no use any more: they
   * may be forgotten when room is needed.
   */
  write(ordinal: number, times: Float64Array, from: number, to: number, expiredMs: number): void {
    const at = ordinal >>> PAGE_BITS;
    let page = this.#pages[at];
    if (page === undefined) {
      if (from === to) return;
      while (this.#pages.length < at) this.#pages.push(undefined);
      page = new Page();
      this.#pages[at] = page;
    }
    page.write(ordinal & PAGE_MASK, times, from, to, expiredMs);
  }
}

class Page {
  #keys = new Uint16Array(CAPACITY_MIN).fill(EMPTY);
  #times = new Float64Array(CAPACITY_MIN);
  #used = 0;

  get memoryBytes(): number {
    return this.#keys.byteLength + this.#times.byteLength;
  }

  read(key: number, target: Float64Array): number {
    const keys = this.#keys;
    let count = 0;
    for (
      let entry = this.#home(key);
      keys[entry] !== EMPTY;
      entry = entry + 1 === keys.length ? 0 : entry + 1
    ) {
      if (keys[entry] !== key) continue;
      const time = this.#times[entry];
      let place = count++;
      for (; place > 0 && target[place - 1] > time; place--) target[place] = target[place - 1];
      target[place] = time;
    }
    return count;
  }

  write(key: number, times: Float64Array, from: number, to: number, expiredMs: number): void {
    let next = from;
    for (let entry = this.#home(key); !this.#isEmpty(entry); ) {
      if (this.#keys[entry] === key) {
        if (next === to) {
          this.#remove(entry); // what it shifts here is looked at in the next round
          continue;
        }
        this.#times[entry] = times[next++];
      }
      entry = this.#after(entry);
    }
    for (; next < to; next++) {
      if (this.#used + 1 > LOAD_MAX * this.#times.length) this.#grow(expiredMs);
      this.#insert(key, times[next]);
    }
  }

  /** Another page with the times of users who are `here`; `first` is the ordinal of the page's first. */
  kept(here: Bitset, first: number): Page | undefined {
    const keys = this.#keys;
    const entries = new Uint32Array(this.#used);
    let count = 0;
    for (let entry = 0; entry < keys.length; entry++) {
      if (keys[entry] !== EMPTY && here.has(first + keys[entry])) entries[count++] = entry;
    }
    if (count === 0) return undefined;
    const page = new Page();
    page.#makeRoomFor(count);
    for (let i = 0; i < count; i++) page.#insert(keys[entries[i]], this.#times[entries[i]]);
    return page;
  }

  /** Fibonacci hashing, which spreads runs of ordinals evenly. */
  #home(key: number): number {
    return Math.floor(((Math.imul(key, 40503) & 0xffff) * this.#times.length) / 0x10000);
  }

  #after(entry: number): number {
    return entry + 1 === this.#times.length ? 0 : entry + 1;
  }

  #isEmpty(entry: number): boolean {
    return this.#keys[entry] === EMPTY;
  }

  #insert(key: number, time: number): void {
    let entry = this.#home(key);
    while (!this.#isEmpty(entry)) entry = this.#after(entry);
    this.#keys[entry] = key;
    this.#times[entry] = time;
    this.#used++;
  }

  /** Empties the entry and moves back into the gap whatever may not stand behind one (Knuth, 6.4, algorithm R). */
  #remove(entry: number): void {
    let gap = entry;
    for (let other = this.#after(gap); !this.#isEmpty(other); other = this.#after(other)) {
      if (this.#distance(this.#home(this.#keys[other]), other) < this.#distance(gap, other)) continue;
      this.#keys[gap] = this.#keys[other];
      this.#times[gap] = this.#times[other];
      gap = other;
    }
    this.#keys[gap] = EMPTY;
    this.#used--;
  }

  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#times.length;
  }

  #grow(expiredMs: number): void {
    const keys = this.#keys;
    const times = this.#times;
    const stays = (entry: number) => keys[entry] !== EMPTY && times[entry] > expiredMs;
    let kept = 0;
    for (let entry = 0; entry < times.length; entry++) if (stays(entry)) kept++;
    this.#makeRoomFor(kept + 1);
    for (let entry = 0; entry < times.length; entry++) {
      if (stays(entry)) this.#insert(keys[entry], times[entry]);
    }
  }

  /** The page is empty afterwards. */
  #makeRoomFor(count: number): void {
    const capacity = Math.max(CAPACITY_MIN, Math.ceil(count / LOAD_GROWN));
    this.#keys = new Uint16Array(capacity).fill(EMPTY);
    this.#times = new Float64Array(capacity);
    this.#used = 0;
  }
}
