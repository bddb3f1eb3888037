// Selected runs to selected rows, where a bit a row says that a run begins there: 128 rows at a time.

/** From a bit within a byte to what moves a pair of bytes up to where that bit is bit 8: low and high byte. */
@inline
function factorLow(): v128 {
  return i8x16(0, -128, 64, 32, 16, 8, 4, 2, 0, -128, 64, 32, 16, 8, 4, 2);
}

@inline
function factorHigh(): v128 {
  return i8x16(1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
}

/**
 * In place, in 64-bit words: bit r of a bitmap of runs becomes whether run r is selected and the one before it is not,
 * or the other way round. Before the first run none is.
 */
export function toggles(runs: usize, wordCount: u32): void {
  let before: u64 = 0;
  for (let w: u32 = 0; w < wordCount; w++) {
    const selected = load<u64>(runs);
    store<u64>(runs, selected ^ ((selected << 1) | before));
    before = selected >>> 63;
    runs += 8;
  }
}

/**
 * `starts` has a bit set where a run begins, `changes` a bit for each run: see toggles(). Of the rows it selects those
 * whose run is selected. In whole vectors; reads `changes` up to 17 bytes past the last run's.
 */
export function fillStarts(changes: usize, starts: usize, vectorCount: u32, words: usize): void {
  const none = i64x2.splat(0);
  let run: u32 = 0;
  let before: u64 = 0;
  for (let i: u32 = 0; i < vectorCount; i++) {
    let rest = v128.load(starts);
    const counts = i8x16.popcnt(rest);
    const upTo = sums8(counts, none);
    const windows = windowsOf(changes + (run >>> 3), i8x16.add(i8x16.sub(upTo, counts), i8x16.splat((run & 7) as i8)));
    run += i8x16.extract_lane_u(upTo, 15);
    // The n-th change of a byte goes to where its n-th run begins.
    let lowest = lowestBits(rest);
    let changed = v128.and(lowest, have(windows, 1));
    rest = v128.xor(rest, lowest);
    for (let bit: i8 = 2; v128.any_true(rest); bit <<= 1) {
      lowest = lowestBits(rest);
      changed = v128.or(changed, v128.and(lowest, have(windows, bit)));
      rest = v128.xor(rest, lowest);
    }
    const first = prefixXor(i64x2.extract_lane(changed, 0) as u64) ^ before;
    const second = prefixXor(i64x2.extract_lane(changed, 1) as u64) ^ (((first as i64) >> 63) as u64);
    before = ((second as i64) >> 63) as u64;
    store<u64>(words, first);
    store<u64>(words, second, 8);
    starts += 16;
    words += 16;
  }
}

@inline
function lowestBits(bytes: v128): v128 {
  return v128.and(bytes, i8x16.neg(bytes));
}

@inline
function have(bytes: v128, bit: i8): v128 {
  const bits = i8x16.splat(bit);
  return i8x16.eq(v128.and(bytes, bits), bits);
}

/** Of bytes, each plus all those before it. */
@inline
function sums8(bytes: v128, none: v128): v128 {
  let sum = i8x16.add(bytes, i8x16.shuffle(none, bytes, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30));
  sum = i8x16.add(sum, i8x16.shuffle(none, sum, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29));
  sum = i8x16.add(sum, i8x16.shuffle(none, sum, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
  return i8x16.add(sum, i8x16.shuffle(none, sum, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23));
}

/** Eight bits of memory from each of 16 bit offsets, which are below 128. */
@inline
function windowsOf(at: usize, bits: v128): v128 {
  const bytes = v128.and(i16x8.shr_u(bits, 3), i8x16.splat(15));
  const low = i8x16.swizzle(v128.load(at), bytes);
  const high = i8x16.swizzle(v128.load(at, 1), bytes);
  const shift = v128.and(bits, i8x16.splat(7));
  const byLow = i8x16.swizzle(factorLow(), shift);
  const byHigh = i8x16.swizzle(factorHigh(), shift);
  const first = i16x8.mul(pairsLow(low, high), pairsLow(byLow, byHigh));
  const second = i16x8.mul(pairsHigh(low, high), pairsHigh(byLow, byHigh));
  return i8x16.narrow_i16x8_u(i16x8.shr_u(first, 8), i16x8.shr_u(second, 8));
}

@inline
function pairsLow(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

@inline
function pairsHigh(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Each bit the exclusive or of itself and all below it. */
@inline
export function prefixXor(word: u64): u64 {
  word ^= word << 1;
  word ^= word << 2;
  word ^= word << 4;
  word ^= word << 8;
  word ^= word << 16;
  return word ^ (word << 32);
}
