import type { SpareArrays } from '../base/spareArrays.ts';
import type { RowBatch } from '../store/part.ts';

/** Room for so many rows. What is in it may be anything. */
export function takeBatch(arrays: SpareArrays, size: number): RowBatch {
  return {
    rows: arrays.words(size),
    ordinals: arrays.words(size),
    timesMs: arrays.numbers(size),
    kinds: arrays.words(size),
  };
}

/** Nobody uses it any more. */
export function giveBackBatch(arrays: SpareArrays, { rows, ordinals, timesMs, kinds }: RowBatch): void {
  arrays.giveBack(rows, ordinals, timesMs, kinds);
}
