// Runs of rows.

/** In place, of numbers in whole vectors: each plus `least`, plus all those before it, plus `start`. Returns the last. */
export function sums(numbers: usize, count: u32, least: u32, start: u32): u32 {
  const none = i64x2.splat(0);
  const each = i32x4.splat(least);
  let before = i32x4.splat(start);
  for (let i: u32 = 0; i < count; i += 4) {
    const at = numbers + ((i as usize) << 2);
    let sum = i32x4.add(v128.load(at), each);
    sum = i32x4.add(sum, v128.shuffle<u32>(none, sum, 3, 4, 5, 6));
    sum = i32x4.add(sum, v128.shuffle<u32>(none, sum, 2, 3, 4, 5));
    sum = i32x4.add(sum, before);
    v128.store(at, sum);
    before = v128.shuffle<u32>(sum, sum, 3, 3, 3, 3);
  }
  return count === 0 ? start : load<u32>(numbers + ((count as usize) << 2) - 4);
}

/**
 * Sets the rows of selected runs. Of those, `runs` has a bit, in 64-bit words; starts[r] is the first row of run r, and
 * the one after the last starts where rows end. Writes whole words of 64 bits.
 */
export function fillRuns(runs: usize, runCount: u32, starts: usize, wordCount: u32, words: usize): void {
  memory.fill(words, 0, ((wordCount as usize) << 3) + 8);
  toggleChanges(runs, runCount, starts, words);
  let before: u64 = 0;
  for (let w: u32 = 0; w < wordCount; w++) {
    const word = prefixXor(load<u64>(words)) ^ before;
    store<u64>(words, word);
    before = (((word as i64) >> 63) as u64);
    words += 8;
  }
}

/** Each bit the exclusive or of itself and all below it. */
@inline
function prefixXor(word: u64): u64 {
  word ^= word << 1;
  word ^= word << 2;
  word ^= word << 4;
  word ^= word << 8;
  word ^= word << 16;
  return word ^ (word << 32);
}

/** Of rows where the selection changes. In bytes: neighbouring changes would wait for one another in a word. */
@inline
function toggleChanges(runs: usize, runCount: u32, starts: usize, words: usize): void {
  let before: u64 = 0;
  for (let run: u32 = 0; run < runCount; run += 64) {
    const selected = load<u64>(runs);
    let changes = selected ^ ((selected << 1) | before);
    for (; changes !== 0; changes &= changes - 1) {
      const row = load<u32>(starts + ((ctz(changes) as usize) << 2));
      const at = words + (row >>> 3);
      store<u8>(at, ((load<u8>(at) as u32) ^ ((1 as u32) << (row & 7))) as u8);
    }
    before = selected >>> 63;
    runs += 8;
    starts += 256;
  }
}

/**
 * Sets the bits of the rows at which runs begin, but for the first one, which ends before `end`; each other is as long as
 * its number and `least`. By a byte a row first, since no store waits for another one then. Of `vectorCount` times 16 rows;
 * there is room at `flags` for a byte for every row, and 16 more.
 */
export function markStarts(
  lengths: usize,
  count: u32,
  least: u32,
  end: u32,
  flags: usize,
  vectorCount: u32,
  words: usize,
): void {
  memory.fill(flags, 0, (vectorCount as usize) << 4);
  let at = flags + end;
  store<u8>(at, 255);
  for (const past = lengths + ((count as usize) << 2); lengths < past; lengths += 4) {
    at += load<u32>(lengths) + least;
    store<u8>(at, 255);
  }
  for (const past = flags + ((vectorCount as usize) << 4); flags < past; flags += 16) {
    store<u16>(words, i8x16.bitmask(v128.load(flags)) as u16);
    words += 2;
  }
}

/** `base` more than the numbers of the bits set in a bitmap of 64-bit words; returns how many there are. */
export function positions(words: usize, wordCount: u32, base: u32, target: usize): u32 {
  const begin = target;
  for (let w: u32 = 0; w < wordCount; w++) {
    for (let bits = load<u64>(words); bits !== 0; bits &= bits - 1) {
      store<u32>(target, base + (w << 6) + (ctz(bits) as u32));
      target += 4;
    }
    words += 8;
  }
  return ((target - begin) as u32) >>> 2;
}

/**
 * Of a bitmap of 64-bit words, `base` more than the numbers of the bits that have rows[i] - first before them, which are
 * there; rows ascend.
 */
export function positionsOf(words: usize, base: u32, rows: usize, count: u32, first: u32, target: usize): void {
  let rest = load<u64>(words);
  let before = first;
  for (let i: u32 = 0; i < count; i++) {
    const wanted = load<u32>(rows);
    for (let here = popcnt(rest) as u32; before + here <= wanted; here = popcnt(rest) as u32) {
      before += here;
      words += 8;
      base += 64;
      rest = load<u64>(words);
    }
    for (; before < wanted; before++) rest &= rest - 1;
    store<u32>(target, base + (ctz(rest) as u32));
    rows += 4;
    target += 4;
  }
}

/**
 * Users of selected rows. `firsts` has a user's first rows; user 0 is that of the row before these. Per user, but again
 * in another word of 64 bits, found[i] = user << 16 | selected rows; returns how many there are. Behind them the user of
 * the last row, with no rows.
 */
export function countUsers(rows: usize, firsts: usize, wordCount: u32, found: usize): u32 {
  const begin = found;
  let user: u32 = 0;
  for (let w: u32 = 0; w < wordCount; w++) {
    const starting = load<u64>(firsts);
    for (let selected = load<u64>(rows); selected !== 0; ) {
      // Up to the first one, and those of the same user from there on: up to where the next one starts.
      const upTo = selected ^ (selected - 1);
      const later = starting & ~upTo;
      const same = selected & ((later & -later) - 1);
      const owner = user + (popcnt(starting & upTo) as u32);
      store<u32>(found, (owner << 16) | (popcnt(same) as u32));
      found += 4;
      selected ^= same;
    }
    user += popcnt(starting) as u32;
    rows += 8;
    firsts += 8;
  }
  store<u32>(found, user << 16);
  return ((found - begin) as u32) >>> 2;
}

/**
 * Of a bitmap of 64-bit words, before[i] = the bits set below the i-th that is set in `firsts`; behind the last of them, all.
 * Returns how many are set in `firsts`. Eight at once, which the next ones write over: how many a word has cannot be
 * predicted.
 */
export function countBefore(rows: usize, firsts: usize, wordCount: u32, before: usize): u32 {
  const begin = before;
  let total: u32 = 0;
  for (const end = rows + ((wordCount as usize) << 3); rows < end; rows += 8) {
    const selected = load<u64>(rows);
    let left = load<u64>(firsts);
    const count = popcnt(left) as i32;
    let target = before;
    for (let done = 0; done < count; done += 8) {
      left = putBefore(selected, left, total, target, 0);
      left = putBefore(selected, left, total, target, 4);
      left = putBefore(selected, left, total, target, 8);
      left = putBefore(selected, left, total, target, 12);
      left = putBefore(selected, left, total, target, 16);
      left = putBefore(selected, left, total, target, 20);
      left = putBefore(selected, left, total, target, 24);
      left = putBefore(selected, left, total, target, 28);
      target += 32;
    }
    before += (count as usize) << 2;
    total += popcnt(selected) as u32;
    firsts += 8;
  }
  store<u32>(before, total);
  return ((before - begin) as u32) >>> 2;
}

/** Returns what is left without the lowest bit. */
@inline
function putBefore(selected: u64, left: u64, total: u32, target: usize, offset: usize): u64 {
  store<u32>(target + offset, total + (popcnt(selected & ((left & -left) - 1)) as u32));
  return left & (left - 1);
}

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

/**
 * Fills rows of runs, as far as `to`, with their codes; run r ends before row ends[r]. Eight rows of each at once, which
 * the next one writes over: where a short run ends cannot be predicted. Returns the next row.
 */
export function repeat(codes: usize, ends: usize, runCount: u32, row: u32, to: u32, target: usize): u32 {
  const past = codes + ((runCount as usize) << 2);
  for (; codes < past && row < to; codes += 4) {
    const code = i32x4.splat(load<i32>(codes));
    const end = min(load<u32>(ends), to);
    let at = target;
    v128.store(at, code);
    v128.store(at, code, 16);
    for (let left = end - row; left > 8; left -= 8) {
      at += 32;
      v128.store(at, code);
      v128.store(at, code, 16);
      if (left <= 16) break;
    }
    target += ((end - row) as usize) << 2;
    row = end;
    ends += 4;
  }
  return row;
}

/**
 * Puts in the place of runs those by class, where those next to each other of one class are one: that of a code is at
 * code >>> shift of `table`, or behind it the one at `last`. Returns how many there are. Without branches: where a class
 * ends cannot be predicted.
 */
export function classRuns(codes: usize, ends: usize, count: u32, table: usize, shift: u32, last: u32): u32 {
  const past = codes + ((count as usize) << 2);
  const classes = codes - 4;
  const classEnds = ends - 4;
  let before: u32 = 0;
  // Of the last one, from 4 on.
  let at: usize = 0;
  for (; codes < past; codes += 4) {
    const found = load<u32>(table + ((min(load<u32>(codes) >>> shift, last) as usize) << 2));
    at += ((((found !== before) as u32) | ((at === 0) as u32)) as usize) << 2;
    const end = load<u32>(ends);
    store<u32>(classes + at, found);
    store<u32>(classEnds + at, end);
    before = found;
    ends += 4;
  }
  return (at as u32) >>> 2;
}
