// Ranges of codes of any width, without unpacking them: each lane compares its code at the bit where it lies, against
// bounds moved there by the prepared pattern. Codes are taken 16 at a time.
import { PATTERNS } from './layout';
import { LOW, MASK, SECOND, SPAN, SWIZZLE } from './patterns';

/** Widths under 8. */
export function packedRange16(packed: usize, bits: u32, count: u32, words: usize): void {
  const group = bits as usize;
  const swizzle = v128.load(PATTERNS, SWIZZLE);
  const mask = v128.load(PATTERNS, MASK);
  const low = v128.load(PATTERNS, LOW);
  const span = v128.load(PATTERNS, SPAN);
  for (let row: u32 = 0; row < count; row += 16) {
    const first = verdicts16(packed, swizzle, mask, low, span);
    const second = verdicts16(packed + group, swizzle, mask, low, span);
    store<u16>(words, i8x16.bitmask(i8x16.narrow_i16x8_s(first, second)) as u16);
    packed += group * 2;
    words += 2;
  }
}

/** Widths of 9 to 25. */
export function packedRange32(packed: usize, bits: u32, count: u32, words: usize): void {
  const group = bits as usize;
  const half = group >>> 1;
  const swizzle0 = v128.load(PATTERNS, SWIZZLE);
  const mask0 = v128.load(PATTERNS, MASK);
  const low0 = v128.load(PATTERNS, LOW);
  const span0 = v128.load(PATTERNS, SPAN);
  const swizzle1 = v128.load(SECOND, SWIZZLE);
  const mask1 = v128.load(SECOND, MASK);
  const low1 = v128.load(SECOND, LOW);
  const span1 = v128.load(SECOND, SPAN);
  for (let row: u32 = 0; row < count; row += 16) {
    const a = verdicts32(packed, swizzle0, mask0, low0, span0);
    const b = verdicts32(packed + half, swizzle1, mask1, low1, span1);
    packed += group;
    const c = verdicts32(packed, swizzle0, mask0, low0, span0);
    const d = verdicts32(packed + half, swizzle1, mask1, low1, span1);
    packed += group;
    const verdicts = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
    store<u16>(words, i8x16.bitmask(verdicts) as u16);
    words += 2;
  }
}

/**
 * The same for widths up to 25, and to `groups` the numbers of those groups of 16 codes in which a bound itself occurs,
 * which are few; returns how many there are.
 */
export function packedRangeBounds(packed: usize, bits: u32, count: u32, words: usize, groups: usize): u32 {
  const group = bits as usize;
  const half = group >>> 1;
  const swizzle0 = v128.load(PATTERNS, SWIZZLE);
  const mask0 = v128.load(PATTERNS, MASK);
  const low0 = v128.load(PATTERNS, LOW);
  const span0 = v128.load(PATTERNS, SPAN);
  const swizzle1 = v128.load(SECOND, SWIZZLE);
  const mask1 = v128.load(SECOND, MASK);
  const low1 = v128.load(SECOND, LOW);
  const span1 = v128.load(SECOND, SPAN);
  const begin = groups;
  for (let row: u32 = 0; row < count; row += 16) {
    const a = distances32(packed, swizzle0, mask0, low0);
    const b = distances32(packed + half, swizzle1, mask1, low1);
    packed += group;
    const c = distances32(packed, swizzle0, mask0, low0);
    const d = distances32(packed + half, swizzle1, mask1, low1);
    packed += group;
    const first = i16x8.narrow_i32x4_s(i32x4.le_u(a, span0), i32x4.le_u(b, span1));
    const second = i16x8.narrow_i32x4_s(i32x4.le_u(c, span0), i32x4.le_u(d, span1));
    store<u16>(words, i8x16.bitmask(i8x16.narrow_i16x8_s(first, second)) as u16);
    words += 2;
    const bounds = v128.or(
      v128.or(areBounds(a, span0), areBounds(b, span1)),
      v128.or(areBounds(c, span0), areBounds(d, span1)),
    );
    if (v128.any_true(bounds)) {
      store<u32>(groups, row >>> 4);
      groups += 4;
    }
  }
  return ((groups - begin) as u32) >>> 2;
}

/** From the lower bound to the code. */
@inline
function distances32(packed: usize, swizzle: v128, mask: v128, low: v128): v128 {
  return i32x4.sub(v128.and(i8x16.swizzle(v128.load(packed), swizzle), mask), low);
}

@inline
function areBounds(distances: v128, span: v128): v128 {
  return v128.or(i32x4.eq(distances, i64x2.splat(0)), i32x4.eq(distances, span));
}

@inline
function verdicts16(packed: usize, swizzle: v128, mask: v128, low: v128, span: v128): v128 {
  const codes = v128.and(i8x16.swizzle(v128.load(packed), swizzle), mask);
  return i16x8.le_u(i16x8.sub(codes, low), span);
}

@inline
function verdicts32(packed: usize, swizzle: v128, mask: v128, low: v128, span: v128): v128 {
  return i32x4.le_u(distances32(packed, swizzle, mask, low), span);
}
