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
        const wordCount = memory.copyWords(rows, from, STEP.value);
        // At most a bit for each row, the first within the first word.
        const denseFrom = Math.min(n >>> 5, dense.length);
        const denseTo = Math.min(denseFrom + wordCount + 1, dense.length);
        memory.copyIn(bytesOf(dense, denseFrom, denseTo), INPUT.value);
        n += expand(INPUT.value, n & 31, STEP.value, wordCount, OUTPUT.value) - (n & 31);
        words.set(memory.outputWords.subarray(0, wordCount), from);
      }
    },

    compress(words, rows, dense) {
      const { INPUT, STEP, OUTPUT, compress } = exports;
      let n = 0;
      for (let from = 0; from < rows.length; from += memory.steps.length) {
        const wordCount = memory.copyWords(rows, from, STEP.value);
        memory.copyIn(bytesOf(words, from, from + wordCount), INPUT.value);
        const first = n >>> 5;
        const used = n & 31;
        const pending = used === 0 ? 0 : dense[first]!;
        const bits = compress(INPUT.value, STEP.value, wordCount, pending, used, OUTPUT.value);
        dense.set(memory.outputWords.subarray(0, (bits + 31) >>> 5), first);
        n += bits - used;
      }
      dense.fill(0, (n + 31) >>> 5);
    },
  };
}
