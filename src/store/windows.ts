/** Windows are calendar spans in UTC; weeks begin on Monday. Blocks never cross them, and retention drops them whole. */
export type WindowSpan = 'day' | 'week' | 'month' | 'quarter';

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

/** The start of the span that holds this time, or of the one `spans` later. NaN past the ends of time. */
function boundary(timeMs: number, span: WindowSpan, spans: number): number {
  const date = new Date(timeMs);
  date.setUTCHours(0, 0, 0, 0);
  const month = date.getUTCMonth();
  const day = date.getUTCDate();
  switch (span) {
    case 'day':
      return date.setUTCDate(day + spans);
    case 'week':
      return date.setUTCDate(day - ((date.getUTCDay() + 6) % 7) + 7 * spans);
    case 'month':
      return date.setUTCMonth(month + spans, 1);
    case 'quarter':
      return date.setUTCMonth(month - (month % 3) + 3 * spans, 1);
  }
}
