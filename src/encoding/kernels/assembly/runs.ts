// Runs of rows.

/**
 * counts[r] = bits set in [offsets[r], offsets[r + 1]) of a bitmap whose words from row `base` on, a multiple of 64,
 * are at `words`. They are read in 64-bit words.
 */
export function countRuns(words: usize, base: u32, offsets: usize, runCount: u32, counts: usize): void {
  let from = load<u32>(offsets) - base;
  for (let run: u32 = 0; run < runCount; run++) {
    offsets += 4;
    const to = load<u32>(offsets) - base;
    store<u32>(counts, countRange(words, from, to));
    counts += 4;
    from = to;
  }
}

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

@inline
function wordAt(words: usize, index: u32): u64 {
  return load<u64>(words + ((index as usize) << 3));
}
