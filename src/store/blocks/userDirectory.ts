import { assert } from '../../base/assert.ts';
import { Bitset } from '../../base/bitset.ts';
import { type ArraySource, ordinaryArrays, SpareArrays } from '../../base/spareArrays.ts';
import type { Column } from '../../encoding/column.ts';
import { equalTo } from '../../encoding/contract.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { countBits } from '../../encoding/kernels/countBits.ts';
import { COUNTED_WORDS, GATHERED_ROWS } from '../../encoding/kernels/kernels.ts';
import { prefixXor } from '../../encoding/kernels/runs.ts';
import { BlockRowCursor } from './blockRowCursor.ts';
import { expand } from './expand.ts';
import { FirstRows } from './firstRows.ts';
import { GROUP_USERS, type Ordinals } from './ordinals.ts';

/** In the kernels' memory; with a user before those that begin in so many rows. */
const groupOrdinals = new SpareArrays().words(GROUP_USERS + 1);
/** Of the block looked at: fresh memory costs more to touch than the loops over it. */
let firstsScratch = new Uint32Array(0);
/** What a kernel finds in COUNTED_WORDS: each row's user may be another one. */
const found = new Uint32Array(32 * COUNTED_WORDS + 1);
/** Where at least one in so many users is asked for, all are decoded sooner. */
const DENSE_USERS = 8;
/** Where one row in so many users is selected, all users' are counted sooner than who has one is found. */
const COUNTED_USERS = 2;
const foundUsers = new Uint32Array(GATHERED_ROWS);
const foundOrdinals = new Uint32Array(GATHERED_ROWS);

/** Which rows of a block are whose. Users are numbered from 0, in the order of their ordinals. */
export class UserDirectory {
  readonly ordinals: Ordinals;
  /** 1 for each user's first row, else 0. */
  readonly firsts: Column;
  readonly #firstRows: FirstRows;

  constructor(ordinals: Ordinals, firsts: Column) {
    this.ordinals = ordinals;
    this.firsts = firsts;
    this.#firstRows = new FirstRows(firsts);
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    return this.#firstRows.memoryBytes + this.ordinals.memoryBytes;
  }

  /** The rows [start, end) of this ordinal; undefined when it has none. */
  rowsOf(ordinal: number): { readonly start: number; readonly end: number } | undefined {
    const user = this.ordinals.find(ordinal);
    return user === -1 ? undefined : this.#firstRows.rowsOf(user);
  }

  ordinalAt(row: number): number {
    return this.ordinals.at(this.#firstRows.userOf(row));
  }

  /** Keeps the rows of these ordinals. */
  andOrdinals(rows: Bitset, ordinals: Bitset): void {
    const arrays = new SpareArrays();
    const users = Bitset.takeFrom(arrays, this.ordinals.count);
    users.words.fill(0);
    for (let from = 0; from < users.size; from += GROUP_USERS) {
      const to = Math.min(from + GROUP_USERS, users.size);
      this.ordinals.decode(from, to, groupOrdinals);
      for (let i = 0; i < to - from; i++) if (ordinals.has(groupOrdinals[i]!)) users.add(from + i);
    }
    toChanges(users);
    const own = expand(users, this.firsts.select(equalTo(1), arrays), arrays);
    prefixXor(own.words, own.size);
    rows.and(own);
    arrays.giveBackAll();
  }

  /** A bit for each row, set for users' first ones. Owned by the caller. */
  firstBits(arrays: ArraySource): Uint32Array {
    return this.firsts.select(equalTo(1), arrays).words;
  }

  /** Reads the selected rows; `times` are those of all rows. */
  rowCursor(
    rows: Bitset,
    kinds: readonly (Bitset | undefined)[],
    times: Column,
    arrays = ordinaryArrays,
  ): BlockRowCursor {
    const streams = { firsts: this.firstBits(arrays), ordinals: this.ordinals, times };
    return new BlockRowCursor(rows, kinds, streams, arrays);
  }

  /** counts[ordinal] += number of selected rows, for every user. */
  countByOrdinal(rows: Bitset, counts: Uint32Array): void {
    const { words } = rows;
    // Kernels write where they are told to.
    assert(this.ordinals.at(this.ordinals.count - 1) < counts.length, 'there is a count of every ordinal');
    if (firstsScratch.length < words.length) firstsScratch = new Uint32Array(words.length);
    const firsts = firstsScratch.subarray(0, words.length);
    this.firsts.selectInto(equalTo(1), firsts);
    const areMany = countBits(words) * COUNTED_USERS > this.ordinals.count;
    let before = -1;
    for (let from = 0; from < words.length; from += COUNTED_WORDS) {
      const piece = words.subarray(from, from + COUNTED_WORDS);
      const ofPiece = firsts.subarray(from, from + COUNTED_WORDS);
      if (areMany) {
        before += this.#addAll(piece, ofPiece, before, counts);
        continue;
      }
      const foundCount = kernels().countUsers(piece, ofPiece, found);
      for (let at = 0; at < foundCount; ) at = this.#addPiece(at, foundCount, before, counts);
      before += found[foundCount]! >>> 16;
    }
  }

  /** Adds what all users have of these rows, behind those of user `before`. Returns how many begin in them. */
  #addAll(words: Uint32Array, firsts: Uint32Array, before: number, counts: Uint32Array): number {
    const userCount = countBits(firsts);
    const ordinals = groupOrdinals.subarray(0, 1 + userCount);
    // Nobody is before the block's first row, and nothing is counted of nobody.
    ordinals[0] = 0;
    const first = Math.max(before, 0);
    this.ordinals.decode(first, before + userCount + 1, ordinals.subarray(first - before));
    kernels().addUsers(words, firsts, ordinals, counts);
    return userCount;
  }

  /** Adds what is found from `at` on, behind the rows of user `before`, as much of it as is looked at together. Returns its end. */
  #addPiece(at: number, foundCount: number, before: number, counts: Uint32Array): number {
    const first = before + (found[at]! >>> 16);
    const last = before + (found[foundCount - 1]! >>> 16);
    if (last - first < GROUP_USERS && last - first < DENSE_USERS * (foundCount - at)) {
      this.ordinals.decode(first, last + 1, groupOrdinals);
      addDecoded(found, at, foundCount, first - before, groupOrdinals, counts);
      return foundCount;
    }
    const step = found.subarray(at, Math.min(at + GATHERED_ROWS, foundCount));
    const users = foundUsers.subarray(0, step.length);
    usersOf(step, before, users);
    const ordinals = foundOrdinals.subarray(0, step.length);
    this.ordinals.gather(users, ordinals);
    addCounts(step, ordinals, counts);
    return at + step.length;
  }
}

/** Puts in the place of a set those that are in it when the one before is not, and the other way round. */
function toChanges({ words }: Bitset): void {
  let before = 0;
  for (let w = 0; w < words.length; w++) {
    const word = words[w]!;
    words[w] = word ^ ((word << 1) | before);
    before = word >>> 31;
  }
}

/** The users of what countUsers found behind the rows of user `before`. */
function usersOf(found: Uint32Array, before: number, users: Uint32Array): void {
  for (let i = 0; i < found.length; i++) users[i] = before + (found[i]! >>> 16);
}

/** The same of found[from], …, found[to - 1], where decoded[0] is the ordinal of the user that is `first` there. */
function addDecoded(
  found: Uint32Array,
  from: number,
  to: number,
  first: number,
  decoded: Uint32Array,
  counts: Uint32Array,
): void {
  for (let i = from; i < to; i++) {
    const each = found[i]!;
    counts[decoded[(each >>> 16) - first]!]! += each & 0xffff;
  }
}

function addCounts(found: Uint32Array, ordinals: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < found.length; i++) counts[ordinals[i]!]! += found[i]! & 0xffff;
}
