import { type Bitset, ctz32, popcount32 } from '../../base/bitset.ts';
import type { Column } from '../../encoding/column.ts';
import { equalTo } from '../../encoding/contract.ts';
import type { RowCursor } from '../part.ts';
import { type Ordinals, PAGE_USERS } from './ordinals.ts';

/** Rows of the block that a batch is taken from: their times, 64 KiB, stay in a near cache. A multiple of 32. */
const SPAN_ROWS = 8192;
/** Users whose ordinals are decoded together. */
const ORDINALS_DECODED = 16 * PAGE_USERS;
/** Where fewer of a span's rows are selected, their times are read one by one. */
const DENSE_SHARE = 1 / 64;
const spanTimesMs = new Float64Array(SPAN_ROWS);

/** Reads the selected rows of a block, which are sorted already. */
export class BlockRowCursor implements RowCursor {
  readonly rows = new Uint32Array(SPAN_ROWS);
  readonly ordinals = new Uint32Array(SPAN_ROWS);
  readonly timesMs = new Float64Array(SPAN_ROWS);
  readonly #selected: Uint32Array;
  readonly #firsts: Uint32Array;
  readonly #ordinals: Ordinals;
  readonly #times: Column;
  readonly #decoded = new Uint32Array(ORDINALS_DECODED);
  /** The first user that is decoded. */
  #decodedFrom = -1;
  /** The next word of the selection. */
  #word = 0;
  /** Users that begin before it. */
  #usersBefore = 0;

  /** `firsts`: 1 for each user's first row, else 0. */
  constructor(selected: Bitset, firsts: Column, ordinals: Ordinals, times: Column) {
    this.#selected = selected.words;
    this.#firsts = firsts.select(equalTo(1)).words;
    this.#ordinals = ordinals;
    this.#times = times;
  }

  next(): number {
    const from = nextFilled(this.#selected, this.#word);
    if (from === this.#selected.length) return 0;
    const to = Math.min(from + SPAN_ROWS / 32, this.#selected.length);
    this.#usersBefore += countBits(this.#firsts, this.#word, from);
    const count = listRows(
      this.#selected,
      this.#firsts,
      from,
      to,
      this.#usersBefore,
      this.rows,
      this.ordinals,
    );
    this.#usersBefore += countBits(this.#firsts, from, to);
    this.#word = to;
    this.#toOrdinals(count);
    this.#readTimes(from << 5, to << 5, count);
    return count;
  }

  /** Turns numbers of users into their ordinals. */
  #toOrdinals(count: number): void {
    const { ordinals } = this;
    for (let at = 0; at < count; ) {
      const from = Math.floor(ordinals[at]! / ORDINALS_DECODED) * ORDINALS_DECODED;
      if (from !== this.#decodedFrom) this.#ordinals.decodePages(from / PAGE_USERS, this.#decoded);
      this.#decodedFrom = from;
      at = replaceUsers(ordinals, at, count, from, this.#decoded);
    }
  }

  #readTimes(from: number, to: number, count: number): void {
    const { rows, timesMs } = this;
    if (count < DENSE_SHARE * (to - from)) {
      for (let i = 0; i < count; i++) timesMs[i] = this.#times.at(rows[i]!);
      return;
    }
    const first = rows[0]!;
    this.#times.decode(first, rows[count - 1]! + 1, spanTimesMs);
    for (let i = 0; i < count; i++) timesMs[i] = spanTimesMs[rows[i]! - first]!;
  }
}

/** The first word from here on that is not 0, or the end. */
function nextFilled(words: Uint32Array, from: number): number {
  let word = from;
  while (word < words.length && words[word] === 0) word++;
  return word;
}

function countBits(words: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let w = from; w < to; w++) count += popcount32(words[w]!);
  return count;
}

/** Lists the rows set in words [from, to), and the number of each one's user. Returns how many there are. */
function listRows(
  selected: Uint32Array,
  firsts: Uint32Array,
  from: number,
  to: number,
  usersBefore: number,
  rows: Uint32Array,
  users: Uint32Array,
): number {
  let count = 0;
  let before = usersBefore - 1;
  for (let w = from; w < to; w++) {
    const starting = firsts[w]!;
    for (let left = selected[w]!; left !== 0; left &= left - 1) {
      rows[count] = (w << 5) + ctz32(left);
      users[count++] = before + popcount32(starting & (left ^ (left - 1)));
    }
    before += popcount32(starting);
  }
  return count;
}

/** Replaces those of the users from `at` on that are decoded; returns where the others begin. */
function replaceUsers(
  users: Uint32Array,
  at: number,
  count: number,
  decodedFrom: number,
  decoded: Uint32Array,
): number {
  const decodedTo = decodedFrom + decoded.length;
  let i = at;
  for (; i < count && users[i]! < decodedTo; i++) users[i] = decoded[users[i]! - decodedFrom]!;
  return i;
}
