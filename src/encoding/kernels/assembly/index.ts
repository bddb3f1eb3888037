// AssemblyScript, compiled to WebAssembly with SIMD by scripts/kernels.mjs. Each kernel's meaning is that of its twin
// in ../plain.ts. Pointers are byte addresses in this module's own memory; ../simd.ts copies in and out, and clears the
// bits past a count.
import { STEP, STEP_BYTES } from './layout';
import { packedRange16, packedRange32, packedRangeBounds } from './packedRange';
import { prepareLanes16, prepareLanes32, WIDE } from './patterns';
import { sums } from './runs';
import { range8, range16, range32 } from './select';
import { set1, set2, set4, set8, set16 } from './set';
import { unpackLanes8, unpackLanes16, unpackLanes32, unpackWide } from './unpack';

export { ARENA, CODES, CODES_BYTES, INPUT, INPUT_BYTES, LISTED, NEAR, NEAR_BYTES } from './layout';
export { OUTPUT, OUTPUT_BYTES, RUNS, RUNS_BYTES, SET, STEP, STEP_BYTES } from './layout';
export { bounds, pack, runs } from './encode';
export { gather, gatherRanked, gatherSplit, listRows, markKinds, places, ranks } from './gather';
export { classRuns, countBefore, countRuns, countUsers, fillRuns } from './runs';
export { markStarts, positions, positionsOf, repeat } from './runs';
export { countCells, placeCells } from './cells';
export { walkChains } from './chains';
export { addIntervals, countCohorts } from './intervals';
export { listPairs, listRuns, listWanted, lookUpBytes, narrow } from './matches';
export { addUp, countPlaces, keepFilled, placeEvents } from './placed';
export { equal8 } from './select';
export { addCodes, addRunCodes, addRunPlaces, countGroups, placeLengths, placeRuns, rankRows } from './selected';
export { prepareSet } from './set';
export { compress, expand, prepareSpread } from './spread';
export { sortByDigit } from './sort';
export { fillStarts } from './starts';
export { tallyAtLeast, tallyRows } from './tally';
export { addDifferences, addNumbers, addSizes, listUsers, lookUp } from './walked';
export { unpackLanes8 } from './unpack';
export { scaleDoubles, scaleIntegers, selectNumbers, takeDoubles, takeIntegers } from './walked';

/** Rows unpacked at a time, when they are: a lane of 32 bits is the widest. */
const STEP_ROWS: u32 = (STEP_BYTES >>> 2) as u32;

/** For the codes of a width, and a range of them from `from` to from + span; to be called before the loops below. */
export function prepare(bits: u32, from: u32, span: u32): void {
  if (bits < 8) prepareLanes16(bits, from, span);
  else prepareLanes32(bits, from, span);
}

/** Codes in the prepared range, given again. */
export function selectRange(packed: usize, bits: u32, from: u32, span: u32, count: u32, words: usize): void {
  if (bits === 8) range8(packed, from, span, count, words);
  else if (bits === 16) range16(packed, from, span, count, words);
  else if (bits === 32) range32(packed, from, span, count, words);
  else if (bits < 8) packedRange16(packed, bits, count, words);
  else if (bits < WIDE) packedRange32(packed, bits, count, words);
  else {
    for (let row: u32 = 0; row < count; row += STEP_ROWS) {
      const step = min(STEP_ROWS, count - row);
      unpackWide(packed, bits, step, STEP);
      range32(STEP, from, span, step, words);
      packed += (STEP_ROWS >>> 3) * bits;
      words += STEP_ROWS >>> 3;
    }
  }
}

/** The same for up to 25 bits, with nothing prepared; see packedRangeBounds(). */
export function selectRangeBounds(
  packed: usize,
  bits: u32,
  from: u32,
  span: u32,
  count: u32,
  words: usize,
  groups: usize,
): u32 {
  prepareLanes32(bits, from, span);
  return packedRangeBounds(packed, bits, count, words, groups);
}

/** words &= others, in whole vectors. */
export function and(words: usize, others: usize, vectorCount: u32): void {
  for (let i: u32 = 0; i < vectorCount; i++) {
    v128.store(words, v128.and(v128.load(words), v128.load(others)));
    words += 16;
    others += 16;
  }
}

/** Codes of up to 16 bits that are in the prepared set. */
export function selectSet(packed: usize, bits: u32, count: u32, words: usize): void {
  if (bits === 1) return set1(packed, count, words);
  if (bits === 2) return set2(packed, count, words);
  if (bits === 4) return set4(packed, count, words);
  if (bits === 8) return set8(packed, count, words);
  if (bits === 16) return set16(packed, count, words);
  for (let row: u32 = 0; row < count; row += STEP_ROWS) {
    const step = min(STEP_ROWS, count - row);
    if (bits < 8) {
      unpackLanes8(packed, bits, step, STEP);
      set8(STEP, step, words);
    } else {
      unpackLanes16(packed, bits, step, STEP);
      set16(STEP, step, words);
    }
    packed += (STEP_ROWS >>> 3) * bits;
    words += STEP_ROWS >>> 3;
  }
}

/** Codes of any width to 32 bits each. */
export function unpack(packed: usize, bits: u32, count: u32, target: usize): void {
  if (bits === 32) return memory.copy(target, packed, (count as usize) << 2);
  prepareLanes32(bits, 0, 0);
  if (bits < WIDE) unpackLanes32(packed, bits, count, target);
  else unpackWide(packed, bits, count, target);
}

/** Codes of any width summed up; see sums(). Those of the first `skip` rows are left out. */
export function unpackSums(
  packed: usize,
  bits: u32,
  skip: u32,
  count: u32,
  least: u32,
  start: u32,
  target: usize,
): u32 {
  unpack(packed, bits, skip + count, target);
  return sums(target + ((skip as usize) << 2), count, least, start);
}
