import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { SpareArrays } from '../base/spareArrays.ts';
import { finished } from './blocks/testBlocks.ts';
import { trailOrderSteps } from './trailOrder.ts';

describe('trail order', () => {
  const shapes = [
    { rowCount: 1, ordinals: 1, instants: 1 },
    { rowCount: 33, ordinals: 1, instants: 5 },
    { rowCount: 2000, ordinals: 1, instants: 1000 },
    { rowCount: 3000, ordinals: 40, instants: 10 },
    { rowCount: 3000, ordinals: 2 ** 32, instants: 2 ** 50 },
  ];
  it.each(shapes)('is that of a stable sort: %o', ({ rowCount, ordinals, instants }) => {
    const random = new SeededRandom(rowCount);
    const ordinalOf = Uint32Array.from({ length: rowCount + 10 }, () => random.below(ordinals));
    const timeOf = Float64Array.from(ordinalOf, () => Math.floor(random.fraction() * instants) - 1000);
    // Some rows are not asked for.
    const rows = Uint32Array.from({ length: rowCount }, (_, i) => (i < 5 ? i : i + 10));
    const expected = [...rows].sort((a, b) => ordinalOf[a]! - ordinalOf[b]! || timeOf[a]! - timeOf[b]!);
    const lent = new SpareArrays();
    const [lentOrdinals, lentTimes] = [lent.words(ordinalOf.length), lent.numbers(timeOf.length)];
    lentOrdinals.set(ordinalOf);
    lentTimes.set(timeOf);
    for (const steps of [
      trailOrderSteps(rows, ordinalOf, timeOf),
      trailOrderSteps(rows, lentOrdinals, lentTimes, lent),
    ]) {
      const sorted = finished(steps);
      expect([...sorted.order]).toEqual(expected);
      expect([...sorted.ordinals]).toEqual(expected.map((row) => ordinalOf[row]));
      expect([...sorted.times]).toEqual(expected.map((row) => timeOf[row]));
    }
    lent.giveBackAll();
  });
});
