import { expect, test } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { NOT_WALKED } from '../../encoding/kernels/kernels.ts';
import { Chains } from './chains.ts';

test('the kernel gets as far as Chains does, but where events share a time', () => {
  let compared = 0;
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed);
    const stepCount = 2 + random.below(4);
    const windowMs = random.pick([5, 40, 1000]);
    const spread = random.pick([10, 1000]);
    const users = Array.from({ length: random.below(20) }, () =>
      Array.from({ length: random.below(15) }, () => ({
        timeMs: random.below(spread),
        kinds: 1 + random.below(2 ** stepCount - 1),
      })).sort((a, b) => a.timeMs - b.timeMs),
    );
    const arrays = new SpareArrays();
    const events = users.flat();
    const [starts, kinds] = [arrays.words(users.length + 1), arrays.words(events.length)];
    const timesMs = arrays.numbers(events.length);
    starts[0] = 0;
    for (const [u, own] of users.entries()) starts[u + 1] = starts[u]! + own.length;
    kinds.set(events.map((event) => event.kinds));
    timesMs.set(events.map((event) => event.timeMs));
    const found = {
      levels: arrays.words(users.length),
      stepTimesMs: arrays.numbers(users.length * stepCount),
      firstEvents: arrays.words(users.length),
    };
    const ordinals = arrays.words(users.length);
    const userCount = users.length;
    kernels().walkChains({ userCount, ordinals, starts, timesMs, kinds }, stepCount, windowMs, found);
    const chains = new Chains({ stepCount, windowMs });
    for (const [u, own] of users.entries()) {
      const level = found.levels[u]!;
      if (level === NOT_WALKED) {
        expect(own.some(({ timeMs }, i) => timeMs === own[i + 1]?.timeMs)).toBe(true);
        continue;
      }
      chains.begin();
      chains.walk({ timesMs, kinds }, starts[u]!, starts[u + 1]!);
      expect(level, `seed ${seed}`).toBe(chains.level);
      if (level === 0) continue;
      const at = u * stepCount;
      expect([...found.stepTimesMs.subarray(at, at + level)]).toEqual([...chains.timesMs.subarray(0, level)]);
      expect(found.firstEvents[u]).toBe(chains.firstEvent);
      compared++;
    }
    arrays.giveBackAll();
  }
  expect(compared).toBeGreaterThan(1000);
});
