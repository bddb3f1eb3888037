import { type Bitset, popcount32 } from '../../base/bitset.ts';
import type { Column } from '../../encoding/column.ts';
import { equalTo } from '../../encoding/contract.ts';
import { GATHERED_ROWS, kernels } from '../../encoding/kernels/kernels.ts';
import type { RowCursor } from '../part.ts';
import type { Ordinals } from './ordinals.ts';

/** Users whose ordinals are decoded together. */
const ORDINALS_DECODED = 4096;

/** Reads the selected rows of a block, which are sorted already. */
export class BlockRowCursor implements RowCursor {
  readonly rows = new Uint32Array(GATHERED_ROWS);
  readonly ordinals = new Uint32Array(GATHERED_ROWS);
  readonly timesMs = new Float64Array(GATHERED_ROWS);
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
    let count = 0;
    for (;;) {
      const from = nextFilled(this.#selected, this.#word);
      this.#usersBefore += countBits(this.#firsts, this.#word, from);
      this.#word = from;
      const to = Math.min(from + ((GATHERED_ROWS - count) >>> 5), this.#selected.length);
      if (from === to) break;
      count += this.#list(from, to, count);
    }
    this.#toOrdinals(count);
    this.#times.gather(this.rows.subarray(0, count), this.timesMs);
    return count;
  }

  /** Lists the rows set in words [from, to), and the number of each one's user. Returns how many there are. */
  #list(from: number, to: number, at: number): number {
    const before = { row: from << 5, user: this.#usersBefore - 1 };
    const [selected, firsts] = [this.#selected.subarray(from, to), this.#firsts.subarray(from, to)];
    const [rows, users] = [this.rows.subarray(at), this.ordinals.subarray(at)];
    const count = kernels().listRows(selected, firsts, before, rows, users);
    this.#usersBefore += countBits(this.#firsts, from, to);
    this.#word = to;
    return count;
  }

  /** Turns numbers of users into their ordinals. */
  #toOrdinals(count: number): void {
    const { ordinals } = this;
    for (let at = 0; at < count; ) {
      const from = Math.floor(ordinals[at]! / ORDINALS_DECODED) * ORDINALS_DECODED;
      if (from !== this.#decodedFrom) {
        const to = Math.min(from + ORDINALS_DECODED, this.#ordinals.count);
        this.#ordinals.decode(from, to, this.#decoded);
        this.#decodedFrom = from;
      }
      at = replaceUsers(ordinals, at, count, from, this.#decoded);
    }
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
