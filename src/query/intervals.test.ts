import { DateTime } from 'luxon';
import { expect, test } from 'vitest';
import { ANALYSIS_INTERVALS_MAX, DAY_MS, HOUR_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { parseTime } from '../base/time.ts';
import { calendarDaysOf } from './calendarDays.ts';
import { INTERVALS, type Interval, intervalsOf, parseInterval } from './intervals.ts';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/Havana',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
];
/** Clocks change in some of the zones soon after. */
const TIMES = [
  '2011-12-26',
  '2016-02-27',
  '2018-11-02',
  '2026-03-05',
  '2026-03-26',
  '2026-10-22',
  '2026-12-28',
];

const iso = (timesMs: Iterable<number>) => Array.from(timesMs, (timeMs) => new Date(timeMs).toISOString());

/** Where intervals of the zone begin: every half hour, and every date, is looked at. */
function startsBetween(interval: Interval, zone: string, fromMs: number, toMs: number): number[] {
  const starts = new Set<number>();
  if (interval === 'hour') {
    const stepMs = HOUR_MS / 2;
    for (let timeMs = Math.floor(fromMs / stepMs) * stepMs; timeMs <= toMs; timeMs += stepMs)
      if (DateTime.fromMillis(timeMs, { zone }).minute === 0) starts.add(timeMs);
    return [...starts];
  }
  for (
    let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS - 2 * DAY_MS;
    dayMs <= toMs + 2 * DAY_MS;
    dayMs += DAY_MS
  ) {
    const date = DateTime.fromMillis(dayMs, { zone: 'utc' });
    if (interval === 'week' && date.weekday !== 1) continue;
    if (interval === 'month' && date.day !== 1) continue;
    starts.add(parseTime(date.toISODate()!, zone)!);
  }
  return [...starts].filter((timeMs) => timeMs >= fromMs && timeMs <= toMs);
}

/** How long a range is at the most, and how far before and after it the oracle looks. */
const LENGTHS_MS = {
  hour: [4 * DAY_MS, DAY_MS],
  day: [6 * DAY_MS, 6 * DAY_MS],
  week: [50 * DAY_MS, 32 * DAY_MS],
};

test.each(ZONES)('intervals of %s begin where its calendar says', (zone) => {
  const random = new SeededRandom(ZONES.indexOf(zone));
  for (const interval of INTERVALS) {
    const [longestMs, marginMs] = LENGTHS_MS[interval === 'month' ? 'week' : interval] as [number, number];
    for (const time of TIMES) {
      const fromMs = Date.parse(time) + random.below(3 * DAY_MS);
      const toMs = fromMs + 1 + random.below(longestMs);
      const more = random.below(2);
      const intervals = intervalsOf({ interval, zone, fromMs, toMs, more });
      const all = startsBetween(interval, zone, fromMs - marginMs, toMs + 2 * marginMs);
      const first = all.findLastIndex((startMs) => startMs <= fromMs);
      const end = all.findIndex((startMs) => startMs >= toMs);
      expect(iso(intervals.startsMs), `${interval} ${time}`).toEqual(iso(all.slice(first, end + 1 + more)));

      const times = Float64Array.from({ length: 50 }, () => fromMs + random.below(toMs - fromMs));
      const placed = new Int32Array(50);
      intervals.place(times, 50, placed);
      for (const [i, timeMs] of times.entries()) {
        expect(placed[i]).toBe(intervals.startsMs.findLastIndex((startMs) => startMs <= timeMs));
        expect(intervals.indexOf(timeMs)).toBe(placed[i]);
      }
    }
  }
});

test('days, weeks from Monday and months of a zone', () => {
  const range = {
    zone: 'Europe/Berlin',
    fromMs: Date.parse('2026-03-28T12:00:00Z'),
    toMs: Date.parse('2026-03-30T22:00:00Z'),
  };
  expect(iso(intervalsOf({ ...range, interval: 'day' }).startsMs)).toEqual([
    '2026-03-27T23:00:00.000Z',
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
    '2026-03-30T22:00:00.000Z',
  ]);
  expect(iso(intervalsOf({ ...range, interval: 'week' }).startsMs)).toEqual([
    '2026-03-22T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
    '2026-04-05T22:00:00.000Z',
  ]);
  expect(iso(intervalsOf({ ...range, interval: 'month', more: 1 }).startsMs)).toEqual([
    '2026-02-28T23:00:00.000Z',
    '2026-03-31T22:00:00.000Z',
    '2026-04-30T22:00:00.000Z',
  ]);
});

test('the bounds of ranges', () => {
  const range = { interval: 'hour', zone: 'UTC' } as const;
  expect(intervalsOf({ ...range, fromMs: 5, toMs: 5 }).count).toBe(0);
  expect(intervalsOf({ ...range, fromMs: 5, toMs: 6 }).count).toBe(1);
  const most = ANALYSIS_INTERVALS_MAX * HOUR_MS;
  expect(intervalsOf({ ...range, fromMs: 0, toMs: most }).count).toBe(ANALYSIS_INTERVALS_MAX);
  const bad = expect.objectContaining({ code: 'bad_request', path: 'interval' });
  expect(() => intervalsOf({ ...range, fromMs: 0, toMs: most + 1 })).toThrow(bad);
  expect(() => intervalsOf({ ...range, fromMs: 0, toMs: most, more: 1 })).toThrow(bad);
  expect(() => intervalsOf({ ...range, fromMs: -6e13, toMs: 6e13 })).toThrow(bad);
  expect(() => intervalsOf({ ...range, interval: 'month', fromMs: -8.64e15, toMs: 0 })).toThrow(bad);
  const early = { interval: 'month', zone: 'UTC', fromMs: Date.parse('0050-03-08') } as const;
  expect(iso(intervalsOf({ ...early, toMs: early.fromMs + 1 }).startsMs)).toEqual([
    '0050-03-01T00:00:00.000Z',
    '0050-04-01T00:00:00.000Z',
  ]);
});

test('names of intervals', () => {
  expect(INTERVALS.map((name) => parseInterval(name, 'interval'))).toEqual([...INTERVALS]);
  for (const json of ['minute', 'Day', 1, null, undefined])
    expect(() => parseInterval(json, 'x.interval')).toThrow(expect.objectContaining({ path: 'x.interval' }));
  expect(() => parseInterval('hour', 'interval', ['day', 'week', 'month'])).toThrow(
    'must be one of day, week, month',
  );
});

test('days are those that CalendarDays tells, wherever clocks change at midnight', () => {
  const zones = ['Europe/Berlin', 'America/Havana', 'America/Sao_Paulo', 'Asia/Beirut', 'Pacific/Apia'];
  for (const [seed, zone] of zones.entries()) {
    const random = new SeededRandom(seed);
    const days = calendarDaysOf(zone);
    const fromMs = Date.parse('2008-01-01T00:00:00Z');
    const intervals = intervalsOf({ interval: 'day', zone, fromMs, toMs: fromMs + 900 * DAY_MS });
    const startMs = (i: number) => intervals.startsMs[i]!;
    const near = Array.from({ length: intervals.count }, (_, i) => startMs(i) + random.below(3 * HOUR_MS));
    const any = Array.from({ length: 3000 }, () => startMs(0) + random.below(900 * DAY_MS));
    const timesMs = [...near, ...any, ...near.map((timeMs) => timeMs - 2 * HOUR_MS)]
      .filter((timeMs) => timeMs >= startMs(0) && timeMs < intervals.endMs)
      .sort((a, b) => a - b);
    for (const [i, timeMs] of timesMs.slice(1).entries()) {
      const isSame = intervals.indexOf(timeMs) === intervals.indexOf(timesMs[i]!);
      expect(days.of(timeMs) === days.of(timesMs[i]!), `${zone} ${new Date(timeMs).toISOString()}`).toBe(
        isSame,
      );
    }
  }
});
