import { parseTime } from '../base/time.ts';
import { isArray, type Value } from '../base/value.ts';
import { nextAnniversaryMs, spanMs } from '../query/anniversary.ts';
import type { ValueTest } from '../query/criterion.ts';

/** Whether time alone may change the test's answer about a value. */
export function isTimed(test: ValueTest): boolean {
  return changesOf(test).length > 0;
}

/** The first moment after `afterMs` at which time alone may change the test of this value; Infinity: never. */
export function nextTestChangeMs(
  value: Value | undefined,
  test: ValueTest,
  zone: string,
  afterMs: number,
): number {
  let nextMs = Number.POSITIVE_INFINITY;
  const changes = changesOf(test);
  if (value === undefined || changes.length === 0) return nextMs;
  for (const element of isArray(value) ? value : [value]) {
    const timeMs = typeof element === 'string' ? parseTime(element, zone) : undefined;
    if (timeMs === undefined) continue;
    for (const change of changes) nextMs = Math.min(nextMs, nextOfElementMs(change, timeMs, zone, afterMs));
  }
  return nextMs;
}

/** The answer may change so long after the time that the value holds, or after each of its anniversaries' midnights. */
interface ChangeOfAnswer {
  readonly after: 'time' | 'anniversary' | 'dayAfterAnniversary';
  readonly offsetMs: number;
}

function changesOf(test: ValueTest): readonly ChangeOfAnswer[] {
  const afterTime = (offsetMs: number) => ({ after: 'time', offsetMs }) as const;
  switch (test.op) {
    case 'before': // value < at - ago
      return test.time.kind === 'relative' ? [afterTime(test.time.agoMs + 1)] : [];
    case 'after': // value > at - ago
      return test.time.kind === 'relative' ? [afterTime(test.time.agoMs)] : [];
    case 'withinLast': // at - duration < value <= at
      return [afterTime(0), afterTime(test.durationMs)];
    case 'withinNext': // at < value <= at + duration
      return [afterTime(-test.durationMs), afterTime(0)];
    case 'anniversary': {
      const midnight = { after: 'anniversary', offsetMs: 0 } as const;
      if (test.span === 'today') return [midnight, { after: 'dayAfterAnniversary', offsetMs: 0 }];
      const durationMs = spanMs(test.durationMs);
      const offsetMs = test.span === 'last' ? durationMs : -durationMs;
      return [midnight, { after: 'anniversary', offsetMs }];
    }
    default:
      return [];
  }
}

function nextOfElementMs(
  { after, offsetMs }: ChangeOfAnswer,
  timeMs: number,
  zone: string,
  afterMs: number,
): number {
  if (after !== 'time') {
    const days = after === 'anniversary' ? 0 : 1;
    return nextAnniversaryMs(timeMs, zone, { afterMs: afterMs - offsetMs, days }) + offsetMs;
  }
  const changeMs = timeMs + offsetMs;
  return changeMs > afterMs ? changeMs : Number.POSITIVE_INFINITY;
}
