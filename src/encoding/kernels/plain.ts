import { countCells, placeCells } from './cells.ts';
import { bounds, pack, runs } from './encode.ts';
import { gather, gatherRuns, gatherSplit, listRows, markKinds, places, ranks } from './gather.ts';
import { addIntervals, countCohorts } from './intervals.ts';
import { type Differences, GATHERED_ROWS, type Kernels, NOT_WALKED, type RunBounds } from './kernels.ts';
import { listMatches } from './matches.ts';
import { keepFilled, placeEvents, startPlaces } from './placed.ts';
import {
  classRuns,
  countBefore,
  countRuns,
  countUsers,
  fillRuns,
  fillStarts,
  positions,
  positionsOf,
  reduceRuns,
  repeat,
} from './runs.ts';
import { addCodes, addPlaces, countGroups, placeLengths, placeRuns, rankRows } from './selected.ts';
import { sortByDigit } from './sort.ts';
import { compress, expand } from './spread.ts';
import { newPlainTally } from './tally.ts';
import { unpack } from './unpack.ts';
import {
  addDifferences,
  addNumbers,
  addSizes,
  listUsers,
  lookUp,
  scale,
  selectNumbers,
  take,
} from './walked.ts';

/** Codes unpacked at a time: they stay in the nearest cache. */
const PIECE_ROWS = 1024;
const piece = new Uint32Array(PIECE_ROWS);

/** Made when it is asked for: GATHERED_ROWS is not known while modules are loaded. */
let near: Uint32Array | undefined;

/** The kernels in plain TypeScript: the oracle of the SIMD ones, and what runs where there is no SIMD. */
export const plainKernels: Kernels = {
  name: 'plain',

  selectEqual(packed, bits, code, count, words) {
    this.selectRange(packed, bits, code, code, count, words);
  },

  selectRange(packed, bits, from, to, count, words) {
    for (let first = 0; first < count; first += PIECE_ROWS) {
      const rowCount = Math.min(PIECE_ROWS, count - first);
      unpack(packed, bits, first, rowCount, piece);
      inRange(piece, from, to, rowCount, words, first >>> 5);
    }
  },

  selectRangeBounds(packed, bits, from, to, count, words, groups) {
    this.selectRange(packed, bits, from, to, count, words);
    let found = 0;
    for (let first = 0; first < count; first += PIECE_ROWS) {
      const rowCount = Math.min(PIECE_ROWS, count - first);
      unpack(packed, bits, first, rowCount, piece);
      found = findBounds(piece, from, to, rowCount, first, groups, found);
    }
    return found;
  },

  and(words, others) {
    for (let w = 0; w < words.length; w++) words[w]! &= others[w]!;
  },

  selectSet(packed, bits, table, count, words) {
    for (let first = 0; first < count; first += PIECE_ROWS) {
      const rowCount = Math.min(PIECE_ROWS, count - first);
      unpack(packed, bits, first, rowCount, piece);
      inTable(piece, table, rowCount, words, first >>> 5);
    }
  },

  unpack,

  repeat,
  fillRuns(runs, firstEnd, lengths, words) {
    const ends = new Uint32Array(1 + lengths.count).fill(firstEnd);
    sum(lengths, 0, lengths.count, firstEnd, ends.subarray(1));
    fillRuns(runs, ends, words);
  },

  fillStarts,

  classRuns(codes, bounds, rowCount, table, shift, target) {
    const ends = endsOf(bounds, rowCount);
    const unpacked = new Uint32Array(ends.length);
    unpack(codes.packed, codes.bits, 0, ends.length, unpacked);
    return classRuns(unpacked, ends, table, shift, target);
  },

  positions,
  positionsOf,
  addUsers(rows, firsts, ordinals, counts) {
    const before = new Uint32Array(ordinals.length);
    countBefore(rows, firsts, before);
    addDifferences(before, ordinals, counts);
  },
  scale,
  lookUp,
  take,
  addSizes,
  addNumbers,
  listUsers,
  selectNumbers,
  addIntervals,
  countCohorts,
  startPlaces,
  placeEvents,
  keepFilled,

  walkChains({ userCount }, _stepCount, _windowMs, { levels }) {
    levels.fill(NOT_WALKED, 0, userCount);
  },
  countUsers,
  countRuns,
  reduceRuns,
  gather,
  gatherRuns,
  gatherSplit,
  places,
  ranks,
  listRows,
  addCodes,
  addPlaces,
  placeLengths,
  placeRuns,
  rankRows,
  countGroups,
  get near() {
    near ??= new Uint32Array(6 * GATHERED_ROWS);
    return near;
  },
  markKinds,
  listMatches,
  countCells,
  placeCells,
  sortByDigit,
  newTally: newPlainTally,
  expand,
  compress,

  bounds,
  runs,
  pack,

  sum,
};

/** Where runs end, the last of them with the rows. */
function endsOf(bounds: RunBounds, rowCount: number): Uint32Array {
  if (!('starts' in bounds)) {
    const { firstEnd, lengths } = bounds;
    const ends = new Uint32Array(1 + lengths.count).fill(firstEnd);
    sum(lengths, 0, lengths.count, firstEnd, ends.subarray(1));
    return ends;
  }
  const ends: number[] = [];
  for (let row = 1; row < rowCount; row++) if ((bounds.starts[row >>> 3]! >>> (row & 7)) & 1) ends.push(row);
  return Uint32Array.of(...ends, rowCount);
}

function inRange(
  codes: Uint32Array,
  from: number,
  to: number,
  count: number,
  words: Uint32Array,
  firstWord: number,
): void {
  for (let row = 0; row < count; ) {
    const end = Math.min(row + 32, count);
    let word = 0;
    for (let bit = 1; row < end; row++, bit <<= 1) {
      const code = codes[row]!;
      if (code >= from && code <= to) word |= bit;
    }
    words[firstWord++] = word;
  }
}

/** Adds the groups of 16 codes, the first of which is that of row `firstRow`, to the `found` ones; returns how many. */
function findBounds(
  codes: Uint32Array,
  from: number,
  to: number,
  count: number,
  firstRow: number,
  groups: Uint32Array,
  found: number,
): number {
  for (let row = 0; row < count; ) {
    const end = Math.min(row + 16, count);
    const group = (firstRow + row) >>> 4;
    let has = false;
    for (; row < end; row++) has ||= codes[row] === from || codes[row] === to;
    if (has) groups[found++] = group;
  }
  return found;
}

function inTable(
  codes: Uint32Array,
  table: Uint8Array,
  count: number,
  words: Uint32Array,
  firstWord: number,
): void {
  for (let row = 0; row < count; ) {
    const end = Math.min(row + 32, count);
    let word = 0;
    for (let bit = 1; row < end; row++, bit <<= 1) {
      const code = codes[row]!;
      if (code < table.length && table[code] !== 0) word |= bit;
    }
    words[firstWord++] = word;
  }
}

function sum(
  { packed, bits, least }: Differences,
  fromRow: number,
  count: number,
  start: number,
  target: Uint32Array,
): void {
  unpack(packed, bits, fromRow, count, target);
  // In 32-bit integers, which the engine adds in a cycle.
  let total = start | 0;
  for (let i = 0; i < count; i++) {
    total = (total + target[i]! + least) | 0;
    target[i] = total;
  }
}
