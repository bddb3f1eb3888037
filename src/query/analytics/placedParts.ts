import type { Bitset } from '../../base/bitset.ts';
import { arraysOf, type MemoryBudget } from '../../base/memoryBudget.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import type { Part, PlacedBy } from '../../store/part.ts';

/** Cells of a part's own codes, whether they occur or not: with more, most are empty, and to look at them costs time. */
export const PLACED_CELLS_MAX = 1 << 16;

/** How many of a part's rows are in each cell: the sum of what they are placed by. The part must be able to place rows. */
export function* countPlacedSteps(
  part: Part,
  rows: Bitset,
  by: readonly PlacedBy[],
  cellCount: number,
  budget: MemoryBudget | undefined,
): Generator<void, Uint32Array> {
  budget?.charge(cellCount * Uint32Array.BYTES_PER_ELEMENT);
  const arrays = arraysOf(budget);
  const counts = arrays.counts(cellCount);
  yield* part.placedRowsSteps!(rows, [by], 'counts', ({ sizes, places: [cells] }) =>
    kernels().addSizes(cells!, sizes, counts),
  );
  budget?.release(cellCount * Uint32Array.BYTES_PER_ELEMENT);
  const found = counts.slice();
  arrays.giveBack(counts);
  return found;
}
