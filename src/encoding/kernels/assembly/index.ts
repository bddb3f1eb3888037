// AssemblyScript, compiled to WebAssembly with SIMD by scripts/kernels.mjs. Each kernel's meaning is that of its twin
// in ../plain.ts. Pointers are byte addresses in this module's own memory, laid out by ../simd.ts.

/**
 * Sets bit i of the bitmap at `words` where lane i equals `code`. `lanes` is read in whole groups of 32 and the bitmap
 * written in whole words: the caller clears the bits past `count`.
 */
export function equal8(lanes: usize, code: u32, count: u32, words: usize): void {
  const wanted = i8x16.splat(code as i8);
  const groups = (count + 31) >>> 5;
  for (let group: u32 = 0; group < groups; group++) {
    const low = i8x16.bitmask(i8x16.eq(v128.load(lanes), wanted));
    const high = i8x16.bitmask(i8x16.eq(v128.load(lanes, 16), wanted));
    store<u32>(words, (low as u32) | ((high as u32) << 16));
    lanes += 32;
    words += 4;
  }
}

/** counts[r] = bits set in [offsets[r], offsets[r + 1]) of the bitmap at `words`, which is read in 64-bit words. */
export function countRuns(words: usize, offsets: usize, runCount: u32, counts: usize): void {
  let from = load<u32>(offsets);
  for (let run: u32 = 0; run < runCount; run++) {
    const to = load<u32>(offsets + ((run as usize) << 2), 4);
    store<u32>(counts + ((run as usize) << 2), countRange(words, from, to));
    from = to;
  }
}

// @ts-ignore: AssemblyScript's decorator
@inline
function countRange(words: usize, from: u32, to: u32): u32 {
  if (from >= to) return 0;
  const first = from >>> 6;
  const last = (to - 1) >>> 6;
  const firstMask = u64.MAX_VALUE << (from & 63);
  const lastMask = u64.MAX_VALUE >>> ((64 - (to & 63)) & 63);
  if (first === last) return popcnt<u64>(wordAt(words, first) & firstMask & lastMask) as u32;
  let total = popcnt<u64>(wordAt(words, first) & firstMask);
  for (let w = first + 1; w < last; w++) total += popcnt<u64>(wordAt(words, w));
  return (total + popcnt<u64>(wordAt(words, last) & lastMask)) as u32;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function wordAt(words: usize, index: u32): u64 {
  return load<u64>(words + ((index as usize) << 3));
}
