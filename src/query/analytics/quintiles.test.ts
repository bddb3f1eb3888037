import { expect, test } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { run } from '../testStore.ts';
import { bracketsSteps, edgesSteps, fifthOf, fifthWithin, OPEN, sketchSteps } from './quintiles.ts';

/** Numbers of several tablets: few or many, much the same or all different, alike in all tablets or not. */
function randomTablets(random: SeededRandom): Float64Array[] {
  const most = random.pick([3, 30, 3000, 20_000]);
  const different = random.pick([1, 2, 7, 100, 1e9]);
  const often = random.chance(0.4) ? random.below(different) : undefined;
  return Array.from({ length: 1 + random.below(4) }, (_, tablet) => {
    const shift = random.chance(0.3) ? tablet * different : 0;
    return Float64Array.from({ length: random.below(most) }, () => {
      if (often !== undefined && random.chance(0.5)) return often;
      return shift + random.below(different) / 4 - 10;
    });
  });
}

test('fifths are those of all numbers sorted, and few numbers are in doubt', () => {
  for (let seed = 0; seed < 30; seed++) {
    const tablets = randomTablets(new SeededRandom(seed));
    const all = Float64Array.from(tablets.flatMap((numbers) => [...numbers])).sort();
    const brackets = run(bracketsSteps(tablets.map((numbers) => run(sketchSteps(numbers, numbers.length)))));
    const counts = new Float64Array(5);
    const leastPast = new Float64Array(4).fill(Infinity);
    const open = new Map<number, number>();
    for (const number of all) {
      const fifth = fifthWithin(brackets, number);
      if (fifth === OPEN) open.set(number, (open.get(number) ?? 0) + 1);
      else counts[fifth - 1]!++;
      for (let k = 0; k < 4; k++) {
        if (number > brackets.highs[k]!) leastPast[k] = Math.min(leastPast[k]!, number);
      }
    }
    const openCounts = Float64Array.from(open.values());
    const edges = run(
      edgesSteps({ brackets, counts, leastPast, open: Float64Array.from(open.keys()), openCounts }),
    );
    expect(open.size).toBeLessThan(20 + all.length / 100);
    for (const edge of all.length === 0 ? [] : [1, 2, 3, 4]) {
      const at = all[Math.ceil((edge * all.length) / 5) - 1]!;
      expect(edges.at[edge - 1], `seed ${seed}, edge ${edge}`).toBe(at);
      expect(edges.next[edge - 1]).toBe(all.find((number) => number > at) ?? Infinity);
    }
    for (const number of all.filter((_, i) => i % 197 === 0)) {
      const below = all.indexOf(number);
      expect(fifthOf(edges, number)).toBe(1 + Math.floor((5 * below) / all.length));
      const fifth = fifthWithin(brackets, number);
      if (fifth !== OPEN) expect(fifth).toBe(fifthOf(edges, number));
    }
  }
});
