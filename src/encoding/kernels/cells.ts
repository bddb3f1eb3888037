import { type CellSets, type PlacedCells, type RowCells, type RowEvents, TAGS_END } from './kernels.ts';

/** See Kernels.countCells. */
export function countCells(
  { starts, properties, tags }: RowCells,
  rows: Uint32Array,
  { events, numbers }: RowEvents,
  counts: Uint32Array,
  seen: Uint32Array,
): void {
  const eventWords = (seen.length / counts.length) * TAGS_END;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const event = numbers[events[row]!]!;
    const word = event >>> 5;
    const bit = 1 << (event & 31);
    const end = starts[row + 1]!;
    for (let cell = starts[row]!; cell < end; cell++) {
      const property = properties[cell]!;
      counts[property * TAGS_END + tags[cell]!]!++;
      seen[property * eventWords + word]! |= bit;
    }
  }
}

/** See Kernels.placeCells. */
export function placeCells(
  { starts, properties, tags, payloads }: RowCells,
  rows: Uint32Array,
  events: Uint32Array,
  sets: CellSets,
  ends: Uint32Array,
  target: PlacedCells,
): void {
  for (let i = 0; i < rows.length; i++) {
    const end = starts[rows[i]! + 1]!;
    for (let cell = starts[rows[i]!]!; cell < end; cell++) {
      const property = properties[cell]!;
      const at = ends[property]!++;
      target.rows[at] = sets.rows[sets.ofProperty[property]!]!;
      target.tags[at] = tags[cell]!;
      target.payloads[at] = payloads[cell]!;
    }
    const setEnd = sets.starts[events[i]! + 1]!;
    for (let s = sets.starts[events[i]!]!; s < setEnd; s++) sets.rows[sets.sets[s]!]!++;
  }
}
