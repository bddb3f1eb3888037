import { lastAtMost } from '../../base/search.ts';
import type { Column } from '../../encoding/column.ts';
import type { Ordinals } from './ordinals.ts';

/** Users decoded together. The ordinal of the first of them is kept in memory: 8 bytes for so many. */
const PAGE_USERS = 256;
/** Pages between two yields. */
const STEP_PAGES = 64;
const gapScratch = new Uint32Array(PAGE_USERS);
const one = new Uint32Array(1);
const page = new Uint32Array(PAGE_USERS);

/** Ordinals held as the gaps between them: see blockFormat.ts, version 1. */
export class GapOrdinals implements Ordinals {
  readonly #gaps: Column;
  /** The ordinal before each page's first. */
  readonly #before: Float64Array;

  /** `tooLarge` must throw: it is told the last ordinal where that has more than 32 bits. */
  static *openSteps(gaps: Column, tooLarge: (last: number) => never): Generator<void, GapOrdinals> {
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
    return new GapOrdinals(gaps, before);
  }

  private constructor(gaps: Column, before: Float64Array) {
    this.#gaps = gaps;
    this.#before = before;
  }

  get count(): number {
    return this.#gaps.rowCount;
  }

  get memoryBytes(): number {
    return this.#before.byteLength;
  }

  at(user: number): number {
    this.decode(user, user + 1, one);
    return one[0]!;
  }

  find(ordinal: number): number {
    const p = lastAtMost(this.#before, ordinal - 1);
    if (p === -1) return -1;
    const from = p * PAGE_USERS;
    const to = Math.min(from + PAGE_USERS, this.count);
    this.decode(from, to, page);
    const place = page.subarray(0, to - from).indexOf(ordinal);
    return place === -1 ? -1 : from + place;
  }

  decode(from: number, to: number, target: Uint32Array): void {
    for (let user = from; user < to; ) {
      const p = Math.floor(user / PAGE_USERS);
      const pageFrom = p * PAGE_USERS;
      const end = Math.min(to, pageFrom + PAGE_USERS);
      this.#gaps.decode(pageFrom, end, gapScratch);
      addUp(gapScratch, user - pageFrom, end - pageFrom, this.#before[p]! | 0, target, user - from);
      user = end;
    }
  }
}

/** target[at + i] = ordinal of the page's user from + i; `before` is the ordinal before the page. */
function addUp(
  gaps: Uint32Array,
  from: number,
  to: number,
  before: number,
  target: Uint32Array,
  at: number,
): void {
  // Sums of 32 bits, which V8 keeps out of doubles.
  let ordinal = before;
  for (let i = 0; i < to; i++) {
    ordinal = (ordinal + gaps[i]! + 1) | 0;
    if (i >= from) target[at + i - from] = ordinal;
  }
}
