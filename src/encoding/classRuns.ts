import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import { lastAtMost } from '../base/search.ts';
import { type Codes, PIECE_ROWS } from './codes.ts';
import type { Classing, EncodedValues, Runs } from './contract.ts';
import { kernels } from './kernels/kernels.ts';
import { RunCodes } from './runs.ts';
import { SplitCodes } from './split.ts';

const runCodes = new Uint32Array(CHUNK_ROWS_MAX);
const runEnds = new Uint32Array(CHUNK_ROWS_MAX);
const pieceCodes = new Uint32Array(PIECE_ROWS);
const pieceValues = new Float64Array(PIECE_ROWS);

/** EncodedValues::classRuns of codes: a code's class is table[code]; runs are asked about once. */
export function classRunsByTable(codes: Codes, table: Uint32Array, target: Runs): number {
  if (codes instanceof RunCodes) {
    const runCount = codes.decodeRuns(runCodes, runEnds);
    const [all, ends] = [runCodes.subarray(0, runCount), runEnds.subarray(0, runCount)];
    return kernels().classRuns(all, ends, table, 0, target);
  }
  let count = 0;
  for (let from = 0; from < codes.rowCount; from += PIECE_ROWS) {
    const rowCount = Math.min(PIECE_ROWS, codes.rowCount - from);
    codes.decode(from, from + rowCount, pieceCodes);
    count = addCodes(pieceCodes, rowCount, from, table, target, count);
  }
  return count;
}

/** The same: a code's class is how many of the bounds, which ascend, are at most the code. */
export function classRunsByBounds(codes: Codes, bounds: Float64Array, target: Runs): number {
  if (codes instanceof SplitCodes && codes.high instanceof RunCodes) {
    const runCount = codes.high.decodeRuns(runCodes, runEnds);
    const [highs, ends] = [runCodes.subarray(0, runCount), runEnds.subarray(0, runCount)];
    return splitRuns(codes, highs, ends, bounds, target);
  }
  return classRunsDecoded(codes, { kind: 'bounds', bounds }, target);
}

/** EncodedValues::classRuns by decoding. */
export function classRunsDecoded(
  values: Pick<EncodedValues, 'decode'> & { readonly rowCount: number },
  classing: Classing,
  target: Runs,
): number {
  let count = 0;
  for (let from = 0; from < values.rowCount; from += PIECE_ROWS) {
    const rowCount = Math.min(PIECE_ROWS, values.rowCount - from);
    values.decode(from, from + rowCount, pieceValues);
    count = addValues(pieceValues, rowCount, from, classing, target, count);
  }
  return count;
}

/** Behind `count` runs, the last of which ends where these begin. Returns how many there are then. */
function addCodes(
  codes: Uint32Array,
  rowCount: number,
  row: number,
  table: Uint32Array,
  { classes, ends }: Runs,
  count: number,
): number {
  let before = count === 0 ? -1 : classes[count - 1]!;
  for (let i = 0; i < rowCount; i++) {
    const found = table[codes[i]!]!;
    count += found === before ? 0 : 1;
    classes[count - 1] = found;
    ends[count - 1] = row + i + 1;
    before = found;
  }
  return count;
}

function addValues(
  values: Float64Array,
  rowCount: number,
  row: number,
  classing: Classing,
  { classes, ends }: Runs,
  count: number,
): number {
  let before = count === 0 ? -1 : classes[count - 1]!;
  for (let i = 0; i < rowCount; i++) {
    const value = values[i]!;
    const found = classing.kind === 'table' ? classing.table[value]! : lastAtMost(classing.bounds, value) + 1;
    count += found === before ? 0 : 1;
    classes[count - 1] = found;
    ends[count - 1] = row + i + 1;
    before = found;
  }
  return count;
}

/** The class of a high part in which a bound lies. */
const MIXED = 0xffffffff;
/** Entries of a table of classes by high parts, or of so many of them together as to be so few. */
const HIGHS_MAX = 1 << 13;
const highClasses = new Uint32Array(HIGHS_MAX + 1);
const highRuns: Runs = { classes: new Uint32Array(CHUNK_ROWS_MAX), ends: new Uint32Array(CHUNK_ROWS_MAX) };

/** By high parts; the few rows whose high part has a bound in it are looked at one by one. */
function splitRuns(
  codes: SplitCodes,
  highs: Uint32Array,
  highEnds: Uint32Array,
  bounds: Float64Array,
  target: Runs,
): number {
  const { table, shift } = classHighs(bounds, codes.unit);
  const found = kernels().classRuns(highs, highEnds, table, shift, highRuns);
  const classes = highRuns.classes.subarray(0, found);
  const ends = highRuns.ends.subarray(0, found);
  let count = 0;
  let next = 0;
  for (let mixed = classes.indexOf(MIXED); mixed !== -1; mixed = classes.indexOf(MIXED, next)) {
    target.classes.set(classes.subarray(next, mixed), count);
    target.ends.set(ends.subarray(next, mixed), count);
    count += mixed - next;
    for (let row = mixed === 0 ? 0 : ends[mixed - 1]!; row < ends[mixed]!; row++) {
      target.classes[count] = lastAtMost(bounds, codes.at(row)) + 1;
      target.ends[count++] = row + 1;
    }
    next = mixed + 1;
  }
  target.classes.set(classes.subarray(next), count);
  target.ends.set(ends.subarray(next), count);
  return count + found - next;
}

/** The class of the codes whose high part, without its lowest `shift` bits, has this place, or is behind the last one. */
function classHighs(
  bounds: Float64Array,
  unit: number,
): { readonly table: Uint32Array; readonly shift: number } {
  const highMax = Math.floor((bounds[bounds.length - 1] ?? 0) / unit);
  let shift = 0;
  while (highMax / 2 ** shift >= HIGHS_MAX) shift++;
  const width = unit * 2 ** shift;
  const last = Math.floor(highMax / 2 ** shift) + 1;
  let from = 0;
  for (const [i, bound] of bounds.entries()) {
    const high = Math.floor(bound / width);
    if (high > from) highClasses.fill(i, from, high);
    highClasses[high] = MIXED;
    from = high + 1;
  }
  highClasses[last] = bounds.length;
  return { table: highClasses.subarray(0, last + 1), shift };
}
