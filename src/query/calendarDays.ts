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
/** Of a zone, the latest asked for of those that share a place: more than five years lie side by side. */
const PERIODS_KEPT = 1 << 12;
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
  readonly zone: string;
  /** By place, which period is remembered there; the day is `before` until `changesMs`, then `after`. */
  readonly #periods = new Float64Array(PERIODS_KEPT).fill(Number.NaN);
  readonly #before = new Float64Array(PERIODS_KEPT);
  readonly #after = new Float64Array(PERIODS_KEPT);
  readonly #changesMs = new Float64Array(PERIODS_KEPT);

  constructor(zone: string) {
    this.zone = zone;
  }

  of(timeMs: number): number {
    const period = Math.floor(timeMs / PERIOD_MS);
    const place = period & (PERIODS_KEPT - 1);
    if (this.#periods[place] !== period) this.#remember(period, place);
    return timeMs < this.#changesMs[place]! ? this.#before[place]! : this.#after[place]!;
  }

  #remember(period: number, place: number): void {
    const before = calendarDay(period * PERIOD_MS, this.zone);
    const after = calendarDay((period + 1) * PERIOD_MS - 1, this.zone);
    this.#periods[place] = period;
    this.#before[place] = before;
    this.#after[place] = after;
    this.#changesMs[place] = before === after ? Number.POSITIVE_INFINITY : startMsOf(after, this.zone);
  }
}
