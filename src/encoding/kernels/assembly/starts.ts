// Selected runs to selected rows, where a bit a row says that a run begins there: 128 rows at a time.

/** From a bit within a byte to what moves a pair of bytes up so that the bit is at 7. */
@inline
function factors(): v128 {
  return i8x16(-128, 64, 32, 16, 8, 4, 2, 1, -128, 64, 32, 16, 8, 4, 2, 1);
}

/**
 * `starts` has a bit set where a run begins, and bit 8 + r of `runs` is whether run r is selected. Selects the rows
 * of selected runs. In whole vectors; reads `runs` up to 18 bytes past the last run's bit.
 */
export function fillStarts(runs: usize, starts: usize, vectorCount: u32, words: usize): void {
  const none = i64x2.splat(0);
  // The run before the one that begins next, and 8.
  let run: u32 = 7;
  for (let i: u32 = 0; i < vectorCount; i++) {
    let rest = v128.load(starts);
    const counts = i8x16.popcnt(rest);
    const upTo = sums8(counts, none);
    const bits = i8x16.add(i8x16.sub(upTo, counts), i8x16.splat((run & 7) as i8));
    const at = runs + (run >>> 3);
    run += i8x16.extract_lane_u(upTo, 15);
    // For each byte of rows, from the bit of the run that it begins in on: a pair of bytes moved so that this is bit 7.
    const byte = v128.and(i16x8.shr_u(bits, 3), i8x16.splat(15));
    const low = i8x16.swizzle(v128.load(at), byte);
    const high = i8x16.swizzle(v128.load(at, 1), byte);
    const factor = i8x16.swizzle(factors(), v128.and(bits, i8x16.splat(7)));
    const first = i16x8.mul(pairsLow(low, high), pairsLow(factor, none));
    const second = i16x8.mul(pairsHigh(low, high), pairsHigh(factor, none));
    const begun = i8x16.narrow_i16x8_s(signs16(i16x8.shl(first, 8)), signs16(i16x8.shl(second, 8)));
    const later = i8x16.narrow_i16x8_u(i16x8.shr_u(first, 8), i16x8.shr_u(second, 8));
    // Where a run differs from the one before, all rows from its first one on change.
    const changes = v128.xor(later, i8x16.sub(i8x16.add(later, later), begun));
    let filled = begun;
    for (let bit: i8 = 1; v128.any_true(rest); bit <<= 1) {
      const upFromLowest = v128.or(rest, i8x16.neg(rest));
      filled = v128.xor(filled, v128.and(have(changes, bit), upFromLowest));
      rest = v128.and(rest, i8x16.sub(rest, i8x16.splat(1)));
    }
    v128.store(words, filled);
    starts += 16;
    words += 16;
  }
}

/** Of bytes, each plus all those before it. */
@inline
function sums8(bytes: v128, none: v128): v128 {
  let sum = i8x16.add(bytes, i8x16.shuffle(none, bytes, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30));
  sum = i8x16.add(sum, i8x16.shuffle(none, sum, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29));
  sum = i8x16.add(sum, i8x16.shuffle(none, sum, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
  return i8x16.add(sum, i8x16.shuffle(none, sum, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23));
}

/** All bits of a byte where it has this one, else none. */
@inline
function have(bytes: v128, bit: i8): v128 {
  const bits = i8x16.splat(bit);
  return i8x16.eq(v128.and(bytes, bits), bits);
}

@inline
function signs16(lanes: v128): v128 {
  return i16x8.shr_s(lanes, 15);
}

@inline
function pairsLow(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

@inline
function pairsHigh(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
