import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import type { SimdMemory } from './simdMemory.ts';

/** What users did by interval: of arrays in the kernels' memory, which are read and written where they are. */
export function intervalKernels(memory: SimdMemory): Pick<Kernels, 'addIntervals' | 'countCohorts'> {
  const { exports } = memory;
  return {
    addIntervals(events, bit, intervals, counts, latest) {
      const { userCount, ordinals, starts, timesMs, kinds } = events;
      const { startsMs, ofPiece, pieceMs } = intervals;
      if (!memory.has(ordinals, starts, timesMs, kinds, startsMs, ofPiece, counts, latest)) {
        plainKernels.addIntervals(events, bit, intervals, counts, latest);
        return;
      }
      exports.addIntervals(
        ...([ordinals.byteOffset, starts.byteOffset, userCount] as const),
        ...([timesMs.byteOffset, kinds.byteOffset, bit] as const),
        ...([startsMs.byteOffset, ofPiece.byteOffset, pieceMs] as const),
        ...([counts.byteOffset, latest.byteOffset] as const),
      );
    },

    countCohorts(events, intervals, periods, counts) {
      const { userCount, ordinals, starts, timesMs, kinds } = events;
      const { startsMs, ofPiece, pieceMs } = intervals;
      const { cohorts, countedMs, sizes, returned } = counts;
      const areHere =
        memory.has(ordinals, starts, timesMs, kinds, startsMs, ofPiece) &&
        memory.has(cohorts, countedMs, sizes, returned);
      if (!areHere) {
        plainKernels.countCohorts(events, intervals, periods, counts);
        return;
      }
      exports.countCohorts(
        ...([ordinals.byteOffset, starts.byteOffset, userCount] as const),
        ...([timesMs.byteOffset, kinds.byteOffset] as const),
        ...([startsMs.byteOffset, ofPiece.byteOffset, pieceMs, periods] as const),
        ...([cohorts.byteOffset, countedMs.byteOffset] as const),
        ...([sizes.byteOffset, returned.byteOffset] as const),
      );
    },
  };
}
