import { parseTime } from '../base/time.ts';
import { isArray, type Value } from '../base/value.ts';
import type { ValueTest } from '../query/criterion.ts';

/** How long after the time that a value holds the test's answer may change: nothing for most tests. */
export function changeOffsetsMs(test: ValueTest): readonly number[] {
  switch (test.op) {
    case 'before': // value < at - ago
      return test.time.kind === 'relative' ? [test.time.agoMs + 1] : [];
    case 'after': // value > at - ago
      return test.time.kind === 'relative' ? [test.time.agoMs] : [];
    case 'withinLast': // at - duration < value <= at
      return [0, test.durationMs];
    case 'withinNext': // at < value <= at + duration
      return [-test.durationMs, 0];
    default:
      return [];
  }
}

/** The first moment after `afterMs` at which time alone may change the test of this value; Infinity: never. */
export function nextTestChangeMs(
  value: Value | undefined,
  offsetsMs: readonly number[],
  zone: string,
  afterMs: number,
): number {
  let nextMs = Number.POSITIVE_INFINITY;
  if (value === undefined || offsetsMs.length === 0) return nextMs;
  for (const element of isArray(value) ? value : [value]) {
    const timeMs = typeof element === 'string' ? parseTime(element, zone) : undefined;
    if (timeMs === undefined) continue;
    for (const offsetMs of offsetsMs) {
      if (timeMs + offsetMs > afterMs) nextMs = Math.min(nextMs, timeMs + offsetMs);
    }
  }
  return nextMs;
}
