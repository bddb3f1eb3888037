// Some rows of many. Rows are numbers of 32 bits that ascend, and may come again.

/** Codes of rows, packed in `bits` bits each; `first` is the row whose code begins at `packed`. */
export function gather(packed: usize, bits: u32, rows: usize, first: u32, count: u32, target: usize): void {
  const mask = ((1 as u64) << (bits as u64)) - 1;
  const end = rows + ((count as usize) << 2);
  for (; rows < end; rows += 4) {
    const bit = (load<u32>(rows) - first) * bits;
    const bytes = load<u64>(packed + (bit >>> 3));
    store<u32>(target, ((bytes >>> ((bit & 7) as u64)) & mask) as u32);
    target += 4;
  }
}

/**
 * For each row how many bits are set up to and with it, and `before` more. `words` are 64-bit words whose first bit is of
 * the row `first`.
 */
export function ranks(words: usize, rows: usize, first: u32, count: u32, before: u32, target: usize): void {
  let at = words;
  let rank = before;
  const end = rows + ((count as usize) << 2);
  for (; rows < end; rows += 4) {
    const row = load<u32>(rows) - first;
    const word = words + (((row >>> 6) as usize) << 3);
    for (; at < word; at += 8) rank += popcnt(load<u64>(at)) as u32;
    const upTo = load<u64>(word) & (u64.MAX_VALUE >>> ((63 - (row & 63)) as u64));
    store<u32>(target, rank + (popcnt(upTo) as u32));
    target += 4;
  }
}

/**
 * Puts in the place of each row the code of its run: that of the number that ranks() gives, of codes packed in `bits` bits
 * each.
 */
export function gatherRanked(
  words: usize,
  before: u32,
  packed: usize,
  bits: u32,
  rows: usize,
  first: u32,
  count: u32,
): void {
  const mask = ((1 as u64) << (bits as u64)) - 1;
  let at = words;
  let rank = before;
  const end = rows + ((count as usize) << 2);
  for (; rows < end; rows += 4) {
    const row = load<u32>(rows) - first;
    const word = words + (((row >>> 6) as usize) << 3);
    for (; at < word; at += 8) rank += popcnt(load<u64>(at)) as u32;
    const upTo = load<u64>(word) & (u64.MAX_VALUE >>> ((63 - (row & 63)) as u64));
    const bit = (rank + (popcnt(upTo) as u32)) * bits;
    const bytes = load<u64>(packed + (bit >>> 3));
    store<u32>(rows, ((bytes >>> ((bit & 7) as u64)) & mask) as u32);
  }
}

/**
 * As gatherRanked(), but to `target` as doubles: the code of the run times 2^lowBits, plus the row's own of those at `low`,
 * packed in so many bits each.
 */
export function gatherSplit(
  words: usize,
  before: u32,
  packed: usize,
  bits: u32,
  low: usize,
  lowBits: u32,
  rows: usize,
  first: u32,
  count: u32,
  target: usize,
): void {
  const mask = ((1 as u64) << (bits as u64)) - 1;
  const lowMask = ((1 as u64) << (lowBits as u64)) - 1;
  let at = words;
  let rank = before;
  const end = rows + ((count as usize) << 2);
  for (; rows < end; rows += 4) {
    const row = load<u32>(rows) - first;
    const word = words + (((row >>> 6) as usize) << 3);
    for (; at < word; at += 8) rank += popcnt(load<u64>(at)) as u32;
    const upTo = load<u64>(word) & (u64.MAX_VALUE >>> ((63 - (row & 63)) as u64));
    const bit = (rank + (popcnt(upTo) as u32)) * bits;
    const high = (load<u64>(packed + (bit >>> 3)) >>> ((bit & 7) as u64)) & mask;
    const lowBit = row * lowBits;
    const own = (load<u64>(low + (lowBit >>> 3)) >>> ((lowBit & 7) as u64)) & lowMask;
    // Below 2^53; of a signed number the conversion is one instruction.
    store<f64>(target, (((high << (lowBits as u64)) | own) as i64) as f64);
    target += 8;
  }
}

/**
 * Puts in the place of each row how many bits are set before it, and `before` more; u32.MAX_VALUE where its own is not
 * set. Returns of how many it is not.
 */
export function places(words: usize, rows: usize, first: u32, count: u32, before: u32): u32 {
  let missing: u32 = 0;
  let at = words;
  let rank = before;
  const end = rows + ((count as usize) << 2);
  for (; rows < end; rows += 4) {
    const row = load<u32>(rows) - first;
    const word = words + (((row >>> 6) as usize) << 3);
    for (; at < word; at += 8) rank += popcnt(load<u64>(at)) as u32;
    const bits = load<u64>(word);
    const bit = (row & 63) as u64;
    const place = rank + (popcnt(bits & (((1 as u64) << bit) - 1)) as u32);
    const has = ((bits >>> bit) & 1) as u32;
    store<u32>(rows, place | (has - 1));
    missing += 1 - has;
  }
  return missing;
}

/**
 * The rows that have a bit, counted from `first`, and for each how many bits of `firsts` are set up to and with it, and
 * `before` more. Both bitmaps are 64-bit words. Returns how many rows there are.
 */
export function listRows(
  selected: usize,
  firsts: usize,
  wordCount: u32,
  first: u32,
  before: u32,
  rows: usize,
  users: usize,
): u32 {
  const begin = rows;
  for (let w: u32 = 0; w < wordCount; w++) {
    const starting = load<u64>(firsts);
    for (let left = load<u64>(selected); left !== 0; left &= left - 1) {
      store<u32>(rows, first + (ctz(left) as u32));
      store<u32>(users, before + (popcnt(starting & (left ^ (left - 1))) as u32));
      rows += 4;
      users += 4;
    }
    before += popcnt(starting) as u32;
    first += 64;
    selected += 8;
    firsts += 8;
  }
  return ((rows - begin) as u32) >>> 2;
}

/**
 * For the n-th bit of `selected`, target[n] gets bit k where the k-th bitmap at `bitmaps` has it too. All have `wordCount`
 * 64-bit words; `target` is all 0. A bitmap costs what it has set, not what is selected.
 */
export function markKinds(selected: usize, bitmaps: usize, kindCount: u32, wordCount: u32, target: usize): void {
  for (let k: u32 = 0; k < kindCount; k++) {
    let at = target;
    for (let w: u32 = 0; w < wordCount; w++) {
      const offset = (w as usize) << 3;
      const all = load<u64>(selected + offset);
      for (let left = load<u64>(bitmaps + offset) & all; left !== 0; left &= left - 1) {
        const place = at + ((popcnt(all & ((left & (0 - left)) - 1)) as usize) << 2);
        store<u32>(place, load<u32>(place) | (1 << k));
      }
      at += (popcnt(all) as usize) << 2;
    }
    bitmaps += (wordCount as usize) << 3;
  }
}
