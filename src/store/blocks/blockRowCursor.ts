import { type Bitset, popcount32 } from '../../base/bitset.ts';
import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import { firstFrom } from '../../base/search.ts';
import { type ArraySource, SpareArrays } from '../../base/spareArrays.ts';
import type { Column } from '../../encoding/column.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { BATCH_ROWS, type RowCursor, type RowTarget } from '../part.ts';
import type { Ordinals } from './ordinals.ts';

const LISTED_WORDS = CHUNK_ROWS_MAX / 32;
const usersScratch = new Uint32Array(BATCH_ROWS);
/** Users whose ordinals are decoded together; in the kernels' memory. */
const ORDINALS_DECODED = 1 << 14;
const decoded = new SpareArrays().words(ORDINALS_DECODED);
/** Where fewer of them are asked for, each is looked for. */
const DENSE_USERS = 8;

/** Of a block, what a cursor reads besides the selected rows. */
interface Streams {
  /** A bit for each row, set for users' first ones; the cursor's own. */
  readonly firsts: Uint32Array;
  readonly ordinals: Ordinals;
  readonly times: Column;
}

/** Reads the selected rows of a block, which are sorted already. */
export class BlockRowCursor implements RowCursor {
  readonly #selected: Uint32Array;
  readonly #kinds: readonly (Uint32Array | undefined)[];
  readonly #firsts: Uint32Array;
  readonly #streams: Streams;
  readonly #arrays: ArraySource;
  /** The next word of the selection. */
  #word = 0;
  /** Users that begin before it. */
  #usersBefore = 0;

  /** `arrays`: where first rows were taken from, and go back to at the end. */
  constructor(
    selected: Bitset,
    kinds: readonly (Bitset | undefined)[],
    streams: Streams,
    arrays: ArraySource,
  ) {
    this.#selected = selected.words;
    this.#kinds = kinds.map((kind) => kind?.words);
    this.#firsts = streams.firsts;
    this.#streams = streams;
    this.#arrays = arrays;
  }

  readInto({ rows, ordinals, timesMs, kinds }: RowTarget, at: number): number {
    let end = at;
    for (;;) {
      const from = nextFilled(this.#selected, this.#word);
      if (from === this.#selected.length) {
        this.#arrays.giveBack(this.#firsts);
        break;
      }
      this.#usersBefore += countBits(this.#firsts, this.#word, from);
      this.#word = from;
      const to = wordsThatFit(this.#selected, from, BATCH_ROWS - (end - at));
      if (from === to) break;
      const users = ordinals === undefined ? usersScratch : ordinals.subarray(end);
      end += this.#list(from, to, rows.subarray(end), users, kinds.subarray(end));
    }
    if (ordinals !== undefined) this.#toOrdinals(ordinals, at, end);
    if (timesMs !== undefined) this.#streams.times.gather(rows.subarray(at, end), timesMs.subarray(at, end));
    return end - at;
  }

  /** Lists the rows set in words [from, to), the number of each one's user, and its kinds. Returns how many there are. */
  #list(from: number, to: number, rows: Uint32Array, users: Uint32Array, kinds: Uint32Array): number {
    const before = { row: from << 5, user: this.#usersBefore - 1 };
    const [selected, firsts] = [this.#selected.subarray(from, to), this.#firsts.subarray(from, to)];
    const count = kernels().listRows(selected, firsts, before, rows, users);
    if (this.#kinds.length <= 1) {
      // The only kind has all rows that are selected.
      kinds.fill(this.#kinds.length, 0, count);
    } else {
      const ofKinds = this.#kinds.map((words) => words?.subarray(from, to));
      kernels().markKinds(selected, ofKinds, kinds.subarray(0, count));
    }
    if (count > 0) this.#usersBefore = users[count - 1]! + 1 + usersAfter(this.#firsts, rows[count - 1]!, to);
    this.#word = to;
    return count;
  }

  /** Turns numbers of users into their ordinals. */
  #toOrdinals(users: Uint32Array, from: number, to: number): void {
    const { ordinals } = this.#streams;
    for (let at = from; at < to; ) {
      const first = users[at]!;
      const end = firstFrom(users, at, to, first + ORDINALS_DECODED);
      const own = users.subarray(at, end);
      const count = users[end - 1]! + 1 - first;
      if (count > DENSE_USERS * own.length) {
        usersScratch.set(own);
        ordinals.gather(usersScratch.subarray(0, own.length), own);
      } else {
        ordinals.decode(first, first + count, decoded);
        kernels().lookUp(own, first, decoded);
      }
      at = end;
    }
  }
}

/** The first word from here on that is not 0, or the end. */
function nextFilled(words: Uint32Array, from: number): number {
  let word = from;
  while (word < words.length && words[word] === 0) word++;
  return word;
}

/** The end of the words from here on that a kernel takes at once, and that have no more bits than there is room for. */
function wordsThatFit(words: Uint32Array, from: number, room: number): number {
  const end = Math.min(from + LISTED_WORDS, words.length);
  let left = room;
  let word = from;
  while (word < end && left >= 32) left -= popcount32(words[word++]!);
  return word;
}

function countBits(words: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let w = from; w < to; w++) count += popcount32(words[w]!);
  return count;
}

/** Users that begin after this row, in words up to `to`. */
function usersAfter(firsts: Uint32Array, row: number, to: number): number {
  const word = row >>> 5;
  // Two shifts: one by 32 does nothing.
  return popcount32((firsts[word]! >>> (row & 31)) >>> 1) + countBits(firsts, word + 1, to);
}
