import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import type { SimdMemory } from './simdMemory.ts';

/** Events brought together by user: of arrays in the kernels' memory, which are read and written where they are. */
export function placedKernels(
  memory: SimdMemory,
): Pick<Kernels, 'startPlaces' | 'placeEvents' | 'keepFilled'> {
  const { exports } = memory;
  return {
    startPlaces(sources, first, next) {
      if (!memory.has(next, ...sources)) {
        plainKernels.startPlaces(sources, first, next);
        return;
      }
      next.fill(0);
      for (const { byteOffset, length } of sources)
        exports.countPlaces(byteOffset, length, first, next.byteOffset);
      exports.addUp(next.byteOffset, next.length);
    },

    placeEvents(ordinals, first, next, before, source, target) {
      const { timesMs, kinds } = source;
      const hasTimes = target.timesMs.length > 0;
      const areHere =
        memory.has(ordinals, next, kinds, target.kinds, target.origins) &&
        (!hasTimes || memory.has(timesMs, target.timesMs));
      if (!areHere) {
        plainKernels.placeEvents(ordinals, first, next, before, source, target);
        return;
      }
      exports.placeEvents(
        ...([ordinals.byteOffset, ordinals.length, first, next.byteOffset, before] as const),
        ...([timesMs.byteOffset, hasTimes ? target.timesMs.byteOffset : 0] as const),
        ...([kinds.byteOffset, target.kinds.byteOffset, target.origins.byteOffset] as const),
      );
    },

    keepFilled(ends, first, ordinals) {
      if (!memory.has(ends, ordinals)) return plainKernels.keepFilled(ends, first, ordinals);
      return exports.keepFilled(ends.byteOffset, ends.length - 1, first, ordinals.byteOffset);
    },
  };
}
