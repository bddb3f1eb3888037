import { assert } from '../../base/assert.ts';
import type { Window } from './windows.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 16;

export interface WindowRows {
  readonly window: Window;
  readonly rows: Uint32Array;
}

/** The rows of each window that has any, in their order. For the boundaries see JobOptions. */
export function* windowRowsSteps(
  times: Float64Array,
  boundariesMs: readonly number[],
): Generator<void, readonly WindowRows[]> {
  if (boundariesMs.length === 2) return oneWindow(times, boundariesMs[0]!, boundariesMs[1]!);
  const counts = new Uint32Array(boundariesMs.length);
  const windowOfRow = new Uint32Array(times.length);
  for (let from = 0; from < times.length; from += STEP_ROWS) {
    findWindows(times, boundariesMs, from, Math.min(from + STEP_ROWS, times.length), windowOfRow, counts);
    yield;
  }
  // One window's rows after the other's.
  const rows = new Uint32Array(times.length);
  const ends = new Uint32Array(counts.length);
  for (let w = 1; w < counts.length; w++) ends[w] = ends[w - 1]! + counts[w - 1]!;
  for (let from = 0; from < times.length; from += STEP_ROWS) {
    placeRows(windowOfRow, from, Math.min(from + STEP_ROWS, times.length), rows, ends);
    yield;
  }
  const windows: WindowRows[] = [];
  counts.forEach((count, w) => {
    if (count === 0) return;
    const window = { startMs: boundariesMs[w]!, endMs: boundariesMs[w + 1]! };
    windows.push({ window, rows: rows.subarray(ends[w]! - count, ends[w]) });
  });
  return windows;
}

function oneWindow(times: Float64Array, startMs: number, endMs: number): readonly WindowRows[] {
  if (times.length === 0) return [];
  const rows = new Uint32Array(times.length);
  let outside = 0;
  for (let row = 0; row < rows.length; row++) {
    rows[row] = row;
    if (!(times[row]! >= startMs && times[row]! < endMs)) outside++;
  }
  assert(outside === 0, 'no row is outside of the only window');
  return [{ window: { startMs, endMs }, rows }];
}

function placeRows(
  windowOfRow: Uint32Array,
  from: number,
  to: number,
  rows: Uint32Array,
  ends: Uint32Array,
): void {
  for (let row = from; row < to; row++) rows[ends[windowOfRow[row]!]!++] = row;
}

/** Most rows are in the window of the row before. */
function findWindows(
  times: Float64Array,
  boundariesMs: readonly number[],
  from: number,
  to: number,
  windowOfRow: Uint32Array,
  counts: Uint32Array,
): void {
  let w = 0;
  for (let row = from; row < to; row++) {
    const time = times[row]!;
    if (!(time >= boundariesMs[w]! && time < boundariesMs[w + 1]!)) w = windowOf(time, boundariesMs);
    windowOfRow[row] = w;
    counts[w]!++;
  }
}

function windowOf(time: number, boundariesMs: readonly number[]): number {
  let low = 0;
  let high = boundariesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (boundariesMs[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  assert(low > 0, 'no row is before the first window');
  assert(low < boundariesMs.length, 'no row is after the last window');
  return low - 1;
}
