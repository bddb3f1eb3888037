import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../base/assert.ts';
import { SeededRandom } from '../../base/random.ts';
import { finished } from './testBlocks.ts';
import { windowRowsSteps } from './windowRows.ts';

const windowRows = (times: number[], boundaries: number[]) =>
  finished(windowRowsSteps(Float64Array.from(times), boundaries));

describe('window rows', () => {
  it('are those between two boundaries, in their order', () => {
    const random = new SeededRandom(1);
    const boundaries = [-50, 0, 10, 11, 40];
    const times = Array.from({ length: 500 }, () => random.below(90) - 50).filter((time) => time !== 10);
    const found = windowRows(times, boundaries);
    expect(found.map(({ window }) => window.startMs)).toEqual([-50, 0, 11]);
    for (const { window, rows } of found) {
      const isIn = (row: number) => times[row]! >= window.startMs && times[row]! < window.endMs;
      expect([...rows]).toEqual([...times.keys()].filter(isIn));
    }
    expect(windowRows([], boundaries)).toEqual([]);
  });

  it('are all in some window', () => {
    expect(() => windowRows([5, -1], [0, 10])).toThrow(AssertionError);
    expect(() => windowRows([5, 10], [0, 10])).toThrow(AssertionError);
  });
});
