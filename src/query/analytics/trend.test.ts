import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { BREAKDOWN_VALUES_MAX, DAY_MS, HOUR_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import type { Scalar } from '../../base/value.ts';
import type { TabletView } from '../../store/view.ts';
import { INTERVALS, type Interval, intervalsOf } from '../intervals.ts';
import type { JsonObject } from '../shape.ts';
import { newStats } from '../stats.ts';
import { run } from '../testStore.ts';
import { type TestEvent, testView } from '../testView.ts';
import { usersOf } from '../users.ts';
import { frameOf } from './analyses.ts';
import {
  analyze,
  iso,
  isVisible,
  randomTablet,
  randomView,
  type TestMoment,
  type TestUser,
  testUsers,
} from './testAnalysis.ts';
import { elementKeys, measureOf, type OracleEvent, topKeysOf } from './testCells.ts';
import { type TrendResult, trend } from './trend.ts';

beforeAll(initHash);

const EVENTS = ['A', 'B', 'C'];
/** Clocks change in the zones soon after. */
const STARTS = ['2026-03-05', '2026-03-27', '2026-10-23', '2018-11-02'];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe'];

interface Entry {
  readonly json: JsonObject;
  readonly isWanted: (event: TestEvent) => boolean;
}

function randomEntry(random: SeededRandom): Entry {
  const names = random.chance(0.7) ? [random.pick(EVENTS)] : EVENTS.filter(() => random.chance(0.6));
  const event = names.length === 1 ? names[0]! : [...names, 'Unknown'];
  if (random.chance(0.7)) return { json: { event }, isWanted: (e) => names.includes(e.event) };
  const n = random.below(4);
  return {
    json: { event, where: [{ prop: 'n', op: 'gte', value: n }] },
    isWanted: (e) => names.includes(e.event) && (e.properties.n as number) >= n,
  };
}

function randomMeasure(random: SeededRandom): unknown {
  if (random.chance(0.6)) return random.pick(['events', 'users']);
  return { [random.pick(['sum', 'avg', 'min', 'max'])]: random.pick(['n', 'value', 'unknown']) };
}

function randomBreakdown(random: SeededRandom): { source: 'prop' | 'profile'; name: string; top?: number } {
  const source = random.pick(['prop', 'profile'] as const);
  const name = random.chance(0.9)
    ? source === 'prop'
      ? random.pick(['value', 'n', 'text', 'text'])
      : 'plan'
    : 'unknown';
  return random.chance(0.3) ? { source, name } : { source, name, top: 1 + random.below(4) };
}

interface Question {
  readonly entries: readonly Entry[];
  readonly measure: unknown;
  readonly interval: Interval;
  readonly zone: string;
  readonly breakdown: ReturnType<typeof randomBreakdown> | undefined;
  /** Those that are given; the rest is `at`. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly atMs: number;
}

/** From the contract: every event of every user is looked at, for every point. */
function trendOf(users: readonly TestUser[], question: Question): TrendResult {
  const { entries, measure, interval, zone, breakdown, atMs } = question;
  const seen = users.flatMap(({ trail, traits }, user) =>
    trail
      .filter(
        ({ timeMs }) => timeMs >= (question.fromMs ?? -Infinity) && timeMs < (question.toMs ?? Infinity),
      )
      .map((event): OracleEvent => ({ ...event, user, traits })),
  );
  const earliestMs = Math.min(
    Infinity,
    ...seen.filter((event) => entries.some(({ isWanted }) => isWanted(event))).map(({ timeMs }) => timeMs),
  );
  const range = { fromMs: question.fromMs ?? earliestMs, toMs: question.toMs ?? atMs + 1 };
  const { startsMs, count } = intervalsOf({ interval, zone, ...range });
  const points = (events: readonly OracleEvent[]) =>
    Array.from({ length: count }, (_, i) => ({
      t: iso(startsMs[i]!),
      value: measureOf(
        measure,
        events.filter(({ timeMs }) => timeMs >= startsMs[i]! && timeMs < startsMs[i + 1]!),
      ),
    }));
  const series = entries.flatMap(({ json: { event }, isWanted }): TrendResult['series'][number][] => {
    const own = seen.filter(isWanted);
    if (breakdown === undefined) return [{ event, points: points(own) }];
    const { keys, slotsOf } = topKeysOf(own, breakdown, breakdown.top ?? 10);
    return keys.map((key): TrendResult['series'][number] => ({
      event,
      key,
      points: points(own.filter((e) => slotsOf(e).has(key))),
    }));
  });
  return { series };
}

test('the numbers of each interval are those of the contract, however tablets and parts lie', () => {
  let points = 0;
  for (let seed = 0; seed < 120; seed++) {
    const random = new SeededRandom(seed);
    const startMs = Date.parse(random.pick(STARTS)) + random.below(DAY_MS);
    const spanMs = random.pick([5 * HOUR_MS, 3 * DAY_MS, 6 * DAY_MS]);
    const nowMs = startMs + spanMs;
    const atMs = random.chance(0.7) ? nowMs : startMs + random.below(spanMs);
    const zone = random.pick(ZONES);
    const settings = random.chance(0.3)
      ? { timezone: zone, retentionMs: Math.ceil(spanMs / 2) }
      : { timezone: zone };
    const timeOf = (r: SeededRandom) =>
      startMs + r.below(r.pick([40, 3600, Math.ceil(spanMs / 1000)])) * 1000;
    const areInOrder = random.chance(0.4);
    const tablets = Array.from({ length: 1 + random.below(3) }, () =>
      randomTablet(random, { events: EVENTS, timeOf, eventsMax: 160, usersMax: 12, settings, areInOrder }),
    );
    const pointMs = () => (random.chance(0.5) ? startMs + random.below(spanMs) : undefined);
    const [a, b] = [pointMs(), pointMs()];
    const question = {
      entries: Array.from({ length: 1 + random.below(3) }, () => randomEntry(random)),
      measure: randomMeasure(random),
      interval: random.pick(spanMs > 5 * DAY_MS ? INTERVALS.slice(1) : INTERVALS),
      zone,
      breakdown: random.chance(0.7) ? randomBreakdown(random) : undefined,
      fromMs: a !== undefined && b !== undefined ? Math.min(a, b) : a,
      toMs: a !== undefined && b !== undefined ? Math.max(a, b) : b,
      atMs,
    };
    const { entries, measure, interval, breakdown } = question;
    const params = {
      events: entries.map(({ json }) => json),
      measure,
      interval,
      ...(breakdown && {
        breakdown: { [breakdown.source]: breakdown.name, ...(breakdown.top && { top: breakdown.top }) },
      }),
      ...(question.fromMs !== undefined && { from: iso(question.fromMs) }),
      ...(question.toMs !== undefined && { to: iso(question.toMs) }),
    };
    const moment = { atMs, nowMs, zone };
    const someUsers = random.chance(0.3);
    const wanted = (ordinal: number) => !someUsers || ordinal % 3 !== 0;
    const users = tablets.flatMap((tablet) =>
      [...testUsers(tablet)]
        .filter(([ordinal]) => wanted(ordinal))
        .map(([, { trail, traits }]) => ({
          trail: trail.filter((event) => isVisible(event, moment, settings)),
          traits,
        })),
    );
    const views = tablets.map((tablet) => randomView(tablet, random));
    const found = analyze('trend', views, params, moment, (_, ordinal) => wanted(ordinal)) as TrendResult;
    const expected = trendOf(users, question);
    expect(found, `seed ${seed}`).toEqual(expected);
    const inTwoWalks = trendInTwoWalks(views, params, moment, wanted);
    expect(inTwoWalks, `seed ${seed}, in two walks`).toEqual(expected);
    points += found.series.reduce((sum, { points }) => sum + points.filter(({ value }) => value).length, 0);
  }
  expect(points).toBeGreaterThan(300);
  expect(isWide.size).toBe(2);
});

/** As when a tablet cannot keep all that it sees in the first walk. */
function trendInTwoWalks(
  views: readonly TabletView[],
  params: JsonObject,
  moment: TestMoment,
  wanted: (ordinal: number) => boolean,
): TrendResult {
  const request = trend.parse(params);
  const frame = frameOf(params, moment, moment.nowMs);
  const contexts = views.map((view) => {
    const users = run(usersOf(view, moment.nowMs));
    for (const user of users) if (!wanted(user)) users.delete(user);
    return { view, frame, users, stats: newStats() };
  });
  const sketches = contexts.map((context) => {
    const sketch = run(trend.survey.map(context, request));
    isWide.add(sketch.wide !== undefined);
    return { ...sketch, wide: undefined };
  });
  const choice = run(trend.survey.choose(sketches, request, frame));
  const parts = contexts.map((context) => run(trend.map(context, request, choice)));
  return run(trend.reduce(parts, request, frame, choice));
}

const isWide = new Set<boolean>();

const ASKED = { events: [{ event: 'A' }], measure: 'events', interval: 'day' };
const MOMENT = { atMs: 5000, nowMs: 5000, zone: 'UTC' };

const tabletOf = (
  events: readonly (readonly [user: number, value: Scalar | readonly Scalar[] | undefined])[],
) =>
  testView({
    users: [0, 1, 2].map((i) => ({ known: true, id: `u${i}` })),
    parts: [
      events.map(([ordinal, value]) => ({
        ordinal,
        event: 'A',
        timeMs: 1000,
        properties: value === undefined ? {} : { value },
      })),
    ],
  });

test('users of (other) are counted once over all the values that it has', () => {
  const views = [
    tabletOf([
      [0, 'x'],
      [0, 'y'],
      [0, 'z'],
      [1, 'z'],
      [1, undefined],
    ]),
    tabletOf([
      [0, 'x'],
      [0, 'y'],
      [1, 'x'],
      [2, []],
    ]),
  ];
  const breakdown = { prop: 'value', top: 1 };
  const t = '1970-01-01T00:00:00.000Z';
  expect(analyze('trend', views, { ...ASKED, measure: 'users', breakdown }, MOMENT)).toEqual({
    series: [
      { event: 'A', key: 'x', points: [{ t, value: 3 }] },
      { event: 'A', key: '(other)', points: [{ t, value: 3 }] },
      { event: 'A', key: '(none)', points: [{ t, value: 2 }] },
    ],
  });
});

test('an event counts under each different element of an array', () => {
  const views = [
    tabletOf([
      [0, ['x', 'y', 'x']],
      [1, ['x', true]],
      [2, 1],
    ]),
  ];
  const { series } = analyze(
    'trend',
    views,
    { ...ASKED, breakdown: { prop: 'value' } },
    MOMENT,
  ) as TrendResult;
  const expected = [
    ['x', 2],
    ['y', 1],
    [1, 1],
    [true, 1],
  ];
  expect(series.map(({ key, points }) => [key, points[0]!.value])).toEqual(expected);
});

test('without events there are no points but those of a range', () => {
  const views = [tabletOf([])];
  expect(analyze('trend', views, ASKED, MOMENT)).toEqual({ series: [{ event: 'A', points: [] }] });
  const range = { from: '2026-03-01', to: '2026-03-03' };
  const zeros = ['2026-03-01', '2026-03-02'].map((day) => ({ t: `${day}T00:00:00.000Z`, value: 0 }));
  expect(analyze('trend', views, { ...ASKED, ...range }, MOMENT)).toEqual({
    series: [{ event: 'A', points: zeros }],
  });
  const average = { ...ASKED, ...range, measure: { avg: 'n' } };
  expect(analyze('trend', views, average, MOMENT)).toEqual({
    series: [{ event: 'A', points: zeros.map(({ t }) => ({ t, value: null })) }],
  });
  expect(analyze('trend', views, { ...ASKED, ...range, breakdown: { prop: 'value' } }, MOMENT)).toEqual({
    series: [],
  });
});

test('a breakdown by what is different in nearly every event is refused', () => {
  const users = [{ known: true, id: 'u' }];
  const events = Array.from({ length: BREAKDOWN_VALUES_MAX / 100 + 1 }, (_, i) => ({
    ...{ ordinal: 0, event: 'A', timeMs: 1000 },
    properties: { order: Array.from({ length: 100 }, (_, j) => 100 * i + j) },
  }));
  const view = testView({ users, parts: [events] });
  const bad = expect.objectContaining({ code: 'bad_request', path: 'breakdown.prop' });
  for (const measure of ['events', 'users']) {
    const params = { ...ASKED, measure, breakdown: { prop: 'order' } };
    expect(() => analyze('trend', [view], params, MOMENT)).toThrow(bad);
  }
});

test.each([
  [{ events: undefined }, 'events'],
  [{ events: [] }, 'events'],
  [{ events: Array(33).fill({ event: 'A' }) }, 'events'],
  [{ events: ['A'] }, 'events[0]'],
  [{ events: [{}] }, 'events[0].event'],
  [{ events: [{ event: 'A', when: 1 }] }, 'events[0].when'],
  [
    {
      events: [
        {
          event: 'A',
          where: [
            { prop: 'n', op: 'exists' },
            { prop: 'n', op: 'is' },
          ],
        },
      ],
    },
    'events[0].where[1].op',
  ],
  [{ measure: undefined }, 'measure'],
  [{ measure: 'count' }, 'measure'],
  [{ measure: 3 }, 'measure'],
  [{ measure: {} }, 'measure'],
  [{ measure: { sum: 'n', avg: 'n' } }, 'measure'],
  [{ measure: { median: 'n' } }, 'measure.median'],
  [{ measure: { sum: 3 } }, 'measure.sum'],
  [{ interval: undefined }, 'interval'],
  [{ interval: 'year' }, 'interval'],
  [{ breakdown: 'value' }, 'breakdown'],
  [{ breakdown: {} }, 'breakdown'],
  [{ breakdown: { prop: 'a', profile: 'b' } }, 'breakdown'],
  [{ breakdown: { prop: 1 } }, 'breakdown.prop'],
  [{ breakdown: { prop: 'a', top: 0 } }, 'breakdown.top'],
  [{ breakdown: { prop: 'a', top: 1001 } }, 'breakdown.top'],
  [{ breakdown: { prop: 'a', limit: 1 } }, 'breakdown.limit'],
  [{ from: 'soon' }, 'from'],
  [{ from: '2026-03-02', to: '2026-03-01' }, 'to'],
  [{ by: 'day' }, 'by'],
  [{ interval: 'hour', from: '2016-03-01', to: '2026-03-01' }, 'interval'],
  [
    { interval: 'hour', from: '2025-03-01', to: '2026-03-01', events: Array(32).fill({ event: 'A' }) },
    'interval',
  ],
] as const)('refuses %j at %s', (wrong, path) => {
  const bad = expect.objectContaining({ code: 'bad_request', path });
  expect(() => analyze('trend', [tabletOf([])], { ...ASKED, ...wrong }, MOMENT)).toThrow(bad);
});

test('elements of an array are keys', () => {
  expect(elementKeys(['x', 1, 'x'])).toEqual(['x', 1]);
  expect(elementKeys([])).toEqual(['(none)']);
  expect(elementKeys(undefined)).toEqual(['(none)']);
});
