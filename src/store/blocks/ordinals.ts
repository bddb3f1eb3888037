import type { Column } from '../../encoding/column.ts';
import { lastAtMost } from './ranks.ts';

/** Users decoded together. The ordinal of the first of them is kept in memory: 4 bytes for so many. */
export const PAGE_USERS = 256;
/** Pages between two yields. */
const STEP_PAGES = 64;
/** Users decoded together where most are asked for. */
export const GROUP_USERS = 64 * PAGE_USERS;
const gapScratch = new Uint32Array(GROUP_USERS);
const page = new Uint32Array(PAGE_USERS);

/** The ordinals of a block's users, ascending, held as the gaps between them (blockFormat.ts). */
export class Ordinals {
  readonly #gaps: Column;
  /** The ordinal before each page's first. */
  readonly #before: Float64Array;

  /** `tooLarge` must throw: it is told the last ordinal where that has more than 32 bits. */
  static *openSteps(gaps: Column, tooLarge: (last: number) => never): Generator<void, Ordinals> {
    const before = new Float64Array(Math.ceil(gaps.rowCount / PAGE_USERS));
    let last = -1;
    for (let p = 0; p < before.length; p++) {
      before[p] = last;
      const count = Math.min(PAGE_USERS, gaps.rowCount - p * PAGE_USERS);
      gaps.decode(p * PAGE_USERS, p * PAGE_USERS + count, gapScratch);
      last += count;
      for (let i = 0; i < count; i++) last += gapScratch[i]!;
      if (p % STEP_PAGES === STEP_PAGES - 1) yield;
    }
    if (last > 0xffffffff) tooLarge(last);
    return new Ordinals(gaps, before);
  }

  private constructor(gaps: Column, before: Float64Array) {
    this.#gaps = gaps;
    this.#before = before;
  }

  get count(): number {
    return this.#gaps.rowCount;
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    return this.#before.byteLength;
  }

  at(user: number): number {
    this.decodePages(Math.floor(user / PAGE_USERS), page);
    return page[user % PAGE_USERS]!;
  }

  /** The user with this ordinal, or -1. */
  find(ordinal: number): number {
    const p = lastAtMost(this.#before, ordinal - 1);
    if (p === -1) return -1;
    const place = page.subarray(0, this.decodePages(p, page)).indexOf(ordinal);
    return place === -1 ? -1 : p * PAGE_USERS + place;
  }

  /**
   * target[i] = ordinal of user `p` * PAGE_USERS + i, for as many users as there are and fit, up to GROUP_USERS; returns how
   * many that is.
   */
  decodePages(p: number, target: Uint32Array): number {
    const from = p * PAGE_USERS;
    const count = Math.min(target.length, this.count - from);
    this.#gaps.decode(from, from + count, gapScratch);
    addUp(gapScratch, count, this.#before[p]! | 0, target);
    return count;
  }
}

/** The ordinals behind `before`. */
function addUp(gaps: Uint32Array, count: number, before: number, target: Uint32Array): void {
  // Sums of 32 bits, which V8 keeps out of doubles.
  let ordinal = before;
  for (let i = 0; i < count; i++) {
    ordinal = (ordinal + gaps[i]! + 1) | 0;
    target[i] = ordinal;
  }
}
