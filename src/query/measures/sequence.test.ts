import { expect, test } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { type CompiledSequence, SequenceSearch } from './sequence.ts';

const EVER = { withinMs: [], windowMs: Infinity, fromMs: -Infinity, toMs: Infinity };

/** Every choice of different events is tried. */
function hasChain(sequence: CompiledSequence, timesMs: readonly number[], kinds: readonly number[]): boolean {
  const { stepKinds, withinMs, windowMs, fromMs, toMs } = sequence;
  const goesOn = (chosen: readonly number[]): boolean => {
    const step = chosen.length;
    if (step === stepKinds.length) return true;
    return timesMs.some((timeMs, i) => {
      if (chosen.includes(i) || (kinds[i]! & stepKinds[step]!) === 0) return false;
      if (step === 0) return timeMs >= fromMs && timeMs < toMs && goesOn([i]);
      const sinceMs = timeMs - timesMs[chosen.at(-1)!]!;
      const isInReach =
        sinceMs >= 0 && sinceMs <= withinMs[step]! && timeMs - timesMs[chosen[0]!]! <= windowMs;
      return isInReach && goesOn([...chosen, i]);
    });
  };
  return goesOn([]);
}

test('finds a chain where trying every one does', () => {
  let found = 0;
  const ROUNDS = 20_000;
  for (let seed = 0; seed < ROUNDS; seed++) {
    const random = new SeededRandom(seed);
    const stepCount = 1 + random.below(4);
    const kindCount = 1 + random.below(3);
    const limit = () => random.pick([0, 1, 2, 3, 5, Infinity]);
    const fromMs = random.below(4);
    const sequence = {
      stepKinds: Array.from({ length: stepCount }, () => 1 + random.below(2 ** kindCount - 1)),
      withinMs: Array.from({ length: stepCount }, limit),
      windowMs: random.pick([0, 2, 4, 6, 8, Infinity]),
      fromMs,
      toMs: fromMs + 1 + random.below(8),
    };
    const span = random.pick([3, 8, 15]);
    const timesMs = Array.from({ length: random.below(9) }, () => random.below(span)).sort((a, b) => a - b);
    const kinds = timesMs.map(() => random.below(2 ** kindCount));
    const expected = hasChain(sequence, timesMs, kinds);
    const search = new SequenceSearch(sequence);
    // Among other users' events, which must not matter, and twice, since the search is used again.
    const allTimesMs = Float64Array.from([0, ...timesMs, 20]);
    const allKinds = Uint32Array.from([0xff, ...kinds, 0xff]);
    for (let time = 0; time < 2; time++) {
      const holds = search.holds(allTimesMs, allKinds, 1, 1 + timesMs.length);
      expect(holds, `seed ${seed}`).toBe(expected);
    }
    if (expected) found++;
  }
  expect(found / ROUNDS).toBeGreaterThan(0.2);
  expect(found / ROUNDS).toBeLessThan(0.8);
});

test('all 32 steps may be events of one time, in any order', () => {
  const steps = Array.from({ length: 32 }, (_, step) => (1 << step) >>> 0);
  const sequence = { ...EVER, stepKinds: steps, withinMs: steps.map(() => 0), windowMs: 0 };
  const holds = (kinds: readonly number[]) =>
    new SequenceSearch(sequence).holds(
      new Float64Array(kinds.length),
      Uint32Array.from(kinds),
      0,
      kinds.length,
    );
  expect(holds(steps.toReversed())).toBe(true);
  expect(holds(steps.slice(1))).toBe(false);
  // Each may be its own step and the next one: only one choice leaves an event for every step.
  expect(holds(steps.map((step, i) => (step | (steps[i + 1] ?? 0)) >>> 0))).toBe(true);
  expect(holds([...steps.slice(0, 31).map(() => 0xffffffff)])).toBe(false);
  expect(holds(Array.from({ length: 5000 }, () => 0xffffffff))).toBe(true);
});
