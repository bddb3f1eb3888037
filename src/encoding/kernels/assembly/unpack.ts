// Codes of any width to lanes of 8, 16 or 32 bits, by the prepared pattern. A multiplication stands for the shift by a
// different distance in each lane that WebAssembly lacks.
import { PATTERNS } from './layout';
import { FACTOR, FIRST, MASK, SECOND, SWIZZLE } from './patterns';

/** Widths under 8 to bytes; `count` is rounded up to 16. */
export function unpackLanes8(packed: usize, bits: u32, count: u32, lanes: usize): void {
  const swizzle = v128.load(PATTERNS, SWIZZLE);
  const mask = v128.load(PATTERNS, MASK);
  const factor = v128.load(PATTERNS, FACTOR);
  for (let row: u32 = 0; row < count; row += 16) {
    const low = v128.and(i8x16.swizzle(v128.load(packed), swizzle), mask);
    const high = v128.and(i8x16.swizzle(v128.load(packed + bits), swizzle), mask);
    const first = i16x8.shr_u(i16x8.mul(low, factor), 8);
    const second = i16x8.shr_u(i16x8.mul(high, factor), 8);
    v128.store(lanes, i8x16.narrow_i16x8_u(first, second));
    packed += bits << 1;
    lanes += 16;
  }
}

/** Widths of 9 to 15 to 16 bits; `count` is rounded up to 8. */
export function unpackLanes16(packed: usize, bits: u32, count: u32, lanes: usize): void {
  const half = (bits >>> 1) as usize;
  const swizzle0 = v128.load(PATTERNS, SWIZZLE);
  const mask0 = v128.load(PATTERNS, MASK);
  const factor0 = v128.load(PATTERNS, FACTOR);
  const swizzle1 = v128.load(SECOND, SWIZZLE);
  const mask1 = v128.load(SECOND, MASK);
  const factor1 = v128.load(SECOND, FACTOR);
  for (let row: u32 = 0; row < count; row += 8) {
    const first = four(packed, swizzle0, mask0, factor0);
    const second = four(packed + half, swizzle1, mask1, factor1);
    v128.store(lanes, i16x8.narrow_i32x4_u(first, second));
    packed += bits;
    lanes += 16;
  }
}

/** Widths of 1 to 25 to 32 bits; `count` is rounded up to 8. */
export function unpackLanes32(packed: usize, bits: u32, count: u32, lanes: usize): void {
  const half = (bits >>> 1) as usize;
  const swizzle0 = v128.load(PATTERNS, SWIZZLE);
  const mask0 = v128.load(PATTERNS, MASK);
  const factor0 = v128.load(PATTERNS, FACTOR);
  const swizzle1 = v128.load(SECOND, SWIZZLE);
  const mask1 = v128.load(SECOND, MASK);
  const factor1 = v128.load(SECOND, FACTOR);
  for (let row: u32 = 0; row < count; row += 8) {
    v128.store(lanes, four(packed, swizzle0, mask0, factor0));
    v128.store(lanes, four(packed + half, swizzle1, mask1, factor1), 16);
    packed += bits;
    lanes += 32;
  }
}

/** The wide ones, 26 to 31. */
export function unpackWide(packed: usize, bits: u32, count: u32, lanes: usize): void {
  const half = (bits >>> 1) as usize;
  for (let row: u32 = 0; row < count; row += 8) {
    v128.store(lanes, fourWide(packed, PATTERNS));
    v128.store(lanes, fourWide(packed + half, SECOND), 16);
    packed += bits;
    lanes += 32;
  }
}

@inline
function four(packed: usize, swizzle: v128, mask: v128, factor: v128): v128 {
  return i32x4.shr_u(i32x4.mul(v128.and(i8x16.swizzle(v128.load(packed), swizzle), mask), factor), 7);
}

@inline
function fourWide(packed: usize, pattern: usize): v128 {
  const bytes = v128.load(packed);
  const factor = v128.load(pattern, FACTOR);
  const upper = i32x4.mul(i8x16.swizzle(bytes, v128.load(pattern, SWIZZLE)), factor);
  const lower = i32x4.shr_u(i16x8.mul(i8x16.swizzle(bytes, v128.load(pattern, FIRST)), factor), 8);
  return v128.and(v128.or(upper, lower), v128.load(pattern, MASK));
}
