import { plainKernels } from './plain.ts';
import { simdKernels } from './simd.ts';

/** The hot loops. Two implementations that do the same: WebAssembly SIMD, and its plain TypeScript twin. */
export interface Kernels {
  readonly name: 'simd' | 'plain';
  /** Bit i of `words` = (lanes[i] === code), code < 256. Writes all of `words`, ⌈lanes.length / 32⌉ of them. */
  equal8(lanes: Uint8Array, code: number, words: Uint32Array): void;
  /**
   * counts[r] = bits of `words` set in [offsets[r], offsets[r + 1]) for every run r < offsets.length - 1. Offsets
   * ascend and end within `words`.
   */
  countRuns(words: Uint32Array, offsets: Uint32Array, counts: Uint32Array): void;
}

let chosen: Kernels = simdKernels() ?? plainKernels;

export function kernels(): Kernels {
  return chosen;
}

/** For tests: the given kernels from now on; without an argument, the host's best again. */
export function useKernels(override?: Kernels): void {
  chosen = override ?? simdKernels() ?? plainKernels;
}
