// Membership in a set of codes. `prepareSet` turns a table of 0 and 1 per code, at SET, 256 bytes at least, into what
// the loops find at LOOK_UP; for widths over 8 they use the table itself.
import { LOOK_UP, SET } from './layout';
import { bitsOf } from './select';

/** Which bit of a byte of the 256-bit set stands for the high half of a code. */
@inline
function bitOfHighHalf(): v128 {
  return i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
}

export function prepareSet(bits: u32): void {
  if (bits === 1 || bits === 2 || bits === 4) prepareHalves(bits);
  else if (bits <= 8) prepareBytes();
}

/** 16 bytes: for each half byte of lanes a bit for each of its lanes that passes. */
function prepareHalves(bits: u32): void {
  const mask: u32 = (1 << bits) - 1;
  for (let half: u32 = 0; half < 16; half++) {
    let passing: u32 = 0;
    for (let bit: u32 = 0, lane: u32 = 0; bit < 4; bit += bits, lane++) {
      passing |= (load<u8>(SET + ((half >>> bit) & mask)) as u32) << lane;
    }
    store<u8>(LOOK_UP + half, passing as u8);
  }
}

/** 32 bytes: byte l, bit h is about the code 16 h + l, and byte 16 + l, bit h about 16 (h + 8) + l. */
function prepareBytes(): void {
  let low = i64x2.splat(0);
  let high = i64x2.splat(0);
  for (let h: i32 = 0; h < 8; h++) {
    low = v128.or(low, i8x16.shl(v128.load(SET + (h << 4)), h));
    high = v128.or(high, i8x16.shl(v128.load(SET + 128 + (h << 4)), h));
  }
  v128.store(LOOK_UP, low);
  v128.store(LOOK_UP, high, 16);
}

/** Lanes of 1 bit: each half byte of lanes gives a half byte of the bitmap. */
export function set1(lanes: usize, count: u32, words: usize): void {
  const table = v128.load(LOOK_UP);
  const lowHalf = i8x16.splat(15);
  for (let row: u32 = 0; row < count; row += 128) {
    const bytes = v128.load(lanes);
    const low = i8x16.swizzle(table, v128.and(bytes, lowHalf));
    const high = i8x16.swizzle(table, i8x16.shr_u(bytes, 4));
    v128.store(words, v128.or(low, i16x8.shl(high, 4)));
    lanes += 16;
    words += 16;
  }
}

/** Lanes of 2 bits: each byte of lanes gives 4 bits, of which two at a time make a byte. */
export function set2(lanes: usize, count: u32, words: usize): void {
  const table = v128.load(LOOK_UP);
  const lowHalf = i8x16.splat(15);
  const lowByte = i16x8.splat(255);
  for (let row: u32 = 0; row < count; row += 128) {
    const a = quads(v128.load(lanes), table, lowHalf, lowByte);
    const b = quads(v128.load(lanes, 16), table, lowHalf, lowByte);
    v128.store(words, i8x16.narrow_i16x8_u(a, b));
    lanes += 32;
    words += 16;
  }
}

@inline
function quads(bytes: v128, table: v128, lowHalf: v128, lowByte: v128): v128 {
  const low = i8x16.swizzle(table, v128.and(bytes, lowHalf));
  const high = i8x16.swizzle(table, i8x16.shr_u(bytes, 4));
  const passing = v128.or(low, i16x8.shl(high, 2));
  return v128.and(v128.or(passing, i16x8.shr_u(passing, 4)), lowByte);
}

/** Lanes of 4 bits. */
export function set4(lanes: usize, count: u32, words: usize): void {
  const none = i64x2.splat(0);
  const table = i8x16.ne(v128.load(LOOK_UP), none);
  const lowHalf = i8x16.splat(15);
  for (let row: u32 = 0; row < count; row += 64) {
    const first = v128.load(lanes);
    const second = v128.load(lanes, 16);
    const low0 = i8x16.swizzle(table, v128.and(first, lowHalf));
    const high0 = i8x16.swizzle(table, i8x16.shr_u(first, 4));
    const low1 = i8x16.swizzle(table, v128.and(second, lowHalf));
    const high1 = i8x16.swizzle(table, i8x16.shr_u(second, 4));
    const a = interleaveLow(low0, high0);
    const b = interleaveHigh(low0, high0);
    const c = interleaveLow(low1, high1);
    const d = interleaveHigh(low1, high1);
    store<u64>(words, bitsOf(a, b, c, d));
    lanes += 32;
    words += 8;
  }
}

@inline
function interleaveLow(even: v128, odd: v128): v128 {
  return i8x16.shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

@inline
function interleaveHigh(even: v128, odd: v128): v128 {
  return i8x16.shuffle(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Lanes of 8 bits: the low half of a code finds a byte of the set, its high half the bit (W. Muła's pshufb sets). */
export function set8(lanes: usize, count: u32, words: usize): void {
  const low = v128.load(LOOK_UP);
  const high = v128.load(LOOK_UP, 16);
  for (let row: u32 = 0; row < count; row += 64) {
    const a = member(v128.load(lanes), low, high);
    const b = member(v128.load(lanes, 16), low, high);
    const c = member(v128.load(lanes, 32), low, high);
    const d = member(v128.load(lanes, 48), low, high);
    store<u64>(words, bitsOf(a, b, c, d));
    lanes += 64;
    words += 8;
  }
}

/** A swizzle gives 0 for an index over 15: codes over 127 find nothing in `low`, the others nothing in `high`. */
@inline
function member(codes: v128, low: v128, high: v128): v128 {
  const index = v128.and(codes, i8x16.splat(-113));
  const found = v128.or(i8x16.swizzle(low, index), i8x16.swizzle(high, v128.xor(index, i8x16.splat(-128))));
  const bit = i8x16.swizzle(bitOfHighHalf(), i8x16.shr_u(codes, 4));
  return i8x16.eq(v128.and(found, bit), bit);
}

/** Lanes of 16 bits: one look-up each. */
export function set16(lanes: usize, count: u32, words: usize): void {
  for (let row: u32 = 0; row < count; row += 8) {
    const a = passes(lanes, 0) | (passes(lanes, 2) << 1) | (passes(lanes, 4) << 2) | (passes(lanes, 6) << 3);
    const b = passes(lanes, 8) | (passes(lanes, 10) << 1) | (passes(lanes, 12) << 2) | (passes(lanes, 14) << 3);
    store<u8>(words, (a | (b << 4)) as u8);
    lanes += 16;
    words++;
  }
}

@inline
function passes(lanes: usize, offset: usize): u32 {
  return load<u8>(SET + (load<u16>(lanes + offset) as usize)) as u32;
}
