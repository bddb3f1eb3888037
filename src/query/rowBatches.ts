import { giveBack, takeNumbers, takeWords } from '../base/spareArrays.ts';
import type { RowBatch } from '../store/part.ts';

/** Room for so many rows. What is in it may be anything. */
export function takeBatch(size: number): RowBatch {
  return {
    rows: takeWords(size),
    ordinals: takeWords(size),
    timesMs: takeNumbers(size),
    kinds: takeWords(size),
  };
}

/** Nobody uses it any more. */
export function giveBackBatch({ rows, ordinals, timesMs, kinds }: RowBatch): void {
  for (const array of [rows, ordinals, timesMs, kinds]) giveBack(array);
}
