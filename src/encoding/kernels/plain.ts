import { popcount32 } from '../../base/bitset.ts';
import type { Kernels } from './kernels.ts';

/** The kernels in plain TypeScript: the oracle of the SIMD ones, and what runs where there is no SIMD. */
export const plainKernels: Kernels = {
  name: 'plain',

  equal8(lanes, code, words) {
    for (let w = 0; w < words.length; w++) {
      const from = w << 5;
      const to = Math.min(from + 32, lanes.length);
      let word = 0;
      for (let i = from; i < to; i++) if (lanes[i] === code) word |= 1 << (i & 31);
      words[w] = word;
    }
  },

  countRuns(words, offsets, counts) {
    for (let run = 0; run < offsets.length - 1; run++) {
      counts[run] = countRange(words, offsets[run]!, offsets[run + 1]!);
    }
  },
};

/** Bits set in [from, to). */
function countRange(words: Uint32Array, from: number, to: number): number {
  if (from >= to) return 0;
  const first = from >>> 5;
  const last = (to - 1) >>> 5;
  const firstMask = -1 << (from & 31);
  const lastMask = -1 >>> (-to & 31);
  if (first === last) return popcount32(words[first]! & firstMask & lastMask);
  let total = popcount32(words[first]! & firstMask);
  for (let w = first + 1; w < last; w++) total += popcount32(words[w]!);
  return total + popcount32(words[last]! & lastMask);
}
