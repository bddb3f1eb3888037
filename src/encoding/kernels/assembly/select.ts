// Lanes to bitmaps. All read lanes in whole groups of 64 and write the bitmap in whole words of 64 bits.

/** Lanes of 8 bits that equal the code. */
export function equal8(lanes: usize, code: u32, count: u32, words: usize): void {
  const wanted = i8x16.splat(code as i8);
  for (let row: u32 = 0; row < count; row += 64) {
    const a = i8x16.eq(v128.load(lanes), wanted);
    const b = i8x16.eq(v128.load(lanes, 16), wanted);
    const c = i8x16.eq(v128.load(lanes, 32), wanted);
    const d = i8x16.eq(v128.load(lanes, 48), wanted);
    store<u64>(words, bitsOf(a, b, c, d));
    lanes += 64;
    words += 8;
  }
}

/** Lanes of 8 bits from `from` to from + span. */
export function range8(lanes: usize, from: u32, span: u32, count: u32, words: usize): void {
  const low = i8x16.splat(from as i8);
  const high = i8x16.splat(span as i8);
  for (let row: u32 = 0; row < count; row += 64) {
    const a = i8x16.le_u(i8x16.sub(v128.load(lanes), low), high);
    const b = i8x16.le_u(i8x16.sub(v128.load(lanes, 16), low), high);
    const c = i8x16.le_u(i8x16.sub(v128.load(lanes, 32), low), high);
    const d = i8x16.le_u(i8x16.sub(v128.load(lanes, 48), low), high);
    store<u64>(words, bitsOf(a, b, c, d));
    lanes += 64;
    words += 8;
  }
}

export function range16(lanes: usize, from: u32, span: u32, count: u32, words: usize): void {
  const low = i16x8.splat(from as i16);
  const high = i16x8.splat(span as i16);
  for (let row: u32 = 0; row < count; row += 64) {
    const a = within16(lanes, low, high);
    const b = within16(lanes + 32, low, high);
    const c = within16(lanes + 64, low, high);
    const d = within16(lanes + 96, low, high);
    store<u64>(words, bitsOf(a, b, c, d));
    lanes += 128;
    words += 8;
  }
}

export function range32(lanes: usize, from: u32, span: u32, count: u32, words: usize): void {
  const low = i32x4.splat(from);
  const high = i32x4.splat(span);
  for (let row: u32 = 0; row < count; row += 64) {
    const a = within32(lanes, low, high);
    const b = within32(lanes + 64, low, high);
    const c = within32(lanes + 128, low, high);
    const d = within32(lanes + 192, low, high);
    store<u64>(words, bitsOf(a, b, c, d));
    lanes += 256;
    words += 8;
  }
}

/** The verdicts, all bits set or none, of 16 lanes in a byte each. */
@inline
function within16(lanes: usize, low: v128, high: v128): v128 {
  const a = i16x8.le_u(i16x8.sub(v128.load(lanes), low), high);
  const b = i16x8.le_u(i16x8.sub(v128.load(lanes, 16), low), high);
  return i8x16.narrow_i16x8_s(a, b);
}

@inline
function within32(lanes: usize, low: v128, high: v128): v128 {
  const a = i32x4.le_u(i32x4.sub(v128.load(lanes), low), high);
  const b = i32x4.le_u(i32x4.sub(v128.load(lanes, 16), low), high);
  const c = i32x4.le_u(i32x4.sub(v128.load(lanes, 32), low), high);
  const d = i32x4.le_u(i32x4.sub(v128.load(lanes, 48), low), high);
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** The verdicts of 64 lanes in a bit each. */
@inline
export function bitsOf(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = (i8x16.bitmask(a) as u32) | ((i8x16.bitmask(b) as u32) << 16);
  const high = (i8x16.bitmask(c) as u32) | ((i8x16.bitmask(d) as u32) << 16);
  return (low as u64) | ((high as u64) << 32);
}
