import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { bytesOf, type SimdMemory } from './simdMemory.ts';

/** With more cells it costs more to copy them in and out. */
const GROUP_CELLS_MAX = 1 << 13;

/** What selected rows of a block add up to. */
export function selectedKernels(
  memory: SimdMemory,
): Pick<Kernels, 'addCodes' | 'addPlaces' | 'rankRows' | 'countGroups'> {
  const { exports } = memory;
  return {
    addCodes(selected, row, codes, factor, target) {
      const { CODES, INPUT, STEP, addCodes, addRunCodes } = exports;
      const { packed, bits, bounds } = codes;
      const rowEnd = row + 32 * selected.length;
      const before = bounds === undefined ? 0 : memory.markStarts(bounds, rowEnd);
      const words64 = (memory.copyWords(selected, 0, INPUT.value) + 1) >>> 1;
      const at = memory.targetIn(target);
      if (bounds === undefined) {
        memory.copyIn(packed.subarray((row >>> 3) * bits, Math.ceil((rowEnd * bits) / 8)), CODES.value);
        addCodes(INPUT.value, words64, CODES.value, bits, factor, at);
      } else {
        memory.copyIn(packed, CODES.value);
        addRunCodes(INPUT.value, words64, STEP.value, row, before, CODES.value, bits, factor, at);
      }
      memory.targetOut(target);
    },

    addPlaces(selected, row, { packed, bits, bounds }, places, target, others) {
      const { CODES, INPUT, RUNS, STEP, addRunPlaces } = exports;
      const before = memory.markStarts(bounds, row + 32 * selected.length);
      const words64 = (memory.copyWords(selected, 0, INPUT.value) + 1) >>> 1;
      memory.copyIn(packed, CODES.value);
      memory.copyIn(bytesOf(places, 0, places.length), RUNS.value);
      const at = memory.targetIn(target);
      const found = addRunPlaces(
        ...([INPUT.value, words64, STEP.value, row, before, CODES.value, bits] as const),
        ...([RUNS.value, at, RUNS.value + places.byteLength] as const),
      );
      memory.targetOut(target);
      others.set(memory.runs.subarray(places.length, places.length + 3 * found));
      return found;
    },

    rankRows(selected, firsts, before, target) {
      const { INPUT, STEP, rankRows } = exports;
      const wordCount = memory.copyWords(selected, 0, INPUT.value);
      memory.copyWords(firsts, 0, STEP.value);
      rankRows(INPUT.value, STEP.value, (wordCount + 1) >>> 1, before, memory.targetIn(target));
      memory.targetOut(target);
    },

    countGroups(rows, width, alone, counts, several) {
      const { users, codes, intervals } = rows;
      const isNear = [users, codes, intervals].every(({ buffer }) => buffer === memory.bytes.buffer);
      if (!isNear || alone.length + counts.length > GROUP_CELLS_MAX) {
        return plainKernels.countGroups(rows, width, alone, counts, several);
      }
      const { OUTPUT, RUNS, countGroups } = exports;
      const countsAt = RUNS.value + alone.byteLength;
      memory.copyIn(bytesOf(alone, 0, alone.length), RUNS.value);
      memory.copyIn(bytesOf(counts, 0, counts.length), countsAt);
      const found = countGroups(
        ...([users.byteOffset, codes.byteOffset, intervals.byteOffset, users.length] as const),
        ...([width, RUNS.value, countsAt, OUTPUT.value] as const),
      );
      alone.set(memory.runs.subarray(0, alone.length));
      counts.set(memory.runs.subarray(alone.length, alone.length + counts.length));
      several.set(memory.outputWords.subarray(0, found));
      return found;
    },
  };
}
