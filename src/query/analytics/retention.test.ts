import { DateTime } from 'luxon';
import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { DAY_MS, HOUR_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import type { JsonObject } from '../shape.ts';
import { type TestEvent, testView } from '../testView.ts';
import type { RetentionResult } from './retention.ts';
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

const EVENTS = ['A', 'B', 'C'];
/** Clocks change on 29 March in Europe, on 8 March in New York, on 5 April on Lord Howe Island. */
const START_MS = Date.parse('2026-02-26T00:00:00Z');
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];

type Unit = 'day' | 'week' | 'month';

const locals = new Map<string, DateTime>();

function localTime(timeMs: number, zone: string): DateTime {
  const key = `${zone} ${timeMs}`;
  const local = locals.get(key) ?? DateTime.fromMillis(timeMs, { zone });
  locals.set(key, local);
  return local;
}

/** Counts a zone's calendar intervals by their local dates. */
function numberOf(timeMs: number, unit: Unit, zone: string): number {
  const local = localTime(timeMs, zone);
  if (unit === 'month') return local.year * 12 + local.month;
  const day = Date.UTC(local.year, local.month - 1, local.day) / DAY_MS;
  return unit === 'day' ? day : Math.floor((day + 3) / 7);
}

function startOf(timeMs: number, unit: Unit, zone: string): string {
  return iso(localTime(timeMs, zone).startOf(unit).toMillis());
}

/** One local date of each of the intervals. */
function datesOf(unit: Unit, zone: string, fromMs: number, toMs: number): readonly number[] {
  const dates: number[] = [];
  for (let ms = fromMs; ms <= toMs; ms += 12 * HOUR_MS) dates.push(ms);
  dates.push(toMs);
  return dates.filter((ms, i) => i === 0 || numberOf(ms, unit, zone) !== numberOf(dates[i - 1]!, unit, zone));
}

interface Question {
  readonly isStart: (event: TestEvent) => boolean;
  readonly isReturn: (event: TestEvent) => boolean;
  readonly unit: Unit;
  readonly periods: number;
  readonly fromMs: number;
  readonly toMs: number;
}

function cohortsOf(
  trails: readonly (readonly TestEvent[])[],
  { isStart, isReturn, unit, periods, fromMs, toMs }: Question,
  { zone }: TestMoment,
): RetentionResult['cohorts'] {
  const users = trails.flatMap((trail) => {
    const first = trail.find((e) => isStart(e) && e.timeMs >= fromMs && e.timeMs < toMs);
    if (first === undefined) return [];
    const cohort = numberOf(first.timeMs, unit, zone);
    const back = trail.filter((e) => isReturn(e) && e.timeMs >= first.timeMs);
    return [{ firstMs: first.timeMs, cohort, ks: back.map((e) => numberOf(e.timeMs, unit, zone) - cohort) }];
  });
  if (users.length === 0) return [];
  const times = users.map(({ firstMs }) => firstMs);
  return datesOf(unit, zone, Math.min(...times), Math.max(...times)).map((ms) => {
    const number = numberOf(ms, unit, zone);
    const own = users.filter(({ cohort }) => cohort === number);
    return {
      t: startOf(ms, unit, zone),
      size: own.length,
      returned: Array.from({ length: periods + 1 }, (_, k) => own.filter(({ ks }) => ks.includes(k)).length),
    };
  });
}

test('cohorts are those of a look at every user, in any zone, over several tablets, parts and merges', () => {
  let users = 0;
  let returned = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = new SeededRandom(seed);
    const zone = random.pick(ZONES);
    const unit = random.pick(['day', 'week', 'month'] as const);
    const spanDays = random.pick([2, 20, 100]);
    // Some at the very edges of local days.
    const timeOf = () =>
      START_MS + random.below(spanDays * 48) * (HOUR_MS / 2) - (random.chance(0.3) ? random.below(2) : 0);
    const retentionMs = random.pick([undefined, undefined, 30 * DAY_MS]);
    const settings = { timezone: zone, ...(retentionMs === undefined ? {} : { retentionMs }) };
    const tablets = Array.from({ length: 1 + random.below(3) }, () =>
      randomTablet(random, { events: EVENTS, timeOf, eventsMax: 150, usersMax: 25, settings }),
    );
    const nowMs = START_MS + 50 * DAY_MS;
    const moment = { atMs: START_MS + random.pick([10, 50, 200]) * DAY_MS, nowMs, zone };
    const range = random.chance(0.5)
      ? { fromMs: -Infinity, toMs: Infinity }
      : {
          fromMs: START_MS + random.below(spanDays * 12) * HOUR_MS,
          toMs: START_MS + random.below(spanDays * 12) * HOUR_MS + (spanDays * DAY_MS) / 2,
        };
    const [start, back] = [random.pick(EVENTS), random.pick(EVENTS)];
    const n = random.below(4);
    const question = {
      isStart: (e: TestEvent) => e.event === start,
      isReturn: (e: TestEvent) => e.event === back && (e.properties.n as number) >= n,
      ...{ unit, periods: random.below(8), ...range },
    };
    const params = {
      start: { event: start },
      return: { event: back, where: [{ prop: 'n', op: 'gte', value: n }] },
      interval: unit,
      periods: question.periods,
      ...(range.fromMs === -Infinity ? {} : { from: iso(range.fromMs), to: iso(range.toMs) }),
    };
    const trails = tablets.flatMap((tablet) =>
      [...testUsers(tablet).values()].map(({ trail }) =>
        trail.filter((event) => isVisible(event, moment, settings)),
      ),
    );
    const cohorts = cohortsOf(trails, question, moment);
    const views = tablets.map((tablet) => randomView(tablet, random));
    expect(analyze('retention', views, params, moment), `seed ${seed}`).toEqual({ cohorts });
    for (const cohort of cohorts) {
      users += cohort.size;
      returned += cohort.returned.reduce((sum, one) => sum + one, 0);
    }
  }
  expect(users).toBeGreaterThan(100);
  expect(returned).toBeGreaterThan(100);
});

/** Events of one user each, as `A@2026-03-01T10:00`. */
function cohorts(trails: readonly string[], params: JsonObject, zone: string): RetentionResult['cohorts'] {
  const events = trails.flatMap((trail, ordinal) =>
    trail.split(' ').map((text) => {
      const [event, time] = text.split('@');
      return { ordinal, event: event!, timeMs: DateTime.fromISO(time!, { zone }).toMillis(), properties: {} };
    }),
  );
  const users = trails.map((_, i) => ({ known: true, id: `u${i}` }));
  const nowMs = Date.parse('2026-12-31T00:00:00Z');
  const moment = { atMs: nowMs, nowMs, zone };
  const all = { start: { event: 'A' }, return: { event: 'B' }, interval: 'day', periods: 2, ...params };
  return (analyze('retention', [testView({ users, parts: [events] })], all, moment) as RetentionResult)
    .cohorts;
}

test('days of a zone have the hours they have, and a day without a cohort is listed', () => {
  expect(
    cohorts(
      ['A@2026-03-28T23:59 B@2026-03-29T23:59 B@2026-03-30T00:00', 'A@2026-03-31T00:00'],
      {},
      'Europe/Berlin',
    ),
  ).toEqual([
    { t: '2026-03-27T23:00:00.000Z', size: 1, returned: [0, 1, 1] },
    { t: '2026-03-28T23:00:00.000Z', size: 0, returned: [0, 0, 0] },
    { t: '2026-03-29T22:00:00.000Z', size: 0, returned: [0, 0, 0] },
    { t: '2026-03-30T22:00:00.000Z', size: 1, returned: [0, 0, 0] },
  ]);
});

test('weeks begin on Monday', () => {
  expect(cohorts(['A@2026-03-01 B@2026-03-02'], { interval: 'week' }, 'UTC')).toEqual([
    { t: '2026-02-23T00:00:00.000Z', size: 1, returned: [0, 1, 0] },
  ]);
});

test('in its own interval a cohort returns at the start or after it, and an event may be both', () => {
  const params = { return: { event: ['A', 'B'] } };
  expect(cohorts(['A@2026-03-02T10:00'], params, 'UTC')).toMatchObject([{ returned: [1, 0, 0] }]);
  expect(cohorts(['B@2026-03-02T09:00 A@2026-03-02T10:00'], {}, 'UTC')).toMatchObject([
    { returned: [0, 0, 0] },
  ]);
  expect(cohorts(['B@2026-03-02T10:00 A@2026-03-02T10:00'], {}, 'UTC')).toMatchObject([
    { returned: [1, 0, 0] },
  ]);
});

test('what comes back after the range counts; whoever began before it begins in it again', () => {
  const params = { from: '2026-03-02', to: '2026-03-03' };
  expect(cohorts(['A@2026-03-01 A@2026-03-02 B@2026-03-03 B@2026-03-05'], params, 'UTC')).toEqual([
    { t: '2026-03-02T00:00:00.000Z', size: 1, returned: [0, 1, 0] },
  ]);
});

test('other events of long ago make no cohorts', () => {
  expect(cohorts(['X@1970-01-01 A@2026-03-01 B@2026-03-02', 'X@2100-01-01'], {}, 'UTC')).toEqual([
    { t: '2026-03-01T00:00:00.000Z', size: 1, returned: [0, 1, 0] },
  ]);
});

test('an answer has a limit', () => {
  const params = { periods: 366 };
  expect(() => cohorts(['A@1990-01-01', 'A@2009-01-01'], params, 'UTC')).toThrow(
    expect.objectContaining({ code: 'bad_request', path: 'periods' }),
  );
});

const FILTERS = { start: { event: 'A' }, return: { event: 'B' } };
test.each<[path: string, params: JsonObject]>([
  ['start', { return: { event: 'B' }, interval: 'day', periods: 1 }],
  ['start.event', { ...FILTERS, start: {}, interval: 'day', periods: 1 }],
  [
    'start.where[0].op',
    { ...FILTERS, start: { event: 'A', where: [{ prop: 'n' }] }, interval: 'day', periods: 1 },
  ],
  ['start.count', { ...FILTERS, start: { event: 'A', count: { gte: 1 } }, interval: 'day', periods: 1 }],
  ['return', { start: { event: 'A' }, interval: 'day', periods: 1 }],
  ['return.event', { ...FILTERS, return: { event: [] }, interval: 'day', periods: 1 }],
  ['interval', { ...FILTERS, periods: 1 }],
  ['interval', { ...FILTERS, interval: 'hour', periods: 1 }],
  ['periods', { ...FILTERS, interval: 'day' }],
  ['periods', { ...FILTERS, interval: 'day', periods: -1 }],
  ['periods', { ...FILTERS, interval: 'day', periods: 1.5 }],
  ['periods', { ...FILTERS, interval: 'day', periods: 367 }],
  ['periods', { ...FILTERS, interval: 'day', periods: '7' }],
  ['breakdown', { ...FILTERS, interval: 'day', periods: 1, breakdown: { prop: 'n' } }],
  ['to', { ...FILTERS, interval: 'day', periods: 1, from: '2026-03-02', to: '2026-03-01' }],
])('an error is at %s', (path, params) => {
  expect(() => analyze('retention', [], params, { atMs: 0, nowMs: 0, zone: 'UTC' })).toThrow(
    expect.objectContaining({ code: 'bad_request', path }),
  );
});
