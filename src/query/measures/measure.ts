import { unreachable } from '../../base/assert.ts';
import { type CalendarDays, calendarDaysOf } from '../calendarDays.ts';
import {
  type Comparison,
  compare,
  countsThatSatisfy,
  type Measure,
  type NumberMeasure,
  type SequenceCriterion,
} from '../criterion.ts';
import { type CompiledPropertyTest, compilePropertyTest } from '../filter.ts';
import { type Moment, windowSpan } from '../predicate.ts';
import type { ValueIds } from '../valueIds.ts';
import type { EventColumns } from './columns.ts';
import { countDays } from './days.ts';
import { AnswersById, lastWithBoth, lastWithValue } from './lastValue.ts';
import { countNumbers, greatestNumber, leastNumber, sumNumbers } from './numbers.ts';
import { type CompiledSequence, SequenceSearch } from './sequence.ts';
import { ValueCounts } from './valueCounts.ts';

/** Measures that need more of the events than how many there are. */
export type MeasureOfValues = Exclude<Measure, { readonly kind: 'count' | 'first' | 'last' }>;

/** A measure, or a sequence, made ready for one moment. All but a sequence are of one kind of events. */
export type WalkMeasure =
  | { readonly kind: 'days'; readonly compare: Comparison; readonly days: CalendarDays }
  | Extract<Measure, { readonly kind: 'sum' | 'avg' | 'min' | 'max' | 'distinct' | 'mostFrequent' }>
  | { readonly kind: 'lastValue'; readonly test: CompiledPropertyTest }
  | { readonly kind: 'sequence'; readonly sequence: CompiledSequence };

export function compileMeasure(measure: MeasureOfValues, moment: Moment): WalkMeasure {
  switch (measure.kind) {
    case 'days':
      return { ...measure, days: calendarDaysOf(moment.zone) };
    case 'lastValue':
      return { kind: 'lastValue', test: compilePropertyTest(measure.prop, measure.test, moment) };
    default:
      return measure;
  }
}

/** `stepKinds`: of each step, the bits of the kinds of events that it may be. */
export function compileSequence(
  { steps, windowMs = Number.POSITIVE_INFINITY, within }: SequenceCriterion,
  stepKinds: readonly number[],
  moment: Moment,
): WalkMeasure {
  const withinMs = steps.map((step) => step.withinMs ?? Number.POSITIVE_INFINITY);
  return {
    kind: 'sequence',
    sequence: { stepKinds, withinMs, windowMs, ...windowSpan(within, moment) },
  };
}

/** The properties that the measure reads: as numbers, or as values. */
export function propsOf(measure: WalkMeasure): {
  readonly numbers: readonly string[];
  readonly values: readonly string[];
} {
  switch (measure.kind) {
    case 'sum':
    case 'avg':
    case 'min':
    case 'max':
      return { numbers: [measure.prop], values: [] };
    case 'distinct':
    case 'mostFrequent':
      return { numbers: [], values: [measure.prop] };
    case 'lastValue': {
      const { test } = measure;
      return { numbers: [], values: test.kind === 'near' ? [test.lat, test.lon] : [test.prop] };
    }
    case 'days':
    case 'sequence':
      return { numbers: [], values: [] };
    default:
      return unreachable(measure);
  }
}

/** Whether the measure holds of a user without any such event. */
export function holdsOfNothing(measure: WalkMeasure): boolean {
  switch (measure.kind) {
    case 'days':
    case 'sum':
    case 'distinct':
      return compare(measure.compare, 0);
    default:
      return false;
  }
}

/** Whether the measure holds of the user whose events are [from, to). */
export type Holds = (from: number, to: number) => boolean;

/** Asks about the events of some columns. */
export type Question = (columns: EventColumns) => Holds;

/**
 * A measure ready to be asked in one walk. `kinds`: which kind of the columns each of the measure's own is; `values`:
 * those of the columns.
 */
export function questionOf(measure: WalkMeasure, kinds: readonly number[], values: ValueIds): Question {
  const bit = 1 << kinds[0]!;
  switch (measure.kind) {
    case 'days':
      return ({ timesMs, kinds: of }) => {
        return (from, to) => compare(measure.compare, countDays(timesMs, of, bit, from, to, measure.days));
      };
    case 'sum':
    case 'avg':
    case 'min':
    case 'max':
      return (columns) => {
        const numbers = columns.numbers(measure.prop);
        const { kinds: of } = columns;
        return (from, to) => numberHolds(measure, numbers, of, bit, from, to);
      };
    case 'distinct': {
      const counts = new ValueCounts(values);
      return (columns) => {
        const ids = columns.valueIds(measure.prop);
        const { kinds: of } = columns;
        const least = values.hasArrays ? 0 : leastEvents(measure.compare);
        return (from, to) =>
          to - from >= least && compare(measure.compare, counts.countDistinct(ids, of, bit, from, to));
      };
    }
    case 'mostFrequent': {
      const counts = new ValueCounts(values);
      const wanted = values.idOf(measure.value);
      return (columns) => {
        const ids = columns.valueIds(measure.prop);
        const { kinds: of } = columns;
        return (from, to) => counts.mostFrequent(ids, of, bit, from, to) === wanted;
      };
    }
    case 'lastValue':
      return questionOfLastValue(measure.test, bit, values);
    case 'sequence': {
      const stepKinds = measure.sequence.stepKinds.map((own) => columnBits(own, kinds));
      const search = new SequenceSearch({ ...measure.sequence, stepKinds });
      return ({ timesMs, kinds: of }) =>
        (from, to) =>
          search.holds(timesMs, of, from, to);
    }
    default:
      return unreachable(measure);
  }
}

/** With fewer the comparison does not hold of how many different values they have, one each. */
export function leastEvents(comparison: Comparison): number {
  return comparison.op === 'neq' ? 0 : countsThatSatisfy(comparison).from;
}

/** Of a measure's own kinds, whose bits are `own`, the bits that they have in columns. */
export function columnBits(own: number, kinds: readonly number[]): number {
  return kinds.reduce((bits, kind, i) => (own & (1 << i) ? bits | (1 << kind) : bits), 0);
}

function numberHolds(
  { kind, compare: comparison }: NumberMeasure,
  numbers: Float64Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): boolean {
  if (kind === 'sum') return compare(comparison, sumNumbers(numbers, kinds, bit, from, to));
  const count = countNumbers(numbers, kinds, bit, from, to);
  if (count === 0) return false;
  switch (kind) {
    case 'avg':
      return compare(comparison, sumNumbers(numbers, kinds, bit, from, to) / count);
    case 'min':
      return compare(comparison, leastNumber(numbers, kinds, bit, from, to));
    case 'max':
      return compare(comparison, greatestNumber(numbers, kinds, bit, from, to));
    default:
      return unreachable(kind);
  }
}

/** Of `near`, the latest match that has both coordinates. */
function questionOfLastValue(test: CompiledPropertyTest, bit: number, values: ValueIds): Question {
  if (test.kind === 'value') {
    const answers = new AnswersById(test.predicate, values);
    return (columns) => {
      const ids = columns.valueIds(test.prop);
      const { kinds } = columns;
      return (from, to) => {
        const at = lastWithValue(ids, kinds, bit, from, to);
        return at !== -1 && answers.test(ids[at]!);
      };
    };
  }
  return (columns) => {
    const lats = columns.valueIds(test.lat);
    const lons = columns.valueIds(test.lon);
    const { kinds } = columns;
    return (from, to) => {
      const at = lastWithBoth(lats, lons, kinds, bit, from, to);
      return at !== -1 && test.circle.contains(values.valueOf(lats[at]!), values.valueOf(lons[at]!));
    };
  };
}
