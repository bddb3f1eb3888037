import { unreachable } from '../base/assert.ts';
import type { Scalar } from '../base/value.ts';

/** The segment language as a typed tree. parse.ts makes it from JSON; everything else works on it. */
export type Criterion =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly criteria: readonly Criterion[] }
  | { readonly kind: 'not'; readonly criterion: Criterion }
  | SegmentCriterion
  | EventCriterion
  | SequenceCriterion
  | ProfileCriterion
  | SampleCriterion;

/** Whoever is in the saved segment. */
export interface SegmentCriterion {
  readonly kind: 'segment';
  readonly name: string;
  /** Of the name, within the definition that holds it: for errors found after parsing. */
  readonly path: string;
}

/** Users whose events that pass the filter, within the window, satisfy the measure. */
export interface EventCriterion {
  readonly kind: 'event';
  readonly filter: EventFilter;
  /** Undefined: everything retained. */
  readonly within: Within | undefined;
  readonly measure: Measure;
}

/** Which events count, apart from their time: any of the names, and of each group of tests at least one. */
export interface EventFilter {
  readonly events: readonly string[];
  readonly where: readonly (readonly PropertyTest[])[];
}

export interface PropertyTest {
  readonly prop: string;
  readonly test: ValueTest;
}

/** What is asked of a user's matches. Without any, `count`, `days`, `sum` and `distinct` are 0, and the others do not hold. */
export type Measure =
  | { readonly kind: 'count'; readonly compare: Comparison }
  /** Different calendar days. */
  | { readonly kind: 'days'; readonly compare: Comparison }
  | NumberMeasure
  | { readonly kind: 'distinct'; readonly prop: string; readonly compare: Comparison }
  /** The first or last match of all lies in the window. */
  | { readonly kind: 'first' | 'last'; readonly within: Within }
  /** Of the latest match that has it. */
  | { readonly kind: 'lastValue'; readonly prop: string; readonly test: ValueTest }
  | { readonly kind: 'mostFrequent'; readonly prop: string; readonly value: Scalar };

/** Of the numbers that matches have as this property. */
export interface NumberMeasure {
  readonly kind: 'sum' | 'avg' | 'min' | 'max';
  readonly prop: string;
  readonly compare: Comparison;
}

/** Users with different events, one a step, in time order. */
export interface SequenceCriterion {
  readonly kind: 'sequence';
  readonly steps: readonly SequenceStep[];
  /** How long after the first event the last one may be, at most. */
  readonly windowMs: number | undefined;
  /** Of the first event. Undefined: everything retained. */
  readonly within: Within | undefined;
}

export interface SequenceStep {
  readonly filter: EventFilter;
  /** How long after the step before, at most. Of no meaning for the first. */
  readonly withinMs: number | undefined;
}

export interface ProfileCriterion {
  readonly kind: 'profile';
  readonly trait: string;
  readonly test: ValueTest;
}

/** Users whose hash of `id:salt`, in [0, 10,000), is under `buckets`. */
export interface SampleCriterion {
  readonly kind: 'sample';
  readonly buckets: number;
  readonly salt: string;
}

/** An operator with its operand, for one property or trait. */
export type ValueTest =
  | { readonly op: 'exists' | 'notExists' }
  | { readonly op: 'eq' | 'neq' | 'contains' | 'notContains' | Order; readonly value: Scalar }
  | { readonly op: 'in' | 'notIn'; readonly values: readonly Scalar[] }
  | { readonly op: 'between'; readonly low: Scalar; readonly high: Scalar }
  | { readonly op: 'startsWith' | 'endsWith'; readonly value: string }
  | { readonly op: 'before' | 'after'; readonly time: TimePoint }
  | { readonly op: 'withinLast' | 'withinNext'; readonly durationMs: number }
  | AnniversaryTest
  /** RE2, unanchored; checked by pattern.ts. */
  | { readonly op: 'matches'; readonly pattern: string }
  | NearTest;

/** The day's midnight, in the year that serves, is today's, or in (at - duration, at], or in (at, at + duration]. */
export type AnniversaryTest =
  | { readonly op: 'anniversary'; readonly span: 'today' }
  | { readonly op: 'anniversary'; readonly span: 'last' | 'next'; readonly durationMs: number };

/** Of the two properties or traits `NAME.lat` and `NAME.lon`, degrees. */
export interface NearTest {
  readonly op: 'near';
  readonly lat: number;
  readonly lon: number;
  readonly km: number;
}

export type Order = 'gt' | 'gte' | 'lt' | 'lte';

export type Within =
  | { readonly kind: 'last'; readonly durationMs: number }
  | { readonly kind: 'range'; readonly from: TimePoint | undefined; readonly to: TimePoint | undefined }
  /** A calendar day, `YYYY-MM-DD`, in the account's time zone. */
  | { readonly kind: 'on'; readonly date: string };

/** Absolute text still needs the account's time zone; relative is so long before the query's `at`. */
export type TimePoint =
  | { readonly kind: 'absolute'; readonly text: string }
  | { readonly kind: 'relative'; readonly agoMs: number };

/** CMP of the language: what a measured number is held against. */
export type Comparison =
  | { readonly op: 'eq' | 'neq' | Order; readonly value: number }
  | { readonly op: 'between'; readonly low: number; readonly high: number };

/** Whether the measured number satisfies the comparison; `between` includes both ends. */
export function compare(comparison: Comparison, n: number): boolean {
  switch (comparison.op) {
    case 'eq':
      return n === comparison.value;
    case 'neq':
      return n !== comparison.value;
    case 'gt':
      return n > comparison.value;
    case 'gte':
      return n >= comparison.value;
    case 'lt':
      return n < comparison.value;
    case 'lte':
      return n <= comparison.value;
    case 'between':
      return n >= comparison.low && n <= comparison.high;
    default:
      return unreachable(comparison);
  }
}

/** The comparison as a span: it holds of what is in [low, high], or, unless `isWithin`, of what is not, but never of NaN. */
export function boundsOf(comparison: Comparison): {
  readonly low: number;
  readonly high: number;
  readonly isWithin: boolean;
} {
  switch (comparison.op) {
    case 'eq':
    case 'neq':
      return { low: comparison.value, high: comparison.value, isWithin: comparison.op === 'eq' };
    case 'gte':
    case 'lt':
      return { low: comparison.value, high: Number.POSITIVE_INFINITY, isWithin: comparison.op === 'gte' };
    case 'lte':
    case 'gt':
      return { low: Number.NEGATIVE_INFINITY, high: comparison.value, isWithin: comparison.op === 'lte' };
    case 'between':
      return { low: comparison.low, high: comparison.high, isWithin: true };
    default:
      return unreachable(comparison);
  }
}

/** The whole numbers of 0 to 2^32 - 1 that satisfy the comparison; none when from > to. Of `neq`, those that do not. */
export function countsThatSatisfy(comparison: Comparison): { readonly from: number; readonly to: number } {
  const within = (from: number, to: number) => ({
    from: Math.max(0, Math.ceil(from)),
    to: Math.min(0xffffffff, Math.floor(to)),
  });
  switch (comparison.op) {
    case 'eq':
    case 'neq':
      return within(comparison.value, comparison.value);
    case 'gt':
      return within(Math.floor(comparison.value) + 1, Infinity);
    case 'gte':
      return within(comparison.value, Infinity);
    case 'lt':
      return within(0, Math.ceil(comparison.value) - 1);
    case 'lte':
      return within(0, comparison.value);
    case 'between':
      return within(comparison.low, comparison.high);
    default:
      return unreachable(comparison);
  }
}

/** The names of the saved segments it mentions itself, each with the path of its first mention. */
export function referencedSegments(criterion: Criterion): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  const visit = (c: Criterion): void => {
    if (c.kind === 'segment' && !paths.has(c.name)) paths.set(c.name, c.path);
    else if (c.kind === 'not') visit(c.criterion);
    else if (c.kind === 'and' || c.kind === 'or') c.criteria.forEach(visit);
  };
  visit(criterion);
  return paths;
}
