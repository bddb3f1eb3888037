import { assert } from '../base/assert.ts';
import { daySpan, parseTime } from '../base/time.ts';
import type { TimePoint, Within } from '../query/criterion.ts';
import type { AccountSettings } from '../store/view.ts';

/**
 * A window of the language, and the retention, seen from one event instead of from the query: an event of time t with
 * fromMs <= t < toMs counts while t + delayMs <= at < t + spanMs.
 */
export interface SlidingWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly delayMs: number;
  readonly spanMs: number;
}

export function slidingWindow(within: Within | undefined, settings: AccountSettings): SlidingWindow {
  const retained: SlidingWindow = {
    fromMs: Number.NEGATIVE_INFINITY,
    toMs: Number.POSITIVE_INFINITY,
    delayMs: 0,
    spanMs: settings.retentionMs ?? Number.POSITIVE_INFINITY, // visible while t > at - retention
  };
  switch (within?.kind) {
    case undefined:
      return retained;
    case 'last': // t > at - duration
      return { ...retained, spanMs: Math.min(retained.spanMs, within.durationMs) };
    case 'on': {
      const day = daySpan(within.date, settings.timezone);
      assert(day !== undefined, 'a date was checked when the segment was parsed');
      return { ...retained, ...day };
    }
    case 'range':
      return upTo(within.to, startingFrom(within.from, retained, settings), settings);
  }
}

function startingFrom(from: TimePoint | undefined, window: SlidingWindow, settings: AccountSettings) {
  if (from === undefined) return window;
  if (from.kind === 'absolute') return { ...window, fromMs: momentOf(from.text, settings) };
  return { ...window, spanMs: Math.min(window.spanMs, from.agoMs + 1) }; // t >= at - ago
}

function upTo(to: TimePoint | undefined, window: SlidingWindow, settings: AccountSettings) {
  if (to === undefined) return window;
  if (to.kind === 'absolute') return { ...window, toMs: momentOf(to.text, settings) };
  return { ...window, delayMs: Math.max(window.delayMs, to.agoMs + 1) }; // t < at - ago
}

function momentOf(text: string, settings: AccountSettings): number {
  const momentMs = parseTime(text, settings.timezone);
  assert(momentMs !== undefined, 'a time was checked when the segment was parsed');
  return momentMs;
}
