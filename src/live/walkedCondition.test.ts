import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { MINUTE_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { oracleEvaluate } from '../query/oracle.ts';
import { TestTablet } from './testTablet.ts';

beforeAll(initHash);

const START_MS = Date.UTC(2026, 10, 20, 12);
const USERS = [
  { known: true, id: 'u0' },
  { known: true, id: 'u1' },
  { known: false, id: 'a2' },
];
const WITHIN = { within: { last: '30m' } };
const VIEW = { event: 'view' };
const DEFINITIONS: Readonly<Record<string, unknown>> = {
  sum: { ...VIEW, ...WITHIN, sum: { prop: 'n', gte: 40 } },
  sumEver: { ...VIEW, sum: { prop: 'n', between: [150, 200] } },
  avg: { ...VIEW, ...WITHIN, avg: { prop: 'n', gt: 2.1 } },
  min: { ...VIEW, ...WITHIN, min: { prop: 'n', gt: 0 } },
  distinct: { ...VIEW, ...WITHIN, distinct: { prop: 'n', eq: 5 } },
  latest: { ...VIEW, lastValue: { prop: 'n', op: 'gte', value: 3 } },
  earlier: { ...VIEW, within: { to: '-10m' }, lastValue: { prop: 'n', op: 'lt', value: 2 } },
  frequent: { event: ['view', 'buy'], ...WITHIN, mostFrequent: { prop: 'n', value: 1 } },
  sequence: {
    sequence: [
      { ...VIEW, where: [{ prop: 'n', op: 'eq', value: 4 }] },
      { event: 'buy', within: '1m' },
    ],
    ...WITHIN,
  },
};

test.each([1, 2, 3, 4])('measures are those of all matches, seed %i', (seed) => {
  const random = new SeededRandom(seed);
  const retentionMs = 50 * MINUTE_MS;
  const settings = seed % 2 === 0 ? { timezone: 'UTC' } : { timezone: 'UTC', retentionMs };
  const tablet = new TestTablet({ clockMs: START_MS, settings, users: USERS });
  const arrive = () => {
    const timeMs = tablet.clockMs - random.below(40) * MINUTE_MS + random.below(3) * MINUTE_MS;
    const event = random.pick(['view', 'view', 'view', 'buy']);
    const properties = random.chance(0.9) ? { n: random.pick([0, 1, 2, 3, 4, 2.1, [1, 4]]) } : {};
    tablet.event(random.below(USERS.length), event, timeMs, properties);
  };
  for (let i = 0; i < 150; i++) arrive();
  for (const [name, definition] of Object.entries(DEFINITIONS)) tablet.save(name, definition);
  for (let step = 0; step < 70; step++) {
    if (step === 35) tablet.merge(2, random.below(2));
    if (random.chance(0.8)) arrive();
    else tablet.advance(tablet.clockMs + random.below(10 * MINUTE_MS));
    const at = { ...tablet.settings, atMs: tablet.clockMs, nowMs: tablet.clockMs, zone: 'UTC' };
    for (const [name, definition] of Object.entries(DEFINITIONS)) {
      const expected = [...oracleEvaluate(tablet.oracleUsers(), definition, at)].sort();
      expect(tablet.members(name), `${name}, step ${step}`).toEqual(expected);
    }
  }
});

test('what is remembered counts as memory, and is forgotten with the user', () => {
  const tablet = new TestTablet({ clockMs: START_MS, settings: { timezone: 'UTC' }, users: USERS });
  tablet.save('sum', DEFINITIONS.sumEver);
  const bytesWith = (events: number) => {
    for (let i = 0; i < events; i++) tablet.event(0, 'view', START_MS + i, { n: 1 });
    return tablet.live.memoryBytes('sum');
  };
  const none = bytesWith(0);
  const one = bytesWith(1);
  expect(bytesWith(99) - one).toBe(99 * (8 + 4 + 8));
  tablet.live.drop(0);
  expect(tablet.live.memoryBytes('sum')).toBeLessThan(one);
  expect(none).toBeLessThan(one);
});
