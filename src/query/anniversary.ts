import { DAY_MS } from '../base/limits.ts';
import { calendarDay, startMsOf } from './calendarDays.ts';
import type { AnniversaryTest } from './criterion.ts';

/** In so many days every date has its turn, 29 February on 1 March if need be. */
const DAYS_OF_ALL_DATES = 366;
/** 29 February and 1 March, as `dateOf` gives them. */
const LEAP_DATE = 229;
const DATE_AFTER_IT = 301;

/** Month and day of a calendar day, as 100 · month + day. */
export function dateOf(day: number): number {
  const date = new Date(day * DAY_MS);
  return 100 * (date.getUTCMonth() + 1) + date.getUTCDate();
}

/**
 * The dates whose anniversary is in the test's span: today; or those days whose midnight lies in (at - duration, at] or
 * (at, at + duration].
 */
export function datesOf(test: AnniversaryTest, atMs: number, zone: string): ReadonlySet<number> {
  const [from, to] = daysOf(test, atMs, zone);
  const dates = new Set<number>();
  for (let day = from; day <= to; day++) {
    const date = dateOf(day);
    dates.add(date);
    if (date === DATE_AFTER_IT && dateOf(day - 1) !== LEAP_DATE) dates.add(LEAP_DATE);
  }
  return dates;
}

/** The duration, as far as more of it would add no date. */
export function spanMs(durationMs: number): number {
  return Math.min(durationMs, (DAYS_OF_ALL_DATES + 1) * DAY_MS);
}

/** First and last day of the span, as far as more days would add no date. */
function daysOf(test: AnniversaryTest, atMs: number, zone: string): readonly [number, number] {
  const today = calendarDay(atMs, zone);
  if (test.span === 'today') return [today, today];
  const durationMs = spanMs(test.durationMs);
  return test.span === 'last'
    ? [calendarDay(atMs - durationMs, zone) + 1, today]
    : [today + 1, calendarDay(atMs + durationMs, zone)];
}

/** The first midnight after `afterMs` that is an anniversary of the time's date, or comes so many days after one. */
export function nextAnniversaryMs(
  timeMs: number,
  zone: string,
  { afterMs, days }: { readonly afterMs: number; readonly days: number },
): number {
  const date = dateOf(calendarDay(timeMs, zone));
  const year = new Date(calendarDay(afterMs, zone) * DAY_MS).getUTCFullYear();
  for (const candidate of [year - 1, year, year + 1]) {
    const midnightMs = startMsOf(anniversaryDay(date, candidate) + days, zone);
    if (midnightMs > afterMs) return midnightMs;
  }
  return Number.POSITIVE_INFINITY;
}

function anniversaryDay(date: number, year: number): number {
  // What a year does not have, 29 February, becomes the day after.
  return Date.UTC(year, Math.floor(date / 100) - 1, date % 100) / DAY_MS;
}
