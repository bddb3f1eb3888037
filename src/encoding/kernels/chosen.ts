import { lendMemory } from '../../base/spareArrays.ts';
import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { simdKernels } from './simd.ts';

const simd = simdKernels();
if (simd !== undefined) lendMemory(simd.arena);

let chosen: Kernels = simd ?? plainKernels;

export function kernels(): Kernels {
  return chosen;
}

/** For tests: the given kernels from now on; without an argument, the host's best again. */
export function useKernels(override?: Kernels): void {
  chosen = override ?? simd ?? plainKernels;
}
