import { afterEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { kernels, useKernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { simdKernels } from './simd.ts';

const simd = simdKernels()!;

afterEach(() => useKernels());

describe('kernels', () => {
  it('are the SIMD ones here, unless overridden', () => {
    expect(kernels().name).toBe('simd');
    useKernels(plainKernels);
    expect(kernels().name).toBe('plain');
  });

  it('equal8: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(1);
    for (const length of [0, 1, 31, 32, 33, 100, 16_384, 16_385, 70_001]) {
      const lanes = Uint8Array.from({ length }, () => random.below(3) * 100);
      for (const code of [0, 100, 200, 255]) {
        const expected = new Uint32Array((length + 31) >>> 5);
        lanes.forEach((lane, i) => {
          if (lane === code) expected[i >>> 5]! |= 1 << (i & 31);
        });
        for (const each of [simd, plainKernels]) {
          const words = new Uint32Array(expected.length).fill(0xdeadbeef);
          each.equal8(lanes, code, words);
          expect(words).toEqual(expected);
        }
      }
    }
  });

  it('countRuns: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(2);
    for (let round = 0; round < 200; round++) {
      const rowCount = random.below(2000) + 1;
      const words = Uint32Array.from({ length: (rowCount + 31) >>> 5 }, () => random.uint32());
      const offsets = [0];
      while (offsets.at(-1)! < rowCount) {
        offsets.push(Math.min(rowCount, offsets.at(-1)! + random.below(random.pick([2, 5, 300]))));
      }
      const expected = offsets.slice(1).map((to, run) => {
        let total = 0;
        for (let row = offsets[run]!; row < to; row++) total += (words[row >>> 5]! >>> (row & 31)) & 1;
        return total;
      });
      for (const each of [simd, plainKernels]) {
        const counts = new Uint32Array(expected.length).fill(7);
        each.countRuns(words, Uint32Array.from(offsets), counts);
        expect(Array.from(counts)).toEqual(expected);
      }
    }
  });

  it('countRuns grows its memory for large blocks', () => {
    const rowCount = 3_000_000;
    const words = new Uint32Array(rowCount >>> 5).fill(0x55555555);
    const counts = new Uint32Array(1);
    simd.countRuns(words, Uint32Array.of(0, rowCount), counts);
    expect(counts[0]).toBe(rowCount / 2);
  });
});
