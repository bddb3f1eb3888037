import { ctz32 } from '../../base/bitset.ts';
import { gather, gatherRuns, ranks, runsOf } from './gather.ts';
import {
  type GroupedRows,
  NO_PLACE,
  type PlacedCounts,
  type PlacedEntries,
  type RowCodes,
  type RowsOfRuns,
  type RunRowCodes,
} from './kernels.ts';

/** See Kernels.addCodes. */
export function addCodes(
  selected: Uint32Array,
  row: number,
  codes: RowCodes,
  factor: number,
  target: Uint32Array,
): void {
  const own = codesOf(rowsOf(selected, row), codes);
  for (let i = 0; i < own.length; i++) target[i]! += Math.imul(factor, own[i]!);
}

/** See Kernels.addPlaces. */
export function addPlaces(
  selected: Uint32Array,
  row: number,
  codes: RunRowCodes,
  places: Uint32Array,
  target: Uint32Array,
  others: Uint32Array,
): number {
  const rows = rowsOf(selected, row);
  const own = codesOf(rows, codes);
  let count = 0;
  for (let i = 0; i < own.length; i++) {
    const place = places[own[i]!]!;
    if (place === NO_PLACE) others.set([i, rows[i]!, own[i]!], 3 * count++);
    else target[i]! += place;
  }
  return count;
}

/** See Kernels.placeRuns. */
export function placeRuns(from: RowsOfRuns, entries: PlacedEntries): PlacedCounts {
  const { selected, row: base, runs, isSum, firsts, usersBefore, areApart } = from;
  const { places, seconds, users, sizes, others } = entries;
  const rows = rowsOf(selected, base);
  const [codes, secondCodes] = runs.map((each) => codesOf(rows, each.codes)) as [Uint32Array, Uint32Array];
  const [numbers, secondNumbers] = runs.map((each) => numbersOf(rows, each.codes)) as [
    Uint32Array,
    Uint32Array,
  ];
  const owners = new Uint32Array(rows.length).fill(usersBefore);
  if (firsts !== undefined) rankRows(selected, firsts, usersBefore, owners);
  const isLikeBefore = (i: number) =>
    !areApart &&
    i > 0 &&
    rows[i]! >>> 6 === rows[i - 1]! >>> 6 &&
    numbers[i] === numbers[i - 1] &&
    secondNumbers[i] === secondNumbers[i - 1] &&
    owners[i] === owners[i - 1];
  let [count, otherCount] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const place = runs[0].places[codes[i]!]!;
    const second = runs[1].places[secondCodes[i]!]!;
    const isOther = second === NO_PLACE;
    if (!isOther && isLikeBefore(i)) {
      sizes[count - 1]!++;
      continue;
    }
    if (isOther) others[otherCount++] = (count << 16) | rows[i]!;
    places[count] = isSum && !isOther ? place + second : place;
    seconds[count] = isOther ? secondCodes[i]! : second;
    users[count] = owners[i]!;
    sizes[count++] = 1;
  }
  return { entries: count, others: otherCount };
}

/** See Kernels.placeLengths. */
export function placeLengths(
  startsMs: Float64Array,
  base: number,
  length: number,
  places: Uint32Array,
): void {
  let from = 0;
  for (let i = 1; i < startsMs.length && from < places.length; i++) {
    const lengths = Math.floor((startsMs[i]! - base) / length);
    // Where the interval ends, and of which there may be some of the next one.
    const end = Math.max(-1, Math.min(lengths, places.length));
    for (let k = from; k < end; k++) places[k] = i - 1;
    if (end >= from && end < places.length) places[end] = NO_PLACE;
    from = Math.max(from, end + 1);
  }
}

/** See Kernels.rankRows. */
export function rankRows(
  selected: Uint32Array,
  firsts: Uint32Array,
  before: number,
  target: Uint32Array,
): void {
  ranks(firsts, rowsOf(selected, 0), 0, before, target);
}

/** See Kernels.countGroups. Where groups end cannot be predicted, so no branch depends on it. */
export function countGroups(
  { users, codes, intervals, sizes }: GroupedRows,
  width: number,
  tallies: Uint32Array,
  several: Uint32Array,
): number {
  let listed = 0;
  let userBefore = -1;
  let intervalBefore = 0;
  let codeBefore = 0;
  for (let i = 0; i < users.length; i++) {
    const user = users[i]! | 0;
    const interval = intervals[i]! | 0;
    const code = codes[i]! | 0;
    const change = (user ^ userBefore) | (interval ^ intervalBefore);
    const isFirst = (change | -change) >>> 31;
    const tally = 2 * (Math.imul(code, width) + interval);
    tallies[tally]! += sizes[i]!;
    tallies[tally + 1]! += isFirst;
    const other = code ^ codeBefore;
    if (((1 - isFirst) & ((other | -other) >>> 31)) !== 0) several[listed++] = i;
    userBefore = user;
    intervalBefore = interval;
    codeBefore = code;
  }
  return listed;
}

function rowsOf(selected: Uint32Array, row: number): Uint32Array {
  const rows: number[] = [];
  for (let w = 0; w < selected.length; w++) {
    for (let left = selected[w]!; left !== 0; left &= left - 1) rows.push(row + (w << 5) + ctz32(left));
  }
  return Uint32Array.from(rows);
}

function codesOf(rows: Uint32Array, { packed, bits, bounds }: RowCodes): Uint32Array {
  const codes = new Uint32Array(rows.length);
  if (bits === 0) return codes;
  if (bounds === undefined) gather(packed, bits, rows, 0, codes);
  else gatherRuns({ packed, bits }, bounds, rows, 0, codes);
  return codes;
}

/** The run of each row. */
function numbersOf(rows: Uint32Array, { bounds }: RunRowCodes): Uint32Array {
  const runs = new Uint32Array(rows.length);
  if (rows.length > 0) runsOf(bounds, rows, 0, runs);
  return runs;
}
