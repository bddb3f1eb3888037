import { expect, test } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { StepMatching } from './stepMatching.ts';

/** Whether each of the steps from `step` on, and before `end`, can have an event of its own. */
function canServe(masks: readonly number[], step: number, end: number): boolean {
  if (step >= end) return true;
  return masks.some(
    (mask, i) => ((mask >>> step) & 1) === 1 && canServe(masks.toSpliced(i, 1), step + 1, end),
  );
}

function firstEventOf(masks: readonly number[], end: number): number {
  return masks.findIndex((mask, i) => (mask & 1) === 1 && canServe(masks.toSpliced(i, 1), 1, end));
}

test('steps are served together exactly when each can have an event of its own', () => {
  for (let seed = 0; seed < 400; seed++) {
    const random = new SeededRandom(seed);
    const stepCount = 2 + random.below(4);
    const matching = new StepMatching(stepCount);
    for (let round = 0; round < 3; round++) {
      const masks = Array.from({ length: 1 + random.below(7) }, () => 1 + random.below((1 << stepCount) - 1));
      matching.begin();
      for (const [i, mask] of masks.entries()) matching.add(100 + i, mask);
      matching.match();
      for (let first = 0; first < stepCount; first++) {
        let end = first;
        while (end < stepCount && canServe(masks, first, end + 1)) end++;
        expect(matching.reach[first], `seed ${seed}, step ${first}`).toBe(end);
      }
      for (let end = 1; end <= matching.reach[0]!; end++) {
        expect(matching.firstEventOf(end), `seed ${seed}`).toBe(100 + firstEventOf(masks, end));
      }
    }
  }
});

test('of very many events few are kept, and nothing is missed', () => {
  const matching = new StepMatching(12);
  matching.begin();
  for (let i = 0; i < 10_000; i++) matching.add(i, 1);
  for (let i = 0; i < 10_000; i++) matching.add(i, 0xfff);
  for (let i = 0; i < 10_000; i++) matching.add(i, 0xffe);
  matching.match();
  expect([...matching.reach]).toEqual(new Array(12).fill(12));
  expect(matching.firstEventOf(12)).toBe(0);
});
