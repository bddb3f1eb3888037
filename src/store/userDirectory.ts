import { type Bitset, popcount32 } from '../base/bitset.ts';
import type { Column } from '../encoding/column.ts';
import { equalTo } from '../encoding/contract.ts';
import { type Ordinals, PAGE_USERS } from './ordinals.ts';
import { Ranks } from './ranks.ts';

const pageOrdinals = new Uint32Array(PAGE_USERS);
/** Users with selected rows, and how many: of up to so many words of a bitmap, each of which may have 32 users. */
const COUNTED_MAX = 4096;
const counted = { users: new Uint32Array(COUNTED_MAX + 64), counts: new Uint32Array(COUNTED_MAX + 64) };

/** Which rows of a block are whose. Users are numbered from 0, in the order of their ordinals. */
export class UserDirectory {
  readonly #ordinals: Ordinals;
  /** 1 for each user's first row, else 0. */
  readonly #firsts: Column;
  readonly #ranks: Ranks;

  constructor(ordinals: Ordinals, firsts: Column) {
    this.#ordinals = ordinals;
    this.#firsts = firsts;
    this.#ranks = new Ranks(firsts, Uint8Array.of(0, 1));
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    return this.#ranks.memoryBytes + this.#ordinals.memoryBytes;
  }

  /** The rows [start, end) of this ordinal; undefined when it has none. */
  rowsOf(ordinal: number): { readonly start: number; readonly end: number } | undefined {
    const user = this.#ordinals.find(ordinal);
    if (user === -1) return undefined;
    const isLast = user === this.#ordinals.count - 1;
    return {
      start: this.#ranks.find(user),
      end: isLast ? this.#firsts.rowCount : this.#ranks.find(user + 1),
    };
  }

  ordinalAt(row: number): number {
    return this.#ordinals.at(this.#ranks.rank(row + 1) - 1);
  }

  /** counts[canonical[ordinal]] += number of selected rows, for every user. */
  countByUser({ words }: Bitset, counts: Uint32Array, canonical: Uint32Array): void {
    const firsts = this.#firsts.select(equalTo(1)).words;
    const progress = { word: 0, user: -1, counted: -1, count: 0 };
    while (progress.word < words.length) {
      const found = countUsers(words, firsts, progress, counted.users, counted.counts);
      this.#add(found, counts, canonical);
    }
    counted.users[0] = progress.counted;
    counted.counts[0] = progress.count;
    this.#add(progress.count > 0 ? 1 : 0, counts, canonical);
  }

  /** Adds what was counted of the first `found` users there, who ascend. */
  #add(found: number, counts: Uint32Array, canonical: Uint32Array): void {
    for (let from = 0; from < found; ) {
      const page = Math.floor(counted.users[from]! / PAGE_USERS);
      this.#ordinals.decodePage(page, pageOrdinals);
      from = addPage(page * PAGE_USERS, from, found, counts, canonical);
    }
  }
}

interface Progress {
  word: number;
  /** The user of the last row before the word. */
  user: number;
  /** The last user with selected rows, and how many so far. */
  counted: number;
  count: number;
}

/**
 * Goes on, word by word, until all are done or there is no more room; returns how many users are complete. In a word
 * that has fewer selected rows than users the rows are looked at one by one, else the users.
 */
function countUsers(
  words: Uint32Array,
  firsts: Uint32Array,
  progress: Progress,
  users: Uint32Array,
  counts: Uint32Array,
): number {
  let { word, user, counted, count } = progress;
  let found = 0;
  for (; word < words.length && found < COUNTED_MAX; word++) {
    let selected = words[word]!;
    let starting = firsts[word]!;
    const startingCount = starting === 0 ? 0 : popcount32(starting);
    const end = user + startingCount;
    const byRow = selected !== 0 && startingCount > 1 && popcount32(selected) < startingCount;
    while (selected !== 0) {
      let of = end;
      let rows = selected;
      if (byRow) {
        rows = selected & -selected;
        of = user + popcount32(starting & (rows | (rows - 1)));
      } else if (starting !== 0) {
        rows = selected & ((starting & -starting) - 1);
        of = user++;
        starting &= starting - 1;
      }
      selected &= ~rows;
      if (rows === 0) continue;
      if (of !== counted) {
        users[found] = counted;
        counts[found] = count;
        if (count > 0) found++;
        counted = of;
        count = 0;
      }
      count += byRow ? 1 : popcount32(rows);
    }
    user = end;
  }
  progress.word = word;
  progress.user = user;
  progress.counted = counted;
  progress.count = count;
  return found;
}

/** Of the users in pageOrdinals, the first of whom is `pageFrom`. Returns the place of the first user behind the page. */
function addPage(
  pageFrom: number,
  from: number,
  found: number,
  counts: Uint32Array,
  canonical: Uint32Array,
): number {
  let i = from;
  for (; i < found && counted.users[i]! - pageFrom < PAGE_USERS; i++) {
    counts[canonical[pageOrdinals[counted.users[i]! - pageFrom]!]!]! += counted.counts[i]!;
  }
  return i;
}
