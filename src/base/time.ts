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
