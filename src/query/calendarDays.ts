import { DateTime } from 'luxon';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import { parseTime } from '../base/time.ts';

/**
 * Calendar days of a zone (IANA) as numbers: the day that has the date of Unix time `number · DAY_MS` in UTC. A day
 * begins at the first moment of its date, as `daySpan` says.
 */
export function calendarDay(timeMs: number, zone: string): number {
  const { year, month, day } = DateTime.fromMillis(timeMs, { zone });
  const number = Date.UTC(year, month - 1, day) / DAY_MS;
  // Clocks that are set back over midnight show the old date again.
  return timeMs >= startMsOf(number + 1, zone) ? number + 1 : number;
}

/** The first moment of a calendar day. */
export function startMsOf(number: number, zone: string): number {
  return parseTime(new Date(number * DAY_MS).toISOString().slice(0, 10), zone) ?? Number.POSITIVE_INFINITY;
}

/** Days begin at most once in so long, unless a zone leaves some out. */
const PERIOD_MS = 12 * HOUR_MS;
/** Of a zone: 22 years, and about a megabyte. Times further apart cost more, no memory. */
const PERIODS_KEPT_MAX = 1 << 14;
/** Zones whose days a thread remembers, the latest last. */
const ZONES_KEPT_MAX = 16;

const kept = new Map<string, CalendarDays>();

/** The days of the zone, with what is remembered of them. */
export function calendarDaysOf(zone: string): CalendarDays {
  const days = kept.get(zone) ?? new CalendarDays(zone);
  kept.delete(zone);
  kept.set(zone, days);
  if (kept.size > ZONES_KEPT_MAX) kept.delete(kept.keys().next().value!);
  return days;
}

/** `calendarDay` of many times of one zone: remembers in which day each half of a UTC day begins and ends. */
export class CalendarDays {
  readonly #zone: string;
  readonly #periods = new Map<number, Period>();
  #latestIndex = Number.NaN;
  #latest: Period = { before: 0, after: 0, changeMs: 0 };

  constructor(zone: string) {
    this.#zone = zone;
  }

  of(timeMs: number): number {
    const index = Math.floor(timeMs / PERIOD_MS);
    if (index !== this.#latestIndex) {
      this.#latest = this.#periods.get(index) ?? this.#add(index);
      this.#latestIndex = index;
    }
    const { before, after, changeMs } = this.#latest;
    return timeMs < changeMs ? before : after;
  }

  #add(index: number): Period {
    const before = calendarDay(index * PERIOD_MS, this.#zone);
    const after = calendarDay((index + 1) * PERIOD_MS - 1, this.#zone);
    const changeMs = before === after ? Number.POSITIVE_INFINITY : startMsOf(after, this.#zone);
    const period = { before, after, changeMs };
    if (this.#periods.size < PERIODS_KEPT_MAX) this.#periods.set(index, period);
    return period;
  }
}

/** The day is `before` until `changeMs`, then `after`. */
interface Period {
  readonly before: number;
  readonly after: number;
  readonly changeMs: number;
}
