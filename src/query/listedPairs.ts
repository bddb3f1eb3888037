import type { Bitset } from '../base/bitset.ts';
import type { ArraySource, SpareArrays } from '../base/spareArrays.ts';
import { addPairs, PAIR_ORDINAL_BITS } from '../encoding/kernels/matches.ts';
import {
  MASK_WORDS,
  type RowCounter,
  TALLY_COUNT_MAX,
  TALLY_RULES,
  TALLY_USERS,
} from '../encoding/kernels/tally.ts';
import type { UsersView } from '../store/view.ts';

/** Pairs of a page, looked at between two yields. */
const PAGE_PAIRS = 1 << 15;
const ORDINAL_MASK = (1 << PAIR_ORDINAL_BITS) - 1;
/** Users whose rows are counted at once: those of a rule are next to each other in a table that stays in a cache. */
const USER_BITS = Math.log2(TALLY_USERS);

/** What up to so many pairs take: listed, and sorted. */
export function listedBytes(pairCount: number): number {
  return 2 * 4 * pairCount + TALLY_RULES * TALLY_USERS;
}

/** Pairs of a rule and the ordinal of a row that it wants: rule << PAIR_ORDINAL_BITS | ordinal. */
export class ListedPairs {
  readonly #pages: Uint32Array[] = [];
  #count = 0;
  readonly #ofRow = new Uint32Array(TALLY_RULES);
  readonly #arrays: ArraySource;

  /** `arrays`: where pages come from, which are not given back. */
  constructor(arrays: ArraySource) {
    this.#arrays = arrays;
  }

  get count(): number {
    return this.#count;
  }

  push(pairs: Uint32Array): void {
    for (let from = 0; from < pairs.length; ) {
      const at = this.#count % PAGE_PAIRS;
      if (at === 0) this.#pages.push(this.#arrays.words(PAGE_PAIRS));
      const some = pairs.subarray(from, from + PAGE_PAIRS - at);
      this.#pages.at(-1)!.set(some, at);
      this.#count += some.length;
      from += some.length;
    }
  }

  /** Those of the rules in a mask. */
  add(ordinal: number, mask: Uint32Array): void {
    let count = 0;
    for (let w = 0; w < MASK_WORDS; w++) count = addPairs(ordinal, mask[w]!, 32 * w, this.#ofRow, count);
    this.push(this.#ofRow.subarray(0, count));
  }

  /** Shows them all to a counter, one by one. */
  *addToSteps(counter: RowCounter): Generator<void, void> {
    const mask = new Uint32Array(MASK_WORDS);
    for (const page of this.#filled()) {
      for (const pair of page) {
        const rule = pair >>> PAIR_ORDINAL_BITS;
        mask[rule >>> 5] = 1 << (rule & 31);
        counter.add(pair & ORDINAL_MASK, mask);
        mask[rule >>> 5] = 0;
      }
      yield;
    }
  }

  /** Adds to each set of a rule, by threshold, the users with at least so many pairs; those of the merged count for them. */
  *selectSteps(
    users: UsersView,
    arrays: SpareArrays,
    found: readonly ReadonlyMap<number, Bitset>[],
  ): Generator<void, void> {
    const { sorted, starts } = yield* this.#sortSteps(users, arrays);
    const words = arrays.counts((TALLY_RULES * TALLY_USERS) >>> 2);
    const counts = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    const targets = found.map((ofRule) => [...ofRule].map(([threshold, set]) => ({ threshold, set })));
    for (let range = 0; range + 1 < starts.length; range++) {
      const pairs = sorted.subarray(starts[range]!, starts[range + 1]!);
      for (const some of pagesOf(pairs)) {
        countEach(some, counts);
        yield;
      }
      for (const some of pagesOf(pairs)) {
        takeCounts(some, counts, targets, range * TALLY_USERS);
        yield;
      }
    }
    arrays.giveBack(sorted, words);
  }

  /** By range of TALLY_USERS ordinals, each as rule << USER_BITS | ordinal within the range. */
  *#sortSteps({ count, canonical, merged }: UsersView, arrays: SpareArrays) {
    if (merged.some((word) => word !== 0)) {
      for (const page of this.#filled()) {
        putCanonical(page, canonical);
        yield;
      }
    }
    const starts = new Uint32Array(Math.ceil(count / TALLY_USERS) + 1);
    for (const page of this.#filled()) {
      countRanges(page, starts);
      yield;
    }
    for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
    const next = starts.slice();
    const sorted = arrays.words(this.#count);
    for (const page of this.#filled()) {
      placePairs(page, next, sorted);
      yield;
    }
    return { sorted, starts };
  }

  *#filled(): Generator<Uint32Array> {
    for (const [i, page] of this.#pages.entries()) yield page.subarray(0, this.#count - i * PAGE_PAIRS);
  }
}

/** What a rule is asked: the set of those who have at least so many. */
interface Target {
  readonly threshold: number;
  readonly set: Bitset;
}

// Loops of their own: V8 does not compile those of a generator as well.

function putCanonical(pairs: Uint32Array, canonical: Uint32Array): void {
  for (let i = 0; i < pairs.length; i++) {
    pairs[i] = (pairs[i]! & ~ORDINAL_MASK) | canonical[pairs[i]! & ORDINAL_MASK]!;
  }
}

/** ends[range + 1]++ for each pair's. */
function countRanges(pairs: Uint32Array, ends: Uint32Array): void {
  for (let i = 0; i < pairs.length; i++) ends[((pairs[i]! & ORDINAL_MASK) >>> USER_BITS) + 1]!++;
}

/** Puts each to the next place of its range. */
function placePairs(pairs: Uint32Array, next: Uint32Array, sorted: Uint32Array): void {
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i]!;
    const rule = pair >>> PAIR_ORDINAL_BITS;
    const place = next[(pair & ORDINAL_MASK) >>> USER_BITS]!++;
    sorted[place] = (rule << USER_BITS) | (pair & (TALLY_USERS - 1));
  }
}

function* pagesOf(pairs: Uint32Array): Generator<Uint32Array> {
  for (let from = 0; from < pairs.length; from += PAGE_PAIRS) yield pairs.subarray(from, from + PAGE_PAIRS);
}

function countEach(pairs: Uint32Array, counts: Uint8Array): void {
  for (let i = 0; i < pairs.length; i++) {
    const count = counts[pairs[i]!]!;
    if (count < TALLY_COUNT_MAX) counts[pairs[i]!] = count + 1;
  }
}

/** Of each pair's rule and user, whose ordinals are from `first` on; counts are 0 again then. */
function takeCounts(
  pairs: Uint32Array,
  counts: Uint8Array,
  targets: readonly (readonly Target[])[],
  first: number,
): void {
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i]!;
    const count = counts[pair]!;
    if (count === 0) continue;
    counts[pair] = 0;
    for (const { threshold, set } of targets[pair >>> USER_BITS]!) {
      if (count >= threshold) set.add(first + (pair & (TALLY_USERS - 1)));
    }
  }
}
