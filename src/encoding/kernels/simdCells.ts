import { type Kernels, TAGS_END } from './kernels.ts';
import { plainKernels } from './plain.ts';
import type { SimdMemory } from './simdMemory.ts';

/** Rows of a head put in order and turned into columns: of arrays in the kernels' memory. */
export function cellKernels(memory: SimdMemory): Pick<Kernels, 'countCells' | 'placeCells' | 'sortByDigit'> {
  const { exports } = memory;
  return {
    countCells(cells, rows, events, counts, seen) {
      const { starts, properties, tags } = cells;
      if (!memory.has(starts, properties, tags, rows, events.events, events.numbers, counts, seen)) {
        plainKernels.countCells(cells, rows, events, counts, seen);
        return;
      }
      exports.countCells(
        ...([
          rows.byteOffset,
          rows.length,
          starts.byteOffset,
          properties.byteOffset,
          tags.byteOffset,
        ] as const),
        ...([events.events.byteOffset, events.numbers.byteOffset] as const),
        ...([counts.byteOffset, seen.byteOffset, (seen.length / counts.length) * TAGS_END] as const),
      );
    },

    placeCells(cells, rows, events, sets, ends, target) {
      const { starts, properties, tags, payloads } = cells;
      const areHere =
        memory.has(starts, properties, tags, payloads, rows, events, ends) &&
        memory.has(sets.ofProperty, sets.starts, sets.sets, sets.rows) &&
        memory.has(target.tags, target.payloads, target.rows);
      if (!areHere) {
        plainKernels.placeCells(cells, rows, events, sets, ends, target);
        return;
      }
      exports.placeCells(
        ...([
          rows.byteOffset,
          rows.length,
          starts.byteOffset,
          properties.byteOffset,
          tags.byteOffset,
        ] as const),
        ...([payloads.byteOffset, ends.byteOffset] as const),
        ...([target.tags.byteOffset, target.payloads.byteOffset, events.byteOffset] as const),
        ...([sets.ofProperty.byteOffset, sets.starts.byteOffset, sets.sets.byteOffset] as const),
        ...([sets.rows.byteOffset, target.rows.byteOffset] as const),
      );
    },

    sortByDigit(keys, entries, shift, bits, targetKeys, targetEntries) {
      if (!memory.has(keys, entries, targetKeys, targetEntries)) {
        plainKernels.sortByDigit(keys, entries, shift, bits, targetKeys, targetEntries);
        return;
      }
      const { STEP, sortByDigit } = exports;
      sortByDigit(
        ...([keys.byteOffset, entries.byteOffset, keys.length, shift, (1 << bits) - 1, STEP] as const),
        ...([targetKeys.byteOffset, targetEntries.byteOffset] as const),
      );
    },
  };
}
