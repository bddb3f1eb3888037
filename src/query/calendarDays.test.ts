import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { daySpan, parseTime } from '../base/time.ts';
import { CalendarDays, calendarDay } from './calendarDays.ts';

/** With days of 23, 24 and 25 hours, odd offsets, and one day that Samoa left out. */
const ZONES = [
  ...['UTC', 'America/New_York', 'Pacific/Auckland', 'Asia/Kathmandu', 'Australia/Lord_Howe'],
  ...['Africa/Monrovia', 'America/Sao_Paulo', 'Pacific/Apia', 'America/St_Johns'],
];

test.each(ZONES)('days of %s are those that a date spans', (zone) => {
  const random = new SeededRandom(1);
  const days = new CalendarDays(zone);
  const aroundMs = [Date.UTC(2011, 11, 30), Date.UTC(2026, 2, 8), Date.UTC(1999, 9, 3), Date.UTC(1971, 0, 1)];
  for (let i = 0; i < 300; i++) {
    const timeMs =
      random.pick(aroundMs) + (random.below(20 * 24) - 240) * HOUR_MS + random.below(60) * MINUTE_MS;
    const day = days.of(timeMs);
    expect(calendarDay(timeMs, zone)).toBe(day);
    const span = daySpan(new Date(day * DAY_MS).toISOString().slice(0, 10), zone)!;
    expect(timeMs, `${new Date(timeMs).toISOString()}`).toBeGreaterThanOrEqual(span.fromMs);
    expect(timeMs).toBeLessThan(span.toMs);
  }
});

test('a day whose last hour comes twice goes on until the next date begins', () => {
  // At a minute past midnight the clocks went back to 23:01 of the day before.
  const firstMs = parseTime('1999-10-31T00:00:30', 'America/St_Johns')!;
  const days = new CalendarDays('America/St_Johns');
  expect(days.of(firstMs + 30 * MINUTE_MS)).toBe(days.of(firstMs));
  expect(days.of(firstMs)).toBe(days.of(firstMs - HOUR_MS) + 1);
});
