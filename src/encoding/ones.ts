import { ctz32, popcount32 } from '../base/bitset.ts';
import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import { firstFrom, lastAtMost } from '../base/search.ts';
import { bitmapOf } from './arena.ts';
import { type CodeFilter, type Codes, gatherDecoded, KIND, selectDecoded } from './codes.ts';
import type { Draft, NumberVector } from './contract.ts';
import { kernels } from './kernels/chosen.ts';

/**
 * Codes that ascend and never repeat, as a bit for each number up to the greatest: for those that lie close together.
 *
 *   varint  the greatest code
 *   u8[]    ⌈(the greatest code + 1) / 8⌉ bytes: bit i is 1 when i is a code
 *
 * Valid: as many bits are set as there are rows, that of the greatest code among them, and none past it.
 */
export function onesDraft(codes: Uint32Array): Draft {
  const max = codes[codes.length - 1]!;
  return {
    bytes: 1 + MAX_BYTES + oneBytes(max),
    scanNsPerRow: ONES_SCAN_NS,
    write(target) {
      target.byte(KIND.ones);
      target.varint(max);
      target.bytes(bitmapOf(codes, oneBytes(max)));
    },
  };
}

/** Measured: filters decode. */
const ONES_SCAN_NS = 2;
/** Of the varint, mostly. */
const MAX_BYTES = 3;
/** A bitmap is not worth it for codes that lie further apart, and none is looked at that says so. */
export const BITS_PER_ONE_MAX = 32;

export function oneBytes(max: number): number {
  return Math.floor(max / 8) + 1;
}

/** Numbers between two counts of the codes below: 2 bytes each. */
const RANK_BITS = 512;
const RANK_BYTES = RANK_BITS / 8;
/** What a kernel takes at once. */
const PIECE_RANKS = CHUNK_ROWS_MAX / RANK_BITS;
const pieceWords = new Uint32Array(CHUNK_ROWS_MAX / 32);
const pieceBytes = new Uint8Array(pieceWords.buffer);
const piece = new Uint32Array(CHUNK_ROWS_MAX);
/** Up to so many rows are found sooner than a kernel is called. */
const FEW_ROWS = 64;

export class OnesCodes implements Codes {
  readonly rowCount: number;
  readonly #bytes: Uint8Array;
  /** ranks[i] = codes below i * RANK_BITS. */
  readonly #ranks: Uint16Array;

  /** `bytes` must not change any more. */
  constructor(bytes: Uint8Array, rowCount: number) {
    this.rowCount = rowCount;
    this.#bytes = bytes;
    this.#ranks = new Uint16Array(Math.ceil(bytes.length / RANK_BYTES));
    for (let i = 1; i < this.#ranks.length; i++) {
      this.#ranks[i] = this.#ranks[i - 1]! + countBits(bytes, (i - 1) * RANK_BYTES, i * RANK_BYTES);
    }
  }

  /** Whether as many bits are set as there are rows, and the last one is `max`. */
  isSound(max: number): boolean {
    return (
      countBits(this.#bytes, 0, this.#bytes.length) === this.rowCount &&
      this.#bytes[this.#bytes.length - 1]! >>> (max & 7) === 1
    );
  }

  at(row: number): number {
    const rank = lastAtMost(this.#ranks, row);
    let left = row - this.#ranks[rank]!;
    let at = rank * RANK_BYTES;
    for (; left >= POPCOUNT8[this.#bytes[at]!]!; at++) left -= POPCOUNT8[this.#bytes[at]!]!;
    let bits = this.#bytes[at]!;
    for (; left > 0; left--) bits &= bits - 1;
    return (at << 3) + ctz32(bits);
  }

  /** The first row that has at least `code`; rowCount when none has. */
  firstFrom(code: number): number {
    if (code >= this.#bytes.length * 8) return this.rowCount;
    const rank = Math.floor(code / RANK_BITS);
    const below = this.#ranks[rank]! + countBits(this.#bytes, rank * RANK_BYTES, code >>> 3);
    return below + POPCOUNT8[this.#bytes[code >>> 3]! & ((1 << (code & 7)) - 1)]!;
  }

  decode(from: number, to: number, target: NumberVector): void {
    if (to - from <= FEW_ROWS) this.#decodeFew(from, to, target);
    else if (target instanceof Uint32Array) this.#decodeAll(from, target.subarray(0, to - from));
    else {
      this.#decodeAll(from, piece.subarray(0, to - from));
      target.set(piece.subarray(0, to - from));
    }
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    if (!(target instanceof Uint32Array)) {
      gatherDecoded(this, rows, first, target);
      return;
    }
    for (let i = 0; i < rows.length; ) {
      const rank = lastAtMost(this.#ranks, rows[i]! - first);
      const end = rank + PIECE_RANKS;
      const rowEnd = end < this.#ranks.length ? first + this.#ranks[end]! : Infinity;
      const next = firstFrom(rows, i, rows.length, rowEnd);
      const words = this.#wordsOf(rank, lastAtMost(this.#ranks, rows[next - 1]! - first) + 1);
      const before = first + this.#ranks[rank]!;
      kernels().positionsOf(words, rank * RANK_BITS, rows.subarray(i, next), before, target.subarray(i));
      i = next;
    }
  }

  select(filter: CodeFilter, words: Uint32Array): void {
    selectDecoded(this, filter, words);
  }

  #decodeFew(from: number, to: number, target: NumberVector): void {
    if (from === to) return;
    const first = this.at(from);
    let at = first >>> 3;
    let bits = this.#bytes[at]! & (-1 << (first & 7));
    for (let i = 0; i < to - from; ) {
      for (; bits !== 0 && i < to - from; bits &= bits - 1) target[i++] = (at << 3) + ctz32(bits);
      bits = this.#bytes[++at]!;
    }
  }

  /** As many rows from this one on as fit; there must be so many. */
  #decodeAll(from: number, target: Uint32Array): void {
    let rank = lastAtMost(this.#ranks, from);
    let skip = from - this.#ranks[rank]!;
    const end = lastAtMost(this.#ranks, from + target.length - 1) + 1;
    for (let filled = 0; filled < target.length; rank += PIECE_RANKS) {
      const words = this.#wordsOf(rank, Math.min(rank + PIECE_RANKS, end));
      filled += kernels().positions(words, rank * RANK_BITS, skip, target.subarray(filled));
      skip = 0;
    }
  }

  /** Between two ranks, at most PIECE_RANKS apart; valid until the next call. */
  #wordsOf(from: number, to: number): Uint32Array {
    const bytes = this.#bytes.subarray(from * RANK_BYTES, to * RANK_BYTES);
    const words = pieceWords.subarray(0, (bytes.length + 3) >>> 2);
    words[words.length - 1] = 0;
    pieceBytes.set(bytes);
    return words;
  }
}

const POPCOUNT8 = Uint8Array.from({ length: 256 }, (_, byte) => popcount32(byte));

function countBits(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) count += POPCOUNT8[bytes[at]!]!;
  return count;
}
