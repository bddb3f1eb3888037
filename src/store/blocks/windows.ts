/**
 * Windows are calendar spans in UTC, from coarse to fine; each is made of whole windows of the next. As in meteorology a
 * month has three dekads and six pentads, of which the last is what is left of it.
 */
export const WINDOW_SPANS = ['decade', 'year', 'quarter', 'month', 'dekad', 'pentad', 'day'] as const;
export type WindowSpan = (typeof WINDOW_SPANS)[number];

/** [startMs, endMs). */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** The ends of what a Date can hold; the windows there are cut short. */
const DATE_MS_MAX = 8.64e15;

/** The window that holds this time, which must be one that a Date can hold. */
export function windowOf(timeMs: number, span: WindowSpan): Window {
  const startMs = boundary(timeMs, span, 0);
  const endMs = boundary(timeMs, span, 1);
  return {
    startMs: Number.isNaN(startMs) ? -DATE_MS_MAX : startMs,
    endMs: Number.isNaN(endMs) ? DATE_MS_MAX + 1 : endMs,
  };
}

/** Where the windows of a finer span that make up this one begin, ascending, and at last where it ends. */
export function boundariesIn({ startMs, endMs }: Window, span: WindowSpan): number[] {
  const boundariesMs: number[] = [];
  for (let atMs = startMs; atMs < endMs; atMs = windowOf(atMs, span).endMs) boundariesMs.push(atMs);
  return [...boundariesMs, endMs];
}

/** The next finer span; undefined for the finest. */
export function finer(span: WindowSpan): WindowSpan | undefined {
  return WINDOW_SPANS[WINDOW_SPANS.indexOf(span) + 1];
}

/** Whether the first span is coarser than the second. */
export function isCoarser(span: WindowSpan, than: WindowSpan): boolean {
  return WINDOW_SPANS.indexOf(span) < WINDOW_SPANS.indexOf(than);
}

/** The start of the span that holds this time, or of the one `spans` later. NaN past the ends of time. */
function boundary(timeMs: number, span: WindowSpan, spans: number): number {
  const date = new Date(timeMs);
  date.setUTCHours(0, 0, 0, 0);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  switch (span) {
    case 'decade':
      return date.setUTCFullYear(10 * (Math.floor(year / 10) + spans), 0, 1);
    case 'year':
      return date.setUTCFullYear(year + spans, 0, 1);
    case 'quarter':
      return date.setUTCMonth(month - (month % 3) + 3 * spans, 1);
    case 'month':
      return date.setUTCMonth(month + spans, 1);
    case 'dekad':
      return partOfMonth(date, 3, 10, spans);
    case 'pentad':
      return partOfMonth(date, 6, 5, spans);
    case 'day':
      return date.setUTCDate(date.getUTCDate() + spans);
  }
}

/** Moves the date to the start of its part of the month, of so many parts that have so many days, or `parts` later. */
function partOfMonth(date: Date, count: number, days: number, parts: number): number {
  const part = Math.min(count - 1, Math.floor((date.getUTCDate() - 1) / days)) + parts;
  return date.setUTCMonth(date.getUTCMonth() + Math.floor(part / count), 1 + days * (part % count));
}
