import { ctz32 } from '../../base/bitset.ts';
import { gather, gatherRuns } from './gather.ts';
import { NO_PLACE, type RowCodes, type RunRowCodes } from './kernels.ts';

/** See Kernels.addCodes. */
export function addCodes(
  selected: Uint32Array,
  row: number,
  codes: RowCodes,
  factor: number,
  target: Uint32Array,
): void {
  const own = codesOf(rowsOf(selected, row), codes);
  for (let i = 0; i < own.length; i++) target[i]! += Math.imul(factor, own[i]!);
}

/** See Kernels.addPlaces. */
export function addPlaces(
  selected: Uint32Array,
  row: number,
  codes: RunRowCodes,
  places: Uint32Array,
  target: Uint32Array,
  others: Uint32Array,
): number {
  const rows = rowsOf(selected, row);
  const own = codesOf(rows, codes);
  let count = 0;
  for (let i = 0; i < own.length; i++) {
    const place = places[own[i]!]!;
    if (place === NO_PLACE) others.set([i, rows[i]!, own[i]!], 3 * count++);
    else target[i]! += place;
  }
  return count;
}

function rowsOf(selected: Uint32Array, row: number): Uint32Array {
  const rows: number[] = [];
  for (let w = 0; w < selected.length; w++) {
    for (let left = selected[w]!; left !== 0; left &= left - 1) rows.push(row + (w << 5) + ctz32(left));
  }
  return Uint32Array.from(rows);
}

function codesOf(rows: Uint32Array, { packed, bits, bounds }: RowCodes): Uint32Array {
  const codes = new Uint32Array(rows.length);
  if (bits === 0) return codes;
  if (bounds === undefined) gather(packed, bits, rows, 0, codes);
  else gatherRuns({ packed, bits }, bounds, rows, 0, codes);
  return codes;
}
