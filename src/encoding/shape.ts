import { bitLength } from './codes.ts';

/** What a look at some rows of codes says about all of them. */
export interface Shape {
  readonly rowCount: number;
  /** changes[b]: how many rows differ from the one before in bit b - 1 and in none above it. */
  readonly changes: Float64Array;
  /** Most rows have at least what the one before has. */
  readonly ascends: boolean;
  /** Differences from row to row that were seen are at least and at most these; of codes below 2^31. */
  readonly differenceMin: number;
  readonly differenceMax: number;
}

/** Rows are looked at in windows of so many. */
const WINDOW_ROWS = 64;
/** So many windows, spread evenly: as good as all rows for a first estimate. */
const WINDOWS_MAX = 64;
const CODE_BITS_MAX = 53;

/** Of codes, or of their lower 32 bits when `high` are the upper ones. */
export function shapeOf(codes: Uint32Array, high?: Uint32Array): Shape {
  const rowCount = codes.length;
  const counts = new Uint32Array(CODE_BITS_MAX + 1);
  let ascents = 0;
  let differenceMin = 0x7fffffff;
  let differenceMax = -0x80000000;
  let looked = 0;
  const step = Math.max(WINDOW_ROWS, Math.ceil(rowCount / WINDOWS_MAX));
  for (let from = 0; from < rowCount; from += step) {
    const end = Math.min(from + WINDOW_ROWS, rowCount);
    let before = codes[from]!;
    for (let row = from + 1; row < end; row++) {
      const code = codes[row]!;
      const highChange = high === undefined ? 0 : high[row]! ^ high[row - 1]!;
      counts[highChange === 0 ? 32 - Math.clz32(code ^ before) : 64 - Math.clz32(highChange)]!++;
      if (code >= before) ascents++;
      const difference = (code - before) | 0;
      if (difference < differenceMin) differenceMin = difference;
      if (difference > differenceMax) differenceMax = difference;
      before = code;
    }
    looked += end - from - 1;
  }
  const scale = (rowCount - 1) / Math.max(1, looked);
  const changes = Float64Array.from(counts, (count) => count * scale);
  return { rowCount, changes, ascends: ascents >= 0.75 * looked, differenceMin, differenceMax };
}

/** Runs shorter than this are not worth their ends. */
export const RUNS_PER_ROW_MAX = 0.75;

/** What runs of the codes without their lowest bits would take. */
export interface RunsEstimate {
  readonly lowBits: number;
  /** The low bits included. */
  readonly bitsPerRow: number;
  readonly runsPerRow: number;
}

/** For codes of so many bits, and low bits of `lowBitsMax` down to `lowBitsMin`: those whose runs are long enough. */
export function* runsEstimates(
  { rowCount, changes }: Shape,
  bits: number,
  { lowBitsMin, lowBitsMax }: { readonly lowBitsMin: number; readonly lowBitsMax: number },
): Generator<RunsEstimate> {
  let runCount = 1;
  for (let lowBits = bits - 1; lowBits >= lowBitsMin; lowBits--) {
    runCount += changes[lowBits + 1]!;
    if (runCount > RUNS_PER_ROW_MAX * rowCount) return;
    if (lowBits > lowBitsMax) continue;
    // The longest run is mostly within eight times the mean.
    const endBits = bitLength(Math.ceil((8 * rowCount) / runCount));
    const runsPerRow = runCount / rowCount;
    const endBitsPerRow = Math.min(1, runsPerRow * endBits);
    yield { lowBits, bitsPerRow: lowBits + runsPerRow * (bits - lowBits) + endBitsPerRow, runsPerRow };
  }
}
