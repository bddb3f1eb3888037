import type { ClassTable } from './kernels.ts';

/** See Kernels.classify. Without branches: which rows have a class is up to chance. */
export function classify(
  events: Uint32Array,
  codes: Uint32Array,
  { classes, rows, columns }: ClassTable,
  count: number,
  words: Uint32Array,
  found: Uint32Array,
): number {
  let foundCount = 0;
  for (let i = 0, w = 0; i < count; w++) {
    const end = Math.min(i + 32, count);
    let word = 0;
    for (let bit = 0; i < end; i++, bit++) {
      const rowClass = classes[rows[events[i]!]! + columns[codes[i]!]!]!;
      const has = (rowClass | -rowClass) >>> 31;
      found[foundCount] = rowClass;
      foundCount += has;
      word |= has << bit;
    }
    words[w] = word;
  }
  return foundCount;
}
