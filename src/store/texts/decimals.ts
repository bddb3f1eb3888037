import { damaged, type Place } from '../../encoding/contract.ts';
import { type TextList, textStart } from './localTexts.ts';

/**
 * Ids that are whole numbers take three quarters as numbers of what they take as digits, after compression too:
 *
 *   0  f64  the smallest value
 *   8       `width` planes of a byte a text, the lowest first, of value - smallest
 *
 * Values are below 10^15, and width is at least 1.
 */
const HEADER_BYTES = 8;
const DIGITS_MAX = 15;
const VALUE_END = 10 ** DIGITS_MAX;
const WIDTH_MAX = 7;
const ZERO = 48;

/** Undefined unless all texts [from, to) are decimals as JavaScript writes them, of at most 15 digits. */
export function decimalsOf(
  list: TextList,
  from: number,
  to: number,
): { readonly width: number; readonly plain: Buffer } | undefined {
  const values = new Float64Array(to - from);
  let min = VALUE_END;
  let max = 0;
  for (let i = from; i < to; i++) {
    const value = decimalAt(list.bytes, textStart(list, i), list.ends[i]!);
    if (value === -1) return undefined;
    values[i - from] = value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  let width = 1;
  while (max - min >= 256 ** width) width++;
  const plain = Buffer.allocUnsafe(HEADER_BYTES + width * values.length);
  plain.writeDoubleLE(min);
  for (let i = 0; i < values.length; i++) {
    let left = values[i]! - min;
    for (let at = HEADER_BYTES + i; at < plain.length; at += values.length) {
      plain[at] = left % 256;
      left = Math.floor(left / 256);
    }
  }
  return { width, plain };
}

/** -1 for anything else. */
function decimalAt(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0 || length > DIGITS_MAX || (bytes[start] === ZERO && length > 1)) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

export function decimalTexts(
  plain: Buffer,
  count: number,
  width: number,
  place: Place,
): { readonly bytes: Buffer; readonly ends: Uint32Array } {
  if (width < 1 || width > WIDTH_MAX || plain.length !== HEADER_BYTES + width * count) {
    damaged(place, `${count} decimals of ${width} bytes`, `${plain.length} bytes`);
  }
  const min = plain.readDoubleLE(0);
  if (!(Number.isInteger(min) && min >= 0)) damaged(place, 'a smallest value', String(min));
  const bytes = Buffer.allocUnsafe(count * DIGITS_MAX);
  const ends = new Uint32Array(count);
  let end = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    for (let at = plain.length - count + i; at >= HEADER_BYTES; at -= count) value = value * 256 + plain[at]!;
    value += min;
    if (value >= VALUE_END) damaged(place, `values below ${VALUE_END}`, String(value));
    end = writeDecimal(bytes, end, value);
    ends[i] = end;
  }
  return { bytes: bytes.subarray(0, end), ends };
}

/** Where it ends. */
function writeDecimal(bytes: Buffer, start: number, value: number): number {
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits++;
  let left = value;
  for (let at = start + digits - 1; at >= start; at--) {
    const rest = Math.floor(left / 10);
    bytes[at] = ZERO + left - rest * 10;
    left = rest;
  }
  return start + digits;
}
