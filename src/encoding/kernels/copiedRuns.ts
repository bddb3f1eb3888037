import { firstFrom } from '../../base/search.ts';
import type { Runs } from '../contract.ts';
import { TALLY_ROWS } from './tally.ts';

/** Classes, or ends, of the runs of so many rows, and one behind them that is read ahead. */
export const COPIED_RUNS_BYTES = 4 * (TALLY_ROWS + 8);

/**
 * Copies the runs of rows [from, to), the first of which is at or behind `run`: classes to `at`, ends to COPIED_RUNS_BYTES
 * behind it. Returns which one has row `to` - 1.
 */
export function copyRuns(
  { classes, ends }: Runs,
  run: number,
  from: number,
  to: number,
  words: Uint32Array,
  at: number,
): number {
  const first = firstFrom(ends, run, ends.length, from + 1);
  const last = firstFrom(ends, first, ends.length, to);
  const count = last + 1 - first;
  const classesAt = at >>> 2;
  const endsAt = (at + COPIED_RUNS_BYTES) >>> 2;
  words.set(classes.subarray(first, last + 1), classesAt);
  words.set(ends.subarray(first, last + 1), endsAt);
  // Read ahead of what there is.
  words[classesAt + count] = 0;
  words[endsAt + count] = 0xffffffff;
  return last;
}
