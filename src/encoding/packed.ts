import { scratch } from './arena.ts';
import { type CodeFilter, type Codes, PIECE_ROWS, searchFirstFrom, selectDecoded } from './codes.ts';
import type { Draft, NumberVector } from './contract.ts';
import { kernels } from './kernels/chosen.ts';
import { codeAt } from './kernels/gather.ts';
import { type Differences, GATHERED_ROWS, type Packed, type RowCodes } from './kernels/kernels.ts';

/**
 * Codes of 1 to 32 bits one after another, the first in the lowest bits of the first byte. The kind is the number of
 * bits; ⌈rows * bits / 8⌉ bytes follow.
 */
export function packedDraft(codes: Uint32Array, bits: number): Draft {
  return {
    bytes: 1 + packedBytes(codes.length, bits),
    scanNsPerRow: scanNs(bits),
    write(target) {
      target.byte(bits);
      target.bytes(pack(codes, bits));
    },
  };
}

export function packedBytes(rowCount: number, bits: number): number {
  return Math.ceil((rowCount * bits) / 8);
}

/** Measured: lanes of a power of two of bits are compared as they lie, others are shifted apart first. */
function scanNs(bits: number): number {
  return (bits & (bits - 1)) === 0 ? bits / 100 : 0.25;
}

/** The lowest bits of every code. The result is valid until clearArena(). */
export function pack(codes: Uint32Array, bits: number): Uint8Array {
  const words = scratch(Math.ceil((codes.length * bits) / 32));
  const bytes = new Uint8Array(words.buffer, words.byteOffset, packedBytes(codes.length, bits));
  kernels().pack(codes, bits, bytes);
  return bytes;
}

/** Up to so many rows are read sooner than a kernel is called. */
const FEW_ROWS = 64;
const piece = new Uint32Array(PIECE_ROWS);
const gathered = new Uint32Array(GATHERED_ROWS);

export class PackedCodes implements Codes {
  readonly rowCount: number;
  readonly #bytes: Uint8Array;
  readonly #offset: number;
  readonly #bits: number;

  /** packedBytes(rowCount, bits) of `bytes` from `offset` on; they must not change any more. */
  constructor(bytes: Uint8Array, offset: number, bits: number, rowCount: number) {
    this.rowCount = rowCount;
    this.#bytes = bytes;
    this.#offset = offset;
    this.#bits = bits;
  }

  at(row: number): number {
    return codeAt(this.#bytes, this.#offset, row * this.#bits, this.#bits);
  }

  decode(from: number, to: number, target: NumberVector): void {
    const bits = this.#bits;
    if (to - from <= FEW_ROWS) {
      const bytes = this.#bytes;
      const offset = this.#offset;
      for (let row = from; row < to; row++) target[row - from] = codeAt(bytes, offset, row * bits, bits);
    } else if (target instanceof Uint32Array) {
      kernels().unpack(this.#packed(), bits, from, to - from, target);
    } else {
      this.#decodeDoubles(from, to, target);
    }
  }

  /** See EncodedValues.readBits. */
  readBits(from: number, to: number, target: Uint8Array): boolean {
    if (this.#bits !== 1) return false;
    const bytes = this.#bytes;
    const first = this.#offset + (from >>> 3);
    const count = (to - from + 7) >>> 3;
    for (let i = 0; i < count; i++) target[i] = bytes[first + i]!;
    const past = (to - from) & 7;
    if (past !== 0) target[count - 1]! &= (1 << past) - 1;
    return true;
  }

  #decodeDoubles(from: number, to: number, target: Float64Array): void {
    const packed = this.#packed();
    for (let row = from; row < to; row += PIECE_ROWS) {
      const count = Math.min(PIECE_ROWS, to - row);
      kernels().unpack(packed, this.#bits, row, count, piece);
      target.set(count === PIECE_ROWS ? piece : piece.subarray(0, count), row - from);
    }
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    const { length } = rows;
    if (length <= FEW_ROWS) {
      for (let i = 0; i < length; i++) target[i] = this.at(rows[i]! - first);
    } else if (target instanceof Uint32Array) {
      kernels().gather(this.#packed(), this.#bits, rows, first, target);
    } else {
      const codes = gathered.subarray(0, length);
      kernels().gather(this.#packed(), this.#bits, rows, first, codes);
      target.set(codes);
    }
  }

  firstFrom(code: number): number {
    return searchFirstFrom(this, code);
  }

  select(filter: CodeFilter, words: Uint32Array): void {
    if (filter.kind === 'set') {
      if (this.#bits > 16) selectDecoded(this, filter, words);
      else kernels().selectSet(this.#packed(), this.#bits, filter.table, this.rowCount, words);
    } else if (filter.from > filter.to || filter.from > 0xffffffff) {
      words.fill(0);
    } else if (filter.from === filter.to) {
      kernels().selectEqual(this.#packed(), this.#bits, filter.from, this.rowCount, words);
    } else {
      const to = Math.min(filter.to, 0xffffffff);
      kernels().selectRange(this.#packed(), this.#bits, filter.from, to, this.rowCount, words);
    }
  }

  /** See Kernels.selectRangeBounds. */
  selectBounds(from: number, to: number, words: Uint32Array, groups: Uint32Array): number {
    return kernels().selectRangeBounds(this.#packed(), this.#bits, from, to, this.rowCount, words, groups);
  }

  rowCodes(): RowCodes {
    return this.packed;
  }

  /** The codes as kernels take them. */
  get packed(): Packed {
    return { packed: this.#packed(), bits: this.#bits };
  }

  /** The codes as differences, each `least` more. */
  asDifferences(least: number): Differences {
    return { packed: this.#packed(), bits: this.#bits, least, count: this.rowCount };
  }

  #packed(): Uint8Array {
    return this.#bytes.subarray(this.#offset, this.#offset + packedBytes(this.rowCount, this.#bits));
  }
}
