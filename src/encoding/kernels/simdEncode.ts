import type { Kernels } from './kernels.ts';
import { bytesOf, type SimdMemory } from './simdMemory.ts';

/** What encoders look for and write. */
export function encodeKernels(memory: SimdMemory): Pick<Kernels, 'bounds' | 'runs' | 'pack'> {
  const { exports } = memory;
  return {
    bounds(numbers) {
      const { INPUT, INPUT_BYTES, OUTPUT, bounds } = exports;
      const output = memory.outputWords;
      let [min, max] = [0xffffffff, 0];
      const whole = numbers.length & ~3;
      const step = INPUT_BYTES >>> 2;
      for (let from = 0; from < whole; from += step) {
        const to = Math.min(from + step, whole);
        memory.copyIn(bytesOf(numbers, from, to), INPUT);
        bounds(INPUT, (to - from) >>> 2, OUTPUT);
        min = Math.min(min, output[0]!, output[1]!, output[2]!, output[3]!);
        max = Math.max(max, output[4]!, output[5]!, output[6]!, output[7]!);
      }
      for (let i = whole; i < numbers.length; i++) {
        min = Math.min(min, numbers[i]!);
        max = Math.max(max, numbers[i]!);
      }
      return { min, max };
    },

    runs(codes, lowBits, runCodes, ends) {
      if (codes.length === 0) return 0;
      const { INPUT, INPUT_BYTES, OUTPUT, RUNS, runs } = exports;
      const step = (INPUT_BYTES >>> 2) - 1;
      const last = codes.length - 1;
      let run = 0;
      for (let from = 0; from < last; from += step) {
        const to = Math.min(from + step, last);
        memory.copyIn(bytesOf(codes, from, to + 1), INPUT);
        const found = runs(INPUT, to - from, lowBits, from, OUTPUT, RUNS);
        runCodes.set(memory.outputWords.subarray(0, found), run);
        ends.set(memory.runs.subarray(0, found), run);
        run += found;
      }
      runCodes[run] = codes[last]! >>> lowBits;
      ends[run] = codes.length;
      return run + 1;
    },

    pack(codes, bits, packed) {
      const { INPUT, INPUT_BYTES, OUTPUT, pack } = exports;
      const step = INPUT_BYTES >>> 2;
      for (let from = 0; from < codes.length; from += step) {
        const to = Math.min(from + step, codes.length);
        memory.copyIn(bytesOf(codes, from, to), INPUT);
        pack(INPUT, bits, to - from, OUTPUT);
        const byteCount = Math.ceil(((to - from) * bits) / 8);
        packed.set(memory.bytes.subarray(OUTPUT, OUTPUT + byteCount), (from >>> 3) * bits);
      }
    },
  };
}
