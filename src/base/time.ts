import { DateTime } from 'luxon';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './limits.ts';

const UNIT_MS = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS } as const;

/** `90s`, `15m`, `6h`, `30d`, `2w` in ms; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,10})([smhdw])$/.exec(text);
  if (match === null) return undefined;
  const durationMs = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return Number.isSafeInteger(durationMs) ? durationMs : undefined;
}

/** The form that SDKs send and most text has; the days of the month are left to be checked. */
const WITH_OFFSET =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
/** A whole date (calendar, week or ordinal), alone or before a time: what makes text a time and not a number. */
const STARTS_WITH_DATE = /^\d{4}-?(\d\d-?\d\d|W\d\d-?\d|\d{3})(T|$)/;

/**
 * ISO-8601 text as Unix ms, cut to whole ms; undefined when it is none. It needs a whole date; without an offset it is
 * local time in `zone` (IANA), a bare date its first moment there. A local time that a change of clocks skips is moved
 * on by what was skipped, one that comes twice is the first.
 */
export function parseTime(text: string, zone: string): number | undefined {
  if (WITH_OFFSET.test(text) && Number(text.slice(8, 10)) <= daysInMonth(text)) return Date.parse(text);
  if (!STARTS_WITH_DATE.test(text)) return undefined;
  const time = DateTime.fromISO(text, { zone });
  // Which of two equal local times luxon takes depends on today's offset, so that is decided here.
  return time.isValid
    ? Math.min(...time.getPossibleOffsets().map((candidate) => candidate.toMillis()))
    : undefined;
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const THREE_DIGITS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));
/** Of the last time that was written: those after it mostly are of the same day, or of one near it. */
let lastDay = Number.NaN;
let lastDate = '';

/** Whole Unix ms as Date.prototype.toISOString writes them, in an eighth of its time. Throws RangeError beyond its days. */
export function isoTime(timeMs: number): string {
  const day = Math.floor(timeMs / DAY_MS);
  if (day !== lastDay) {
    const text = new Date(day * DAY_MS).toISOString();
    lastDate = text.slice(0, text.indexOf('T') + 1);
    lastDay = day;
  }
  const ms = timeMs - day * DAY_MS;
  const minutes = Math.floor(ms / MINUTE_MS);
  const seconds = Math.floor(ms / SECOND_MS) % 60;
  const time = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds]}`;
  return `${lastDate}${time}.${THREE_DIGITS[ms % 1000]}Z`;
}

/** The calendar day `YYYY-MM-DD` in a zone as [fromMs, toMs): 23, 24 or 25 hours as a rule. Undefined: no such day. */
export function daySpan(date: string, zone: string): { fromMs: number; toMs: number } | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  const day = DateTime.fromISO(date, { zone: 'utc' });
  const nextDate = day.plus({ days: 1 }).toISODate();
  const fromMs = parseTime(date, zone);
  const toMs = nextDate === null ? undefined : parseTime(nextDate, zone);
  return fromMs === undefined || toMs === undefined ? undefined : { fromMs, toMs };
}

function daysInMonth(text: string): number {
  return new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
}
