import { unreachable } from '../base/assert.ts';
import { daySpan, isoTime, parseTime } from '../base/time.ts';
import { isArray, type Scalar, type Value } from '../base/value.ts';
import type { ValuePredicate } from '../store/part.ts';
import { MOMENTS_END_MS } from '../store/profiles/moments.ts';
import { dateOf, datesOf } from './anniversary.ts';
import { calendarDay } from './calendarDays.ts';
import type { AnniversaryTest, NearTest, TimePoint, ValueTest, Within } from './criterion.ts';
import { compilePattern } from './pattern.ts';

/** What a definition is read against. */
export interface Moment {
  readonly atMs: number;
  /** The account's, IANA. */
  readonly zone: string;
}

/** A test of one value; `near` is one of two (near.ts). */
export type SingleTest = Exclude<ValueTest, NearTest>;

/** The test that holds of exactly the values, and of none, that a negation does not hold of. Undefined for other tests. */
export function oppositeOf(test: ValueTest): SingleTest | undefined {
  switch (test.op) {
    case 'neq':
      return { op: 'eq', value: test.value };
    case 'notIn':
      return { op: 'in', values: test.values };
    case 'notContains':
      return { op: 'contains', value: test.value };
    case 'notExists':
      return { op: 'exists' };
    default:
      return undefined;
  }
}

/** Types never convert: an element of another type than the operand satisfies nothing but a negation. */
export function compileTest(test: SingleTest, moment: Moment): ValuePredicate {
  switch (test.op) {
    case 'exists':
      return { missing: false, test: () => true, any: true };
    case 'eq':
      return { ...anyElement((element) => element === test.value), equalTo: [test.value] };
    case 'in': {
      const values = new Set(test.values);
      return { ...anyElement((element) => values.has(element)), equalTo: test.values };
    }
    case 'contains':
      return { missing: false, test: (value) => contains(value, test.value) };
    case 'notExists':
    case 'neq':
    case 'notIn':
    case 'notContains':
      return negation(compileTest(oppositeOf(test)!, moment));
    case 'gt':
      return {
        ...sameType(test.value, (element) => order(element, test.value) > 0),
        ...numbers(nextNumber(test.value), Infinity),
        ...moments(firstMoment(test.value, 'after'), Infinity),
      };
    case 'gte':
      return {
        ...sameType(test.value, (element) => order(element, test.value) >= 0),
        ...numbers(test.value, Infinity),
        ...moments(firstMoment(test.value, 'from'), Infinity),
      };
    case 'lt':
      return {
        ...sameType(test.value, (element) => order(element, test.value) < 0),
        ...numbers(-Infinity, test.value),
        ...moments(-Infinity, firstMoment(test.value, 'from')),
      };
    case 'lte':
      return {
        ...sameType(test.value, (element) => order(element, test.value) <= 0),
        ...numbers(-Infinity, nextNumber(test.value)),
        ...moments(-Infinity, firstMoment(test.value, 'after')),
      };
    case 'between':
      return {
        ...sameType(test.low, (e) => order(e, test.low) >= 0 && order(e, test.high) <= 0),
        ...numbers(test.low, nextNumber(test.high)),
        ...moments(firstMoment(test.low, 'from'), firstMoment(test.high, 'after')),
      };
    case 'startsWith':
      return anyElement((element) => typeof element === 'string' && element.startsWith(test.value));
    case 'endsWith':
      return anyElement((element) => typeof element === 'string' && element.endsWith(test.value));
    case 'before':
    case 'after':
    case 'withinLast':
    case 'withinNext':
      return inSpan(timeSpan(test, moment), moment.zone);
    case 'anniversary':
      return onAnniversary(test, moment);
    case 'matches': {
      const pattern = compilePattern(test.pattern, '$');
      return anyElement((element) => typeof element === 'string' && pattern.test(element));
    }
    default:
      return unreachable(test);
  }
}

/** Times that pass, [fromMs, toMs) in whole ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The event times of a window, as far as they are not after the moment. */
export function windowSpan(within: Within | undefined, moment: Moment): Span {
  const { fromMs, toMs } = within === undefined ? ALWAYS : wholeWindow(within, moment);
  return { fromMs, toMs: Math.min(toMs, moment.atMs + 1) };
}

const ALWAYS: Span = { fromMs: -Infinity, toMs: Infinity };

function wholeWindow(within: Within, moment: Moment): Span {
  switch (within.kind) {
    case 'last':
      return last(within.durationMs, moment);
    case 'range':
      return {
        fromMs: within.from === undefined ? -Infinity : timeOf(within.from, moment),
        toMs: within.to === undefined ? Infinity : timeOf(within.to, moment),
      };
    case 'on':
      return daySpan(within.date, moment.zone) ?? NEVER;
    default:
      return unreachable(within);
  }
}

const NEVER: Span = { fromMs: 0, toMs: 0 };

type TimeTest = Extract<ValueTest, { readonly op: 'before' | 'after' | 'withinLast' | 'withinNext' }>;

function timeSpan(test: TimeTest, moment: Moment): Span {
  switch (test.op) {
    case 'before':
      return { fromMs: -Infinity, toMs: timeOf(test.time, moment) };
    case 'after':
      return { fromMs: timeOf(test.time, moment) + 1, toMs: Infinity };
    case 'withinLast':
      return last(test.durationMs, moment);
    case 'withinNext':
      return { fromMs: moment.atMs + 1, toMs: moment.atMs + test.durationMs + 1 };
    default:
      return unreachable(test);
  }
}

/** (at − duration, at] */
function last(durationMs: number, { atMs }: Moment): Span {
  return { fromMs: atMs - durationMs + 1, toMs: atMs + 1 };
}

export function timeOf(point: TimePoint, moment: Moment): number {
  if (point.kind === 'relative') return moment.atMs - point.agoMs;
  return parseTime(point.text, moment.zone) ?? Number.NaN;
}

function inSpan({ fromMs, toMs }: Span, zone: string): ValuePredicate {
  const predicate = anyElement((element) => {
    const timeMs = typeof element === 'string' ? parseTime(element, zone) : undefined;
    return timeMs !== undefined && timeMs >= fromMs && timeMs < toMs;
  });
  return { ...predicate, span: { fromMs, toMs } };
}

function onAnniversary(test: AnniversaryTest, { atMs, zone }: Moment): ValuePredicate {
  const dates = datesOf(test, atMs, zone);
  return anyElement((element) => {
    const timeMs = typeof element === 'string' ? parseTime(element, zone) : undefined;
    return timeMs !== undefined && dates.has(dateOf(calendarDay(timeMs, zone)));
  });
}

function anyElement(test: (element: Scalar) => boolean): ValuePredicate {
  return { missing: false, test: (value) => (isArray(value) ? value.some(test) : test(value)) };
}

function sameType(operand: Scalar, test: (element: Scalar) => boolean): ValuePredicate {
  const type = typeof operand;
  return anyElement((element) => typeof element === type && test(element));
}

/** Of a comparison with a number: from <= number < to. */
function numbers(from: Scalar, to: Scalar): Pick<ValuePredicate, 'range'> {
  return typeof from === 'number' && typeof to === 'number' ? { range: { from, to } } : {};
}

/** Of a comparison with a text: from <= moment < to. */
function moments(fromMs: number | undefined, toMs: number | undefined): Pick<ValuePredicate, 'span'> {
  return fromMs === undefined || toMs === undefined ? {} : { span: { fromMs, toMs } };
}

/** The first moment whose text does not come before this one, or comes after it; undefined for anything but a text. */
function firstMoment(value: Scalar, place: 'from' | 'after'): number | undefined {
  if (typeof value !== 'string') return undefined;
  // The texts of moments are in the order of their times.
  let [low, end] = [0, MOMENTS_END_MS];
  while (low < end) {
    const middle = Math.floor((low + end) / 2);
    const at = orderOfText(isoTime(middle), value);
    if (place === 'from' ? at >= 0 : at > 0) end = middle;
    else low = middle + 1;
  }
  return low;
}

/** The least number greater than this one; anything else as it is. */
function nextNumber(value: Scalar): Scalar {
  if (typeof value !== 'number' || value === Infinity) return value;
  if (value === 0) return Number.MIN_VALUE;
  const number = Float64Array.of(value);
  // As whole numbers, doubles of one sign are in the order of their distance from 0.
  new BigInt64Array(number.buffer)[0]! += value > 0 ? 1n : -1n;
  return number[0]!;
}

function negation({ missing, test }: ValuePredicate): ValuePredicate {
  return { missing: !missing, test: (value) => !test(value) };
}

function contains(value: Value, part: Scalar): boolean {
  if (isArray(value)) return value.includes(part);
  return typeof value === 'string' && typeof part === 'string' && value.includes(part);
}

/** Negative, 0 or positive; both of one type. False is before true; text goes by code point. */
function order(a: Scalar, b: Scalar): number {
  if (typeof a === 'string' && typeof b === 'string') return orderOfText(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function orderOfText(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Code units in the order of the code points they are of: surrogates, D800 to DFFF, stand for those past FFFF. */
function rank(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit < 0xe000 ? codeUnit + 0x10000 : codeUnit;
}
