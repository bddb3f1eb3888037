import { ctz32, popcount32 } from '../../base/bitset.ts';
import type { NumberVector, Runs } from '../contract.ts';
import type { RunTotals } from './kernels.ts';

/**
 * See Kernels.fillRuns; run r ends before row runEnds[r]. Toggles a bit where the selection changes between neighbouring
 * runs; the exclusive or of all bits up to a row then tells whether it is selected. So it costs per change and per word,
 * not per run.
 */
export function fillRuns(runs: Uint32Array, runEnds: Uint32Array, words: Uint32Array): void {
  const rowCount = runEnds.length === 0 ? 0 : runEnds[runEnds.length - 1]!;
  const wordCount = (rowCount + 31) >>> 5;
  words.fill(0, 0, wordCount);
  let before = 0;
  for (let first = 0; first < runEnds.length; first += 32) {
    const selected = runsFrom(runs, runEnds.length, first);
    for (let left = selected ^ ((selected << 1) | before); left !== 0; left &= left - 1) {
      const run = first + ctz32(left);
      const row = run === 0 ? 0 : runEnds[run - 1]!;
      if (row < rowCount) words[row >>> 5]! ^= 1 << (row & 31);
    }
    before = selected >>> 31;
  }
  prefixXor(words, rowCount);
}

/** See Kernels.fillStarts. A change of the selection goes to where its run begins, as in fillRuns. */
export function fillStarts(
  runs: Uint32Array,
  starts: Uint8Array,
  rowCount: number,
  words: Uint32Array,
): void {
  const wordCount = (rowCount + 31) >>> 5;
  words.fill(0, 0, wordCount);
  let run = 0;
  let before = 0;
  for (let at = 0; at < starts.length; at++) {
    for (let left = starts[at]!; left !== 0; left &= left - 1, run++) {
      const selected = (runs[run >>> 5]! >>> (run & 31)) & 1;
      if (selected === before) continue;
      const row = (at << 3) + ctz32(left);
      words[row >>> 5]! ^= 1 << (row & 31);
      before = selected;
    }
  }
  prefixXor(words, rowCount);
}

/** Makes each of the first `rowCount` bits the exclusive or of itself and all before it; clears the rest of their last word. */
export function prefixXor(words: Uint32Array, rowCount: number): void {
  const wordCount = (rowCount + 31) >>> 5;
  let carry = 0;
  for (let w = 0; w < wordCount; w++) {
    let word = words[w]!;
    if (word !== 0) {
      word ^= word << 1;
      word ^= word << 2;
      word ^= word << 4;
      word ^= word << 8;
      word ^= word << 16;
    }
    word ^= carry;
    words[w] = word;
    carry = word >> 31;
  }
  const used = rowCount & 31;
  if (used !== 0) words[wordCount - 1]! &= (1 << used) - 1;
}

/** Which of the 32 runs from `first` on are selected. */
function runsFrom(runs: Uint32Array, runCount: number, first: number): number {
  const word = runs[first >>> 5]!;
  return first + 32 <= runCount ? word : word & ((1 << (runCount & 31)) - 1);
}

/** See Kernels.positions. */
export function positions(words: Uint32Array, base: number, skip: number, target: Uint32Array): number {
  let at = -skip;
  for (let w = 0; w < words.length; w++) {
    for (let bits = words[w]!; bits !== 0; bits &= bits - 1, at++) {
      if (at === target.length) return at;
      if (at >= 0) target[at] = base + (w << 5) + ctz32(bits);
    }
  }
  return Math.max(0, at);
}

/** See Kernels.positionsOf. */
export function positionsOf(
  words: Uint32Array,
  base: number,
  rows: Uint32Array,
  first: number,
  target: Uint32Array,
): void {
  let w = 0;
  let rest = words[0]!;
  let before = 0;
  for (let i = 0; i < rows.length; i++) {
    const wanted = rows[i]! - first;
    for (let count = popcount32(rest); before + count <= wanted; count = popcount32(rest)) {
      before += count;
      rest = words[++w]!;
    }
    for (; before < wanted; before++) rest &= rest - 1;
    target[i] = base + (w << 5) + ctz32(rest);
  }
}

/** See Kernels.countUsers. */
export function countUsers(rows: Uint32Array, firsts: Uint32Array, found: Uint32Array): number {
  let count = 0;
  let user = 0;
  for (let w = 0; w < rows.length; w++) {
    const starting = firsts[w]!;
    for (let selected = rows[w]!; selected !== 0; ) {
      // Up to the first one, and those of the same user from there on: up to where the next one starts.
      const upTo = selected ^ (selected - 1);
      const later = starting & ~upTo;
      const same = selected & ((later & -later) - 1);
      found[count++] = ((user + popcount32(starting & upTo)) << 16) | popcount32(same);
      selected ^= same;
    }
    user += popcount32(starting);
  }
  found[count] = user << 16;
  return count;
}

/**
 * before[i] = the bits of `rows` set below the i-th that is set in `firsts`; and behind the last of them, all. As far as there
 * is room. Returns how many are set in `firsts`.
 */
export function countBefore(rows: Uint32Array, firsts: Uint32Array, before: Uint32Array): number {
  let count = 0;
  let total = 0;
  for (let w = 0; w < rows.length; w++) {
    const selected = rows[w]!;
    for (let left = firsts[w]!; left !== 0; left &= left - 1)
      before[count++] = total + popcount32(selected & ((left & -left) - 1));
    total += popcount32(selected);
  }
  before[count] = total;
  return count;
}

/** See Kernels.countRuns. */
export function countRuns(words: Uint32Array, offsets: Uint32Array, counts: Uint32Array): void {
  for (let run = 0; run < offsets.length - 1; run++) {
    counts[run] = countRange(words, offsets[run]!, offsets[run + 1]!);
  }
}

/** Bits set in [from, to). */
export function countRange(words: Uint32Array, from: number, to: number): number {
  if (from >= to) return 0;
  const first = from >>> 5;
  const last = (to - 1) >>> 5;
  const firstMask = -1 << (from & 31);
  const lastMask = -1 >>> (-to & 31);
  if (first === last) return popcount32(words[first]! & firstMask & lastMask);
  let total = popcount32(words[first]! & firstMask);
  for (let w = first + 1; w < last; w++) total += popcount32(words[w]!);
  return total + popcount32(words[last]! & lastMask);
}

/** See Kernels.reduceRuns. */
export function reduceRuns(
  words: Uint32Array,
  values: Float64Array,
  offsets: Uint32Array,
  target: RunTotals,
): void {
  const { counts, sums, mins, maxs } = target;
  for (let run = 0; run < offsets.length - 1; run++) {
    const from = offsets[run]!;
    const to = offsets[run + 1]!;
    const last = (to - 1) >>> 5;
    let count = 0;
    let sum = 0;
    let min = Infinity;
    let max = -Infinity;
    if (from < to) {
      let mask = -1 << (from & 31);
      for (let w = from >>> 5; w <= last; w++) {
        if (w === last) mask &= -1 >>> (-to & 31);
        for (let left = words[w]! & mask; left !== 0; left &= left - 1) {
          const value = values[(w << 5) + ctz32(left)]!;
          count++;
          sum += value;
          if (value < min) min = value;
          if (value > max) max = value;
        }
        mask = -1;
      }
    }
    counts[run] = count;
    sums[run] = sum;
    mins[run] = min;
    maxs[run] = max;
  }
}

/** See Kernels.repeat. */
export function repeat(codes: Uint32Array, ends: Uint32Array, first: number, target: NumberVector): number {
  const to = first + target.length;
  let row = first;
  for (let run = 0; run < ends.length; run++) {
    const code = codes[run]!;
    // Signed, as rows are: V8 keeps the loop out of doubles.
    const end = Math.min(ends[run]! | 0, to);
    for (; row < end; row++) target[row - first] = code;
  }
  return row;
}

/** See Kernels.classRuns; these are the runs unpacked. */
export function classRuns(
  codes: Uint32Array,
  ends: Uint32Array,
  table: Uint32Array,
  shift: number,
  target: Runs,
): number {
  const last = table.length - 1;
  let count = 0;
  let before = -1;
  for (let run = 0; run < codes.length; run++) {
    const found = table[Math.min(codes[run]! >>> shift, last)]!;
    // One of the class of the one before makes that one longer.
    count += found === before ? 0 : 1;
    target.classes[count - 1] = found;
    target.ends[count - 1] = ends[run]!;
    before = found;
  }
  return count;
}
