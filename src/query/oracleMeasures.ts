import { DateTime } from 'luxon';
import { parseDuration } from '../base/time.ts';
import type { Value } from '../base/value.ts';
import { isWithin, type Json, type OracleEvent, type OracleOptions, passesAll } from './oracle.ts';
import { compares, holds } from './oracleTests.ts';

/** The oracle's measures and sequences (oracle.ts), word by word. Events come by time, of one time the latest last. */

/** Whether the criterion's measure holds of these, its matches. */
export function measures(matches: readonly OracleEvent[], c: Json, options: OracleOptions): boolean {
  const valuesOf = (prop: string): Value[] =>
    matches.map(({ properties }) => properties[prop]).filter((value) => value !== undefined);
  const numbersOf = (prop: string) => valuesOf(prop).filter((value) => typeof value === 'number');
  const elementsOf = (prop: string): Value[] => valuesOf(prop).flat();
  const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0);
  const number = (of: { readonly prop: string }, reduce: (numbers: readonly number[]) => number) => {
    const numbers = numbersOf(of.prop);
    return numbers.length > 0 && compares(reduce(numbers), of);
  };
  if (c.sum) return compares(sumOf(numbersOf(c.sum.prop)), c.sum);
  if (c.avg) return number(c.avg, (numbers) => sumOf(numbers) / numbers.length);
  if (c.min) return number(c.min, (numbers) => Math.min(...numbers));
  if (c.max) return number(c.max, (numbers) => Math.max(...numbers));
  if (c.distinct) return compares(new Set(elementsOf(c.distinct.prop)).size, c.distinct);
  if (c.days) {
    const dates = matches.map(({ timeMs }) =>
      DateTime.fromMillis(timeMs, { zone: options.zone }).toISODate(),
    );
    return compares(new Set(dates).size, c.days);
  }
  const [first, last] = [matches[0], matches.at(-1)];
  if (c.first) return first !== undefined && isWithin(first.timeMs, c.first, options);
  if (c.last) return last !== undefined && isWithin(last.timeMs, c.last, options);
  if (c.lastValue) return lastValueHolds(matches, c.lastValue, options);
  if (c.mostFrequent) return mostFrequentOf(elementsOf(c.mostFrequent.prop)) === c.mostFrequent.value;
  return compares(matches.length, c.count ?? { gte: 1 });
}

function lastValueHolds(
  matches: readonly OracleEvent[],
  test: Json & { readonly prop: string },
  options: OracleOptions,
): boolean {
  const { prop } = test;
  const needed = test.op === 'near' ? [`${prop}.lat`, `${prop}.lon`] : [prop];
  const latest = matches.findLast(({ properties }) => needed.every((name) => properties[name] !== undefined));
  return latest !== undefined && holds(latest.properties, prop, test, options);
}

function mostFrequentOf(values: readonly Value[]): Value | undefined {
  const countOf = (value: Value) => values.filter((other) => other === value).length;
  const most = Math.max(0, ...values.map(countOf));
  return values.findLast((value) => countOf(value) === most);
}

/** Whether there are different events, one a step, in time order: every choice is tried. */
export function hasSequence(events: readonly OracleEvent[], c: Json, options: OracleOptions): boolean {
  const steps = c.sequence!;
  const eventsOf = steps.map((step) => events.filter((event) => passesAll(event, step, options)));
  const limitMs = (duration: string | undefined) =>
    duration === undefined ? Number.POSITIVE_INFINITY : parseDuration(duration)!;
  const goesOn = (chosen: readonly OracleEvent[]): boolean => {
    const step = steps[chosen.length];
    if (step === undefined) return true;
    const [first, previous] = [chosen[0], chosen.at(-1)];
    return eventsOf[chosen.length]!.some((event) => {
      if (chosen.includes(event)) return false;
      if (first === undefined || previous === undefined) {
        return isWithin(event.timeMs, c.within, options) && goesOn([event]);
      }
      const sinceMs = event.timeMs - previous.timeMs;
      const isInReach = sinceMs >= 0 && sinceMs <= limitMs(step.within as string | undefined);
      return isInReach && event.timeMs - first.timeMs <= limitMs(c.window) && goesOn([...chosen, event]);
    });
  };
  return goesOn([]);
}
