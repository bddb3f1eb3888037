import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { statisticsOf } from './contract.ts';
import { encodingById, pick, type Temperature } from './picker.ts';

const random = new SeededRandom(10);
const LENGTH = 20_000;
const names = (valueAt: (i: number) => number, temperature: Temperature) => {
  const values = Float64Array.from({ length: LENGTH }, (_, i) => valueAt(i));
  return pick(values, statisticsOf(values), temperature).encoding.name;
};

describe('picker', () => {
  it('picks what is smallest', () => {
    expect(names(() => 4, 'hot')).toBe('constant');
    expect(names(() => random.below(9), 'hot')).toBe('packed');
    expect(names(() => random.pick([0.1, 2.55, 1e9]), 'hot')).toBe('dictionary');
    expect(names(() => random.pick([1, 3_000_000_000, 17]), 'hot')).toBe('dictionary');
    expect(names(() => random.fraction(), 'hot')).toBe('raw');
  });

  it('compresses cold columns only', () => {
    const inRuns = (i: number) => Math.floor(i / 10) / 7 + (i % 10 === 0 ? 0 : 1e9);
    expect(names(inRuns, 'cold')).toBe('lz4');
    expect(names(inRuns, 'hot')).not.toBe('lz4');
  });

  it('finds every encoding by its id, and no other', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((id) => encodingById(id)?.name)).toEqual([
      undefined,
      'constant',
      'packed',
      'dictionary',
      'raw',
      'lz4',
      undefined,
    ]);
  });
});
