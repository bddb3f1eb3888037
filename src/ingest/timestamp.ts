import { badRequest } from '../base/errors.ts';
import { FUTURE_MS_MAX, HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/limits.ts';
import type { JsonObject } from './json.ts';

/**
 * When an item happened, in Unix ms (INTERFACE §2): its `timestamp`, else its `originalTimestamp` moved by how wrong
 * the sender's clock was, else the time of receipt; never more than a day ahead. Throws bad_request.
 */
export function eventTimeMs(item: JsonObject, batchSentAt: unknown, receivedAtMs: number): number {
  const latestMs = receivedAtMs + FUTURE_MS_MAX;
  const timeMs = readTimeMs(item.timestamp, '$.timestamp');
  if (timeMs !== undefined) return Math.min(timeMs, latestMs);
  const originalMs = readTimeMs(item.originalTimestamp, '$.originalTimestamp');
  if (originalMs === undefined) return receivedAtMs;
  const sentAtMs = timeMsOf(item.sentAt ?? batchSentAt);
  const lateMs = sentAtMs >= 0 ? receivedAtMs - sentAtMs : 0;
  return Math.max(0, Math.min(originalMs + lateMs, latestMs));
}

function readTimeMs(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const timeMs = timeMsOf(value);
  if (timeMs >= 0) return timeMs;
  throw badRequest('must be ISO-8601 text or Unix milliseconds, not before 1970', path);
}

function timeMsOf(value: unknown): number {
  if (typeof value === 'string') return parseTimeMs(value);
  return typeof value === 'number' && Number.isFinite(value) ? Math.floor(value) : Number.NaN;
}

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Unix ms of ISO-8601's extended form: a date, or a date and time of day to the minute, second or any fraction of it
 * (cut to ms), with `Z`, an offset, or neither (then UTC). NaN for anything else and for years before 1970. Date.parse
 * is not used because it also reads what is not ISO-8601, and by rules of its own.
 */
export function parseTimeMs(text: string): number {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  if (!(year >= 1970 && month >= 1 && month <= 12 && day >= 1)) return Number.NaN;
  if (text[4] !== '-' || text[7] !== '-') return Number.NaN;
  const isLeapDay = month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > DAYS_OF_MONTH[month - 1]! && !isLeapDay) return Number.NaN;
  const dateMs = Date.UTC(year, month - 1, day);
  if (text.length === 10) return dateMs;
  const separator = text[10];
  return separator === 'T' || separator === 't' || separator === ' '
    ? dateMs + parseTimeOfDayMs(text, 11)
    : Number.NaN;
}

function parseTimeOfDayMs(text: string, start: number): number {
  const hour = digits(text, start, 2);
  const minute = digits(text, start + 3, 2);
  if (!(hour <= 23 && minute <= 59 && text[start + 2] === ':')) return Number.NaN;
  let timeMs = hour * HOUR_MS + minute * MINUTE_MS;
  let at = start + 5;
  if (text[at] === ':') {
    const second = digits(text, at + 1, 2);
    if (!(second <= 59)) return Number.NaN;
    timeMs += second * SECOND_MS;
    at += 3;
    if (text[at] === '.' || text[at] === ',') {
      const fractionStart = at + 1;
      at = fractionStart;
      for (let unitMs = 100; isDigit(text, at); unitMs /= 10, at++) {
        if (unitMs >= 1) timeMs += digits(text, at, 1) * unitMs;
      }
      if (at === fractionStart) return Number.NaN;
    }
  }
  return timeMs - parseZoneMs(text, at);
}

/** `Z`, `+hh`, `+hhmm`, `+hh:mm` or nothing, up to the end. */
function parseZoneMs(text: string, start: number): number {
  const sign = text[start];
  const length = text.length - start;
  if (length === 0 || (length === 1 && (sign === 'Z' || sign === 'z'))) return 0;
  const hours = digits(text, start + 1, 2);
  const minutes = length === 3 ? 0 : digits(text, text.length - 2, 2);
  const isWritten = length === 3 || length === 5 || (length === 6 && text[start + 3] === ':');
  if (!(isWritten && hours <= 23 && minutes <= 59)) return Number.NaN;
  const offsetMs = hours * HOUR_MS + minutes * MINUTE_MS;
  if (sign === '+') return offsetMs;
  return sign === '-' ? -offsetMs : Number.NaN;
}

/** `count` decimal digits as a number; NaN when one of them is not a digit. */
function digits(text: string, start: number, count: number): number {
  let number = 0;
  for (let at = start; at < start + count; at++) {
    if (!isDigit(text, at)) return Number.NaN;
    number = number * 10 + text.charCodeAt(at) - 48;
  }
  return number;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}
