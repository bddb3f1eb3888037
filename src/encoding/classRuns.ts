import { lastAtMost } from '../base/search.ts';
import { type Codes, PIECE_ROWS } from './codes.ts';
import type { Classing, EncodedValues, Runs } from './contract.ts';
import { RunCodes } from './runs.ts';
import { SplitCodes } from './split.ts';

const pieceCodes = new Uint32Array(PIECE_ROWS);
const pieceValues = new Float64Array(PIECE_ROWS);

/** EncodedValues::classRuns of codes: a code's class is table[code]; runs are asked about once. */
export function classRunsByTable(codes: Codes, table: Uint32Array, target: Runs): number {
  const found = codes instanceof RunCodes ? codes.classRuns(table, 0, target) : -1;
  if (found !== -1) return found;
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
    const { table, shift } = classHighs(bounds, codes.unit);
    const found = codes.high.classRuns(table, shift, target);
    if (found !== -1) return lookIntoMixed(codes, bounds, target, found);
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

/** Rows whose high part has a bound in it, which are few, are looked at one by one. Returns how many runs there are then. */
function lookIntoMixed(codes: SplitCodes, bounds: Float64Array, target: Runs, found: number): number {
  const { classes, ends } = target;
  let count = found;
  for (let run = indexOf(classes, MIXED, 0, count); run !== -1; run = indexOf(classes, MIXED, run, count)) {
    const row = run === 0 ? 0 : ends[run - 1]!;
    const rowCount = ends[run]! - row;
    classes.copyWithin(run + rowCount, run + 1, count);
    ends.copyWithin(run + rowCount, run + 1, count);
    count += rowCount - 1;
    for (let i = 0; i < rowCount; i++, run++) {
      classes[run] = lastAtMost(bounds, codes.at(row + i)) + 1;
      ends[run] = row + i + 1;
    }
  }
  return count;
}

function indexOf(numbers: Uint32Array, wanted: number, from: number, to: number): number {
  const found = numbers.subarray(from, to).indexOf(wanted);
  return found === -1 ? -1 : from + found;
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
