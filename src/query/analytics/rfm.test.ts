import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { DAY_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import type { Value } from '../../base/value.ts';
import type { TabletView } from '../../store/view.ts';
import { evaluate } from '../evaluate.ts';
import { parseSegment } from '../parse.ts';
import type { JsonObject } from '../shape.ts';
import { newStats } from '../stats.ts';
import { run, testStore } from '../testStore.ts';
import { type TestEvent, type TestTablet, testView } from '../testView.ts';
import type { RfmResult } from './rfm.ts';
import { numberBetween, RFM_GROUPS } from './rfmGroups.ts';
import { rounded } from './rfmUsers.ts';
import {
  analyze,
  iso,
  isVisible,
  randomTablet,
  randomView,
  type TestMoment,
  testUsers,
} from './testAnalysis.ts';

beforeAll(initHash);

const START_MS = Date.parse('2026-03-01T00:00:00Z');
const SPAN_MS = 60 * DAY_MS;
const FIFTHS = [1, 2, 3, 4, 5];

/** 1 and as many fifths as are below. */
function scoreOf(all: readonly number[], value: number): number {
  return 1 + Math.floor((5 * all.filter((other) => other < value).length) / all.length);
}

/** From the contract: every user beside all others. */
function gridOf(trails: readonly (readonly TestEvent[])[], endMs: number) {
  const buyers = trails
    .filter((trail) => trail.length > 0)
    .map((trail) => {
      const amounts = trail.map(({ properties }) => properties.amount).filter((a) => typeof a === 'number');
      return {
        recency: -Math.floor((endMs - 1 - trail.at(-1)!.timeMs) / DAY_MS),
        frequency: trail.length,
        monetary: Number(amounts.reduce((sum, amount) => sum + amount, 0).toPrecision(12)),
      };
    });
  const score = (measure: 'recency' | 'frequency' | 'monetary', buyer: (typeof buyers)[number]) =>
    scoreOf(
      buyers.map((other) => other[measure]),
      buyer[measure],
    );
  const grid = FIFTHS.map(() => FIFTHS.map(() => ({ users: 0, value: 0 })));
  for (const buyer of buyers) {
    const both = Math.round((score('frequency', buyer) + score('monetary', buyer)) / 2);
    const cell = grid[score('recency', buyer) - 1]![both - 1]!;
    cell.users++;
    cell.value += buyer.monetary;
  }
  return grid;
}

function countOf(views: readonly TabletView[], segment: JsonObject, { atMs, nowMs }: TestMoment): number {
  const counts = views.map((view) => {
    const { members } = run(evaluate(view, parseSegment(segment), { atMs, nowMs }, newStats()));
    return members.count();
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

function randomShop(random: SeededRandom, settings: NonNullable<TestTablet['settings']>): TestTablet {
  const timeOf = (r: SeededRandom) => START_MS + r.below(r.pick([SPAN_MS, SPAN_MS / 4]));
  const eventsMax = random.pick([20, 200, 400]);
  const tablet = randomTablet(random, {
    events: ['Bought', 'Looked'],
    timeOf,
    eventsMax,
    usersMax: 60,
    settings,
  });
  const amountOf = (): Value | undefined =>
    random.pick([9.99, 9.99, 0.1, 0.2, 0.3, 120, -5, random.below(10_000) / 100, 'free', undefined]);
  const parts = tablet.parts.map((part) =>
    part.map(({ properties, ...event }) => {
      const amount = amountOf();
      return { ...event, properties: { ...properties, ...(amount !== undefined && { amount }) } };
    }),
  );
  return { ...tablet, parts };
}

test('grid and groups are those of the contract, and each group is a segment', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 24; seed++) {
    const random = new SeededRandom(seed);
    const nowMs = START_MS + SPAN_MS;
    const atMs = random.chance(0.6) ? nowMs : nowMs - random.below(10 * DAY_MS);
    const settings = { timezone: 'UTC', ...(random.chance(0.3) && { retentionMs: SPAN_MS / 2 }) };
    const moment = { atMs, nowMs, zone: 'UTC' };
    const tablets = Array.from({ length: 1 + random.below(3) }, () => randomShop(random, settings));
    const fromMs = random.chance(0.5) ? START_MS + random.below(20 * DAY_MS) : undefined;
    const toMs = random.chance(0.5) ? START_MS + (20 + random.below(40)) * DAY_MS : undefined;
    const where = random.chance(0.3) ? [{ prop: 'n', op: 'gte', value: 1 }] : undefined;
    const segment: JsonObject | undefined = random.chance(0.3)
      ? { profile: 'plan', op: 'exists' }
      : undefined;
    const params = {
      ...{ event: 'Bought', monetary: 'amount' },
      ...(where && { where }),
      ...(segment && { segment }),
      ...(fromMs !== undefined && { from: iso(fromMs) }),
      ...(toMs !== undefined && { to: iso(toMs) }),
    };
    const endMs = Math.min(toMs ?? Infinity, atMs + 1);
    const isWanted = (event: TestEvent) =>
      event.event === 'Bought' &&
      (where === undefined || (event.properties.n as number) >= 1) &&
      isVisible(event, moment, settings) &&
      event.timeMs >= (fromMs ?? -Infinity) &&
      event.timeMs < endMs;
    const trails = tablets
      .flatMap((tablet) => [...testUsers(tablet).values()])
      .filter(({ traits }) => segment === undefined || traits.plan !== undefined)
      .map(({ trail }) => trail.filter(isWanted));

    const views = tablets.map((tablet) => randomView(tablet, random));
    const hasPlan = (view: TabletView, ordinal: number) => view.profiles.get(ordinal, 'plan') !== undefined;
    const found = analyze('rfm', views, params, moment, segment && hasPlan) as RfmResult;
    const grid = gridOf(trails, endMs);
    const about = (cells: readonly { users: number; value: number }[]) => ({
      users: cells.reduce((sum, { users }) => sum + users, 0),
      value: expect.closeTo(
        cells.reduce((sum, { value }) => sum + value, 0),
        6,
      ),
    });
    const { thresholds: _, groups, ...rest } = found;
    expect(rest, `seed ${seed}`).toEqual({
      ...about(grid.flat()),
      grid: grid.map((row) => row.map((cell) => about([cell]))),
    });
    for (const [i, { name, recency, frequencyMonetary, users, value, segment }] of groups.entries()) {
      expect({ name, recency, frequencyMonetary }).toEqual(RFM_GROUPS[i]);
      const cells = grid
        .filter((_, r) => r + 1 >= recency[0] && r + 1 <= recency[1])
        .flatMap((row) =>
          row.filter((_, f) => f + 1 >= frequencyMonetary[0] && f + 1 <= frequencyMonetary[1]),
        );
      expect({ users, value }).toEqual(about(cells));
      expect(countOf(views, segment, moment), `seed ${seed}, ${name}: ${JSON.stringify(segment)}`).toBe(
        users,
      );
      if (users > 0) seen.add(name);
    }
  }
  expect(seen.size).toBeGreaterThan(8);
});

test('the groups cover the grid, each cell once', () => {
  for (const recency of FIFTHS) {
    for (const both of FIFTHS) {
      const own = RFM_GROUPS.filter(
        (group) =>
          recency >= group.recency[0] &&
          recency <= group.recency[1] &&
          both >= group.frequencyMonetary[0] &&
          both <= group.frequencyMonetary[1],
      );
      expect(own.length, `${recency} ${both}`).toBe(1);
    }
  }
});

const ASKED = { event: 'Bought', monetary: 'amount' };
const MOMENT = { atMs: START_MS + 10 * DAY_MS, nowMs: START_MS + 10 * DAY_MS, zone: 'UTC' };

/** User i bought `count` times, the last of them `days` ago, for `amount` each. */
function shopOf(buyers: readonly (readonly [count: number, days: number, amount: number])[]): TestTablet {
  const events = buyers.flatMap(([count, days, amount], ordinal) =>
    Array.from({ length: count }, (_, i) => ({
      ...{ ordinal, event: 'Bought', properties: { amount } },
      timeMs: MOMENT.atMs - days * DAY_MS - i,
    })),
  );
  return { users: buyers.map((_, i) => ({ known: true, id: `u${i}` })), parts: [events] };
}

test('five users, one in each fifth', () => {
  const view = testStore(
    shopOf([
      [1, 9, 1],
      [2, 7, 2],
      [3, 5, 3],
      [4, 3, 4],
      [5, 1, 5],
    ]),
  );
  const { thresholds, grid, groups, users, value } = analyze('rfm', [view], ASKED, MOMENT) as RfmResult;
  expect({ users, value }).toEqual({ users: 5, value: 55 });
  expect(thresholds).toEqual({
    recencyDays: [7, 5, 3, 1],
    frequency: [2, 3, 4, 5],
    monetary: [3, 7, 13, 20],
  });
  expect(grid.map((row) => row.map((cell) => cell.users))).toEqual(
    FIFTHS.map((r) => FIFTHS.map((f) => (r === f ? 1 : 0))),
  );
  expect(groups.filter(({ users }) => users > 0).map(({ name, users }) => [name, users])).toEqual([
    ['Champions', 1],
    ['Loyal', 1],
    ['Need Attention', 1],
    ['Hibernating', 2],
  ]);
  expect(groups[0]!.segment).toEqual({
    and: [
      { event: 'Bought', within: { from: '2026-03-09T00:00:00.001Z', to: '2026-03-11T00:00:00.001Z' } },
      {
        or: [
          {
            and: [
              { event: 'Bought', within: { to: '2026-03-11T00:00:00.001Z' }, count: { eq: 2 } },
              {
                event: 'Bought',
                within: { to: '2026-03-11T00:00:00.001Z' },
                sum: { prop: 'amount', gte: 20 },
              },
            ],
          },
          {
            and: [
              { event: 'Bought', within: { to: '2026-03-11T00:00:00.001Z' }, count: { eq: 3 } },
              {
                event: 'Bought',
                within: { to: '2026-03-11T00:00:00.001Z' },
                sum: { prop: 'amount', gte: 13 },
              },
            ],
          },
          {
            and: [
              { event: 'Bought', within: { to: '2026-03-11T00:00:00.001Z' }, count: { eq: 4 } },
              {
                event: 'Bought',
                within: { to: '2026-03-11T00:00:00.001Z' },
                sum: { prop: 'amount', gte: 7 },
              },
            ],
          },
          {
            and: [
              { event: 'Bought', within: { to: '2026-03-11T00:00:00.001Z' }, count: { gte: 5 } },
              {
                event: 'Bought',
                within: { to: '2026-03-11T00:00:00.001Z' },
                sum: { prop: 'amount', gte: 3 },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('users who are all alike are all in the first fifth', () => {
  const views = [
    testView(
      shopOf([
        [1, 2, 3],
        [1, 2, 3],
      ]),
    ),
    testView(shopOf([[1, 2, 3]])),
  ];
  const { thresholds, groups } = analyze('rfm', views, ASKED, MOMENT) as RfmResult;
  const nobody = [null, null, null, null];
  expect(thresholds).toEqual({ recencyDays: nobody, frequency: nobody, monetary: nobody });
  expect(groups.filter(({ users }) => users > 0).map(({ name, users }) => [name, users])).toEqual([
    ['Hibernating', 3],
  ]);
  for (const { segment, users } of groups) expect(countOf(views, segment, MOMENT)).toBe(users);
});

test('without events there are no users, and groups are segments all the same', () => {
  const view = testView({ users: [], parts: [[]] });
  const { users, value, groups } = analyze('rfm', [view], ASKED, MOMENT) as RfmResult;
  expect({ users, value }).toEqual({ users: 0, value: 0 });
  for (const { segment } of groups) expect(countOf([view], segment, MOMENT)).toBe(0);
});

test.each([
  ['2026-03-11', '-104000000d'], // before the first time there is a Date of
  ['2026-03-11', '-900000d'], // before the year 0
  ['9999-12-31T23:59:59.999', '-3000000d'], // to the first moment after the year 9999
])('groups are segments, however far the range goes: at %s from %s', (at, from) => {
  const moment = { ...MOMENT, atMs: Date.parse(`${at}Z`) };
  const view = testView(
    shopOf([
      [1, 9, 1],
      [2, 7, 2],
      [3, 5, 3],
    ]),
  );
  const { users, groups } = analyze('rfm', [view], { ...ASKED, from }, moment) as RfmResult;
  expect(users).toBe(3);
  for (const { segment, users } of groups) expect(countOf([view], segment, moment)).toBe(users);
});

test('numbers to 12 digits, and short ones between two', () => {
  expect([0.1 + 0.2, -0.7 - 0.1, 1234567.891, 0, 1e300, 1e-300, 123456789012345].map(rounded)).toEqual([
    0.3, -0.8, 1234567.891, 0, 1e300, 1e-300, 123456789012000,
  ]);
  expect(numberBetween(9.99, 19.98)).toBe(15);
  expect(numberBetween(0.29, 0.3)).toBe(0.295);
  expect(numberBetween(-5, 5)).toBe(0);
  const random = new SeededRandom(1);
  for (let i = 0; i < 1000; i++) {
    const low = random.below(10_000) / 100 - 50;
    const high = low + 10 ** -random.below(10);
    const between = numberBetween(low, high);
    expect(between > low && between < high).toBe(true);
  }
});

test.each([
  [{ event: undefined }, 'event'],
  [{ event: [] }, 'event'],
  [{ where: {} }, 'where'],
  [{ monetary: undefined }, 'monetary'],
  [{ monetary: { sum: 'amount' } }, 'monetary'],
  [{ measure: 'events' }, 'measure'],
  [{ from: 'soon' }, 'from'],
])('refuses %j at %s', (wrong, path) => {
  const bad = expect.objectContaining({ code: 'bad_request', path });
  expect(() =>
    analyze('rfm', [testView({ users: [], parts: [[]] })], { ...ASKED, ...wrong }, MOMENT),
  ).toThrow(bad);
});
