import type { ByteReader } from './bytes.ts';
import type { Codes } from './codes.ts';
import { PIECE_ROWS, searchFirstFrom } from './codes.ts';
import type { Draft, EncodedValues, Filter, NumberVector } from './contract.ts';
import { selectTested } from './frame.ts';
import { openCodes } from './openCodes.ts';

/**
 * Doubles as their bits: what holds anything, so that there is always an encoding.
 *
 *   u8     tag, 0
 *   f64    least value
 *   f64    greatest value
 *   codes  the upper 32 bits of each
 *   codes  the lower 32 bits of each
 *
 * Valid: all are finite and between the least and the greatest value.
 */
export const DOUBLES_TAG = 0;

export function doublesDraft(min: number, max: number, upper: Draft, lower: Draft): Draft {
  return {
    bytes: 17 + upper.bytes + lower.bytes,
    scanNsPerRow: 4,
    write(target) {
      target.byte(DOUBLES_TAG);
      target.double(min);
      target.double(max);
      upper.write(target);
      lower.write(target);
    },
  };
}

/** After the tag. */
export function openDoubles(reader: ByteReader, rowCount: number): Doubles {
  const min = reader.double();
  const max = reader.double();
  const upper = openCodes(reader, rowCount);
  const lower = openCodes(reader, rowCount);
  const doubles = new Doubles(min, max, upper, lower);
  reader.expect(reader.trusted || doubles.isSound(), 'doubles between their bounds', 'others');
  return doubles;
}

const pieceUpper = new Uint32Array(PIECE_ROWS);
const pieceLower = new Uint32Array(PIECE_ROWS);
const pieceValues = new Float64Array(PIECE_ROWS);
const one = new Float64Array(1);
const oneBits = new Uint32Array(one.buffer);

export class Doubles implements EncodedValues {
  readonly min: number;
  readonly max: number;
  readonly #upper: Codes;
  readonly #lower: Codes;

  constructor(min: number, max: number, upper: Codes, lower: Codes) {
    this.min = min;
    this.max = max;
    this.#upper = upper;
    this.#lower = lower;
  }

  get rowCount(): number {
    return this.#upper.rowCount;
  }

  at(row: number): number {
    oneBits[0] = this.#lower.at(row);
    oneBits[1] = this.#upper.at(row);
    return one[0]!;
  }

  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; row += PIECE_ROWS) {
      const count = Math.min(PIECE_ROWS, to - row);
      this.#upper.decode(row, row + count, pieceUpper);
      this.#lower.decode(row, row + count, pieceLower);
      joinHalves(count, target, row - from);
    }
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    for (let from = 0; from < rows.length; from += PIECE_ROWS) {
      const piece = rows.subarray(from, from + PIECE_ROWS);
      this.#upper.gather(piece, first, pieceUpper);
      this.#lower.gather(piece, first, pieceLower);
      joinHalves(piece.length, target, from);
    }
  }

  firstFrom(value: number): number {
    return searchFirstFrom(this, value);
  }

  select(filter: Filter, words: Uint32Array): void {
    selectTested(this, filter, this.#upper.rowCount, words);
  }

  isSound(): boolean {
    const rowCount = this.#upper.rowCount;
    for (let from = 0; from < rowCount; from += PIECE_ROWS) {
      const count = Math.min(PIECE_ROWS, rowCount - from);
      this.decode(from, from + count, pieceValues);
      for (let i = 0; i < count; i++) {
        if (!(pieceValues[i]! >= this.min && pieceValues[i]! <= this.max)) return false;
      }
    }
    return Number.isFinite(this.min) && Number.isFinite(this.max);
  }
}

/** target[at + i] = the double whose halves are in pieceUpper and pieceLower. */
function joinHalves(count: number, target: NumberVector, at: number): void {
  for (let i = 0; i < count; i++) {
    oneBits[0] = pieceLower[i]!;
    oneBits[1] = pieceUpper[i]!;
    target[at + i] = one[0]!;
  }
}
