// What selected rows have. Bitmaps are 64-bit words; the first bit of `selected` is that of the row `row`, a multiple of
// 64. target[n] is of the n-th row whose bit is set, and grows by what is found.

/** Factor times the row's code, packed in `bits` bits each, the first being that of the row `row`. */
export function addCodes(
  selected: usize,
  wordCount: u32,
  packed: usize,
  bits: u32,
  factor: u32,
  target: usize,
): void {
  const mask = ((1 as u64) << (bits as u64)) - 1;
  for (let w: u32 = 0; w < wordCount; w++) {
    for (let left = load<u64>(selected); left !== 0; left &= left - 1) {
      const code = codeAt(packed, (ctz(left) as u32) * bits, mask);
      store<u32>(target, load<u32>(target) + factor * code);
      target += 4;
    }
    selected += 8;
    packed += (bits as usize) << 3;
  }
}

/**
 * The same where each run has a code: runs begin at the rows whose bit is set in `starts`, from row 0 on, and the one that
 * the first of them begins is number before + 1.
 */
export function addRunCodes(
  selected: usize,
  wordCount: u32,
  starts: usize,
  row: u32,
  before: u32,
  packed: usize,
  bits: u32,
  factor: u32,
  target: usize,
): void {
  const mask = ((1 as u64) << (bits as u64)) - 1;
  before += countBits(starts, row);
  starts += (row >>> 3) as usize;
  for (let w: u32 = 0; w < wordCount; w++) {
    const starting = load<u64>(starts);
    for (let left = load<u64>(selected); left !== 0; left &= left - 1) {
      const code = codeAt(packed, (before + firstsTo(starting, left)) * bits, mask);
      store<u32>(target, load<u32>(target) + factor * code);
      target += 4;
    }
    before += popcnt(starting) as u32;
    selected += 8;
    starts += 8;
  }
}

/**
 * The same, but places[code] of each. Where that is u32.MAX_VALUE nothing is added, but n, the row and the code are listed
 * to `others`. Returns how many such rows there are.
 */
export function addRunPlaces(
  selected: usize,
  wordCount: u32,
  starts: usize,
  row: u32,
  before: u32,
  packed: usize,
  bits: u32,
  places: usize,
  target: usize,
  others: usize,
): u32 {
  const mask = ((1 as u64) << (bits as u64)) - 1;
  const first = target;
  const begin = others;
  before += countBits(starts, row);
  starts += (row >>> 3) as usize;
  for (let w: u32 = 0; w < wordCount; w++) {
    const starting = load<u64>(starts);
    for (let left = load<u64>(selected); left !== 0; left &= left - 1) {
      const code = codeAt(packed, (before + firstsTo(starting, left)) * bits, mask);
      const place = load<u32>(places + ((code as usize) << 2));
      if (place === u32.MAX_VALUE) {
        store<u32>(others, ((target - first) as u32) >>> 2);
        store<u32>(others, row + (ctz(left) as u32), 4);
        store<u32>(others, code, 8);
        others += 12;
      } else {
        store<u32>(target, load<u32>(target) + place);
      }
      target += 4;
    }
    before += popcnt(starting) as u32;
    row += 64;
    selected += 8;
    starts += 8;
  }
  return ((others - begin) as u32) / 12;
}

/**
 * Of rows that are in runs twice over, each as above, whose codes are unpacked. Rows of a word that follow one another are one
 * entry: those of the same runs, and of one user, whose first rows are in `firsts`; each its own where `apart` has all bits.
 *
 *   targets[n]  the place of the n-th entry's first code; plus that of the second one where `together` has all bits
 *   seconds[n]  the place of its second code
 *   users[n]    usersBefore + how many bits of `firsts` are set up to and with its rows
 *   sizes[n]    how many rows it is
 *
 * Where the second code has no place each row is an entry, nothing is added, and seconds[n] is the code: n << 16 | row is
 * listed to `others`. Returns how many entries there are, and in the upper half how many others.
 */
export function placeRuns(
  selected: usize,
  wordCount: u32,
  row: u32,
  starts: usize,
  before: u32,
  codes: usize,
  places: usize,
  secondStarts: usize,
  secondBefore: u32,
  secondCodes: usize,
  secondPlaces: usize,
  firsts: usize,
  usersBefore: u32,
  apart: i32,
  together: u32,
  targets: usize,
  seconds: usize,
  users: usize,
  sizes: usize,
  others: usize,
): u32 {
  const begin = targets;
  const beginOthers = others;
  codes += ((before + countBits(starts, row)) as usize) << 2;
  secondCodes += ((secondBefore + countBits(secondStarts, row)) as usize) << 2;
  starts += (row >>> 3) as usize;
  secondStarts += (row >>> 3) as usize;
  for (let w: u32 = 0; w < wordCount; w++) {
    const starting = load<u64>(starts);
    const secondStarting = load<u64>(secondStarts);
    const userStarting = load<u64>(firsts);
    const bounds = starting | secondStarting | userStarting | ((apart as i64) as u64);
    for (let left = load<u64>(selected); left !== 0; ) {
      const upTo = left ^ (left - 1);
      const later = bounds & ~upTo;
      let same = left & ((later & -later) - 1);
      left ^= same;
      const code = load<u32>(codes + ((popcnt(starting & upTo) as usize) << 2));
      const second = load<u32>(secondCodes + ((popcnt(secondStarting & upTo) as usize) << 2));
      const place = load<u32>(places + ((code as usize) << 2));
      const secondPlace = load<u32>(secondPlaces + ((second as usize) << 2));
      const user = usersBefore + (popcnt(userStarting & upTo) as u32);
      const isOther = secondPlace === u32.MAX_VALUE;
      store<u32>(targets, place + (secondPlace & together));
      store<u32>(seconds, secondPlace);
      store<u32>(users, user);
      store<u32>(sizes, popcnt(same) as u32);
      if (!isOther) {
        targets += 4;
        seconds += 4;
        users += 4;
        sizes += 4;
        continue;
      }
      for (; same !== 0; same &= same - 1) {
        // Four bytes an entry: 14 more bits are 16.
        store<u32>(others, (((targets - begin) as u32) << 14) | (row + (ctz(same) as u32)));
        store<u32>(targets, place);
        store<u32>(seconds, second);
        store<u32>(users, user);
        store<u32>(sizes, 1);
        others += 4;
        targets += 4;
        seconds += 4;
        users += 4;
        sizes += 4;
      }
    }
    codes += (popcnt(starting) as usize) << 2;
    secondCodes += (popcnt(secondStarting) as usize) << 2;
    usersBefore += popcnt(userStarting) as u32;
    row += 64;
    selected += 8;
    starts += 8;
    secondStarts += 8;
    firsts += 8;
  }
  return (((others - beginOthers) as u32) << 14) | (((targets - begin) as u32) >>> 2);
}

/**
 * places[k] = the interval that all of base + length * k and less than one length more is in; u32.MAX_VALUE where that may be
 * in two. Of so many intervals, beginning and ending at these doubles. What is before the first, or behind the last, may be
 * anything.
 */
export function placeLengths(
  starts: usize,
  intervalCount: u32,
  base: f64,
  length: f64,
  places: usize,
  count: u32,
): void {
  let from: i32 = 0;
  for (let i: u32 = 1; i <= intervalCount && from < (count as i32); i++) {
    const lengths = Math.floor((load<f64>(starts + ((i as usize) << 3)) - base) / length);
    // Where the interval ends, and of which there may be some of the next one.
    const end = Math.max(-1, Math.min(lengths, count as f64)) as i32;
    for (let k = from; k < end; k++) store<u32>(places + ((k as usize) << 2), i - 1);
    if (end >= from && end < (count as i32)) store<u32>(places + ((end as usize) << 2), u32.MAX_VALUE);
    from = max(from, end + 1);
  }
}

/** target[n] = before + how many bits of `firsts` are set up to and with the n-th row. Here `target` is overwritten. */
export function rankRows(selected: usize, firsts: usize, wordCount: u32, before: u32, target: usize): void {
  for (let w: u32 = 0; w < wordCount; w++) {
    const starting = load<u64>(firsts);
    for (let left = load<u64>(selected); left !== 0; left &= left - 1) {
      store<u32>(target, before + firstsTo(starting, left));
      target += 4;
    }
    before += popcnt(starting) as u32;
    selected += 8;
    firsts += 8;
  }
}

/**
 * Counts rows in the low half of the 64 bits at code * width + interval of `tallies`, and in the high half groups of rows of
 * one user and interval, by the code of their first row. Entry i is sizes[i] rows. Lists the entries of groups that have
 * another code than the one before; returns how many. Where groups end cannot be predicted, so no branch depends on it.
 */
export function countGroups(
  users: usize,
  codes: usize,
  intervals: usize,
  sizes: usize,
  count: u32,
  width: u32,
  tallies: usize,
  several: usize,
): u32 {
  const begin = several;
  let userBefore: u32 = u32.MAX_VALUE;
  let intervalBefore: u32 = 0;
  let codeBefore: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const user = load<u32>(users);
    const interval = load<u32>(intervals);
    const code = load<u32>(codes);
    const isFirst = (((user ^ userBefore) | (interval ^ intervalBefore)) !== 0) as u32;
    const tally = tallies + (((code * width + interval) as usize) << 3);
    store<u64>(tally, load<u64>(tally) + (((isFirst as u64) << 32) | (load<u32>(sizes) as u64)));
    store<u32>(several, i);
    several += (((1 - isFirst) & ((code !== codeBefore) as u32)) as usize) << 2;
    userBefore = user;
    intervalBefore = interval;
    codeBefore = code;
    users += 4;
    codes += 4;
    intervals += 4;
    sizes += 4;
  }
  return ((several - begin) as u32) >>> 2;
}

/** The code that begins at the bit, of as many bits as the mask has. */
@inline
function codeAt(packed: usize, bit: u32, mask: u64): u32 {
  return ((load<u64>(packed + (bit >>> 3)) >>> ((bit & 7) as u64)) & mask) as u32;
}

/** How many begin up to and with the first row that is left. */
@inline
function firstsTo(starting: u64, left: u64): u32 {
  return popcnt(starting & (left ^ (left - 1))) as u32;
}

/** Of the rows before this one, a multiple of 64. */
function countBits(words: usize, row: u32): u32 {
  let count: u32 = 0;
  for (const end = words + (row >>> 3); words < end; words += 8) count += popcnt(load<u64>(words)) as u32;
  return count;
}
