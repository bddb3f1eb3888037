import type { CellReader } from '../store/part.ts';
import { gathered } from '../store/trailOrder.ts';
import { NO_VALUE, type ValueIds } from './valueIds.ts';

/** Of some rows of a part the numbers, and the ids, or, without `values`, the part's own codes. */
export function readCells(
  reader: CellReader | undefined,
  rows: Uint32Array,
  codes: Uint32Array,
  numbers: Float64Array,
  values: ValueIds | undefined,
): void {
  if (reader === undefined) {
    codes.fill(NO_VALUE);
    numbers.fill(Number.NaN);
  } else {
    reader.read(rows, rows.length, codes, numbers);
    values?.replaceCodes(reader, codes, numbers);
  }
}

/** The same for rows of several parts: those of each part together, and in their order. */
export function readMixed(
  readers: readonly (CellReader | undefined)[],
  parts: Uint32Array,
  rows: Uint32Array,
  codes: Uint32Array,
  numbers: Float64Array,
  values: ValueIds | undefined,
): void {
  for (const part of new Set(parts)) {
    const entries = Uint32Array.from(parts.keys()).filter((i) => parts[i] === part);
    entries.sort((a, b) => rows[a]! - rows[b]!);
    const own = gathered(rows, entries, new Uint32Array(entries.length));
    const [ownCodes, ownNumbers] = [new Uint32Array(own.length), new Float64Array(own.length)];
    readCells(readers[part], own, ownCodes, ownNumbers, values);
    entries.forEach((entry, i) => {
      codes[entry] = ownCodes[i]!;
      numbers[entry] = ownNumbers[i]!;
    });
  }
}
