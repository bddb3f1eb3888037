import type { Kernels } from './kernels.ts';
import { bytesOf, type SimdMemory } from './simdMemory.ts';

/** Bitmaps of rows among bitmaps of all rows. */
export function spreadKernels(memory: SimdMemory): Pick<Kernels, 'expand' | 'compress'> {
  const { exports } = memory;
  return {
    expand(dense, rows, words) {
      const { INPUT, STEP, OUTPUT, expand } = exports;
      let n = 0;
      for (let from = 0; from < rows.length; from += memory.steps.length) {
        const wordCount = memory.copyWords(rows, from, STEP);
        // At most a bit for each row, the first within the first word.
        const denseFrom = Math.min(n >>> 5, dense.length);
        const denseTo = Math.min(denseFrom + wordCount + 1, dense.length);
        memory.copyIn(bytesOf(dense, denseFrom, denseTo), INPUT);
        n += expand(INPUT, n & 31, STEP, wordCount, OUTPUT) - (n & 31);
        words.set(memory.outputWords.subarray(0, wordCount), from);
      }
    },

    compress(words, rows, dense) {
      const { INPUT, STEP, OUTPUT, compress } = exports;
      let n = 0;
      for (let from = 0; from < rows.length; from += memory.steps.length) {
        const wordCount = memory.copyWords(rows, from, STEP);
        memory.copyIn(bytesOf(words, from, from + wordCount), INPUT);
        const first = n >>> 5;
        const used = n & 31;
        const pending = used === 0 ? 0 : dense[first]!;
        const bits = compress(INPUT, STEP, wordCount, pending, used, OUTPUT);
        dense.set(memory.outputWords.subarray(0, (bits + 31) >>> 5), first);
        n += bits - used;
      }
      dense.fill(0, (n + 31) >>> 5);
    },
  };
}
