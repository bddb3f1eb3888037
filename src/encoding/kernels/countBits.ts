import { kernels } from './chosen.ts';

/** Bits counted at once: few enough for the memory of the kernels. */
const COUNTED_BITS = 1 << 17;
const COUNTED_WORDS = COUNTED_BITS >>> 5;
const common = new Uint32Array(COUNTED_WORDS);
const counted = new Uint32Array(1);

/** How many bits are set. */
export function countBits(words: Uint32Array): number {
  let count = 0;
  for (let from = 0; from < words.length; from += COUNTED_WORDS) {
    const step = words.subarray(from, from + COUNTED_WORDS);
    kernels().countRuns(step, Uint32Array.of(0, 32 * step.length), counted);
    count += counted[0]!;
  }
  return count;
}

/** How many bits are set in both, which are as long. */
export function countCommon(words: Uint32Array, others: Uint32Array): number {
  let count = 0;
  for (let from = 0; from < words.length; from += COUNTED_WORDS) {
    const step = words.subarray(from, from + COUNTED_WORDS);
    const both = common.subarray(0, step.length);
    both.set(step);
    kernels().and(both, others.subarray(from, from + step.length));
    count += countBits(both);
  }
  return count;
}
