import { assert } from '../../base/assert.ts';
import { CHAIN_STEPS_MAX, type Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import type { SimdMemory } from './simdMemory.ts';

/** Chains of steps: of arrays in the kernels' memory, which are read and written where they are. */
export function chainKernels(memory: SimdMemory): Pick<Kernels, 'walkChains'> {
  const { exports } = memory;
  return {
    walkChains(events, stepCount, windowMs, found) {
      assert(stepCount <= CHAIN_STEPS_MAX, 'the chains of a user have room, and a bit each');
      const { userCount, starts, timesMs, kinds } = events;
      const { levels, stepTimesMs, firstEvents } = found;
      if (!memory.has(starts, timesMs, kinds, levels, stepTimesMs, firstEvents)) {
        plainKernels.walkChains(events, stepCount, windowMs, found);
        return;
      }
      exports.walkChains(
        ...([starts.byteOffset, userCount, timesMs.byteOffset, kinds.byteOffset] as const),
        ...([stepCount, windowMs, exports.STEP] as const),
        ...([levels.byteOffset, stepTimesMs.byteOffset, firstEvents.byteOffset] as const),
      );
    },
  };
}
