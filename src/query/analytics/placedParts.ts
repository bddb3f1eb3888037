import type { Bitset } from '../../base/bitset.ts';
import type { MemoryBudget } from '../../base/memoryBudget.ts';
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
  const counts = new Uint32Array(cellCount);
  yield* part.placedRowsSteps!(rows, [by], false, ({ places: [cells] }) => countEach(cells!, counts));
  budget?.release(cellCount * Uint32Array.BYTES_PER_ELEMENT);
  return counts;
}

export function countEach(cells: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < cells.length; i++) counts[cells[i]!]!++;
}
