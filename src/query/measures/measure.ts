import { unreachable } from '../../base/assert.ts';
import { CalendarDays } from '../calendarDays.ts';
import { type Comparison, compare, type Measure, type SequenceCriterion } from '../criterion.ts';
import { type CompiledPropertyTest, compilePropertyTest } from '../filter.ts';
import { type Moment, type Span, windowSpan } from '../predicate.ts';
import type { EventColumns } from './columns.ts';
import { countDays } from './days.ts';
import { countDistinct, mostFrequent } from './frequency.ts';
import { lastWithValue } from './lastValue.ts';
import { countNumbers, greatestNumber, leastNumber, sumNumbers } from './numbers.ts';
import { firstMatch, lastMatch } from './places.ts';
import { type CompiledSequence, SequenceSearch } from './sequence.ts';

/** Measures that need more of the events than their number. */
export type MeasureOfValues = Exclude<Measure, { readonly kind: 'count' }>;

/** A measure, or a sequence, made ready for one moment. All but a sequence are of one kind of events. */
export type WalkMeasure =
  | { readonly kind: 'days'; readonly compare: Comparison; readonly days: CalendarDays }
  | Extract<Measure, { readonly kind: 'sum' | 'avg' | 'min' | 'max' | 'distinct' | 'mostFrequent' }>
  | { readonly kind: 'first' | 'last'; readonly span: Span }
  | { readonly kind: 'lastValue'; readonly test: CompiledPropertyTest }
  | { readonly kind: 'sequence'; readonly sequence: CompiledSequence };

export function compileMeasure(measure: MeasureOfValues, moment: Moment): WalkMeasure {
  switch (measure.kind) {
    case 'days':
      return { ...measure, days: new CalendarDays(moment.zone) };
    case 'first':
    case 'last':
      return { kind: measure.kind, span: windowSpan(measure.within, moment) };
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

/** Asks a measure about events. `kinds`: which kind of the columns each of the measure's own is. */
export function askMeasure(measure: WalkMeasure, columns: EventColumns, kinds: readonly number[]): Holds {
  const kind = kinds[0]!;
  const bit = 1 << kind;
  const { timesMs, kinds: bits } = columns;
  switch (measure.kind) {
    case 'days':
      return (from, to) => compare(measure.compare, countDays(timesMs, bits, bit, from, to, measure.days));
    case 'sum':
    case 'avg':
    case 'min':
    case 'max': {
      const numbers = columns.numbers(measure.prop, kind);
      return (from, to) => numberHolds(measure.kind, measure.compare, numbers, bits, bit, from, to);
    }
    case 'distinct': {
      const values = columns.values(measure.prop, kind);
      return (from, to) => compare(measure.compare, countDistinct(values, bits, bit, from, to));
    }
    case 'mostFrequent': {
      const values = columns.values(measure.prop, kind);
      return (from, to) => mostFrequent(values, bits, bit, from, to) === measure.value;
    }
    case 'first':
    case 'last': {
      const { fromMs, toMs } = measure.span;
      const place = measure.kind === 'first' ? firstMatch : lastMatch;
      return (from, to) => {
        const at = place(bits, bit, from, to);
        return at !== -1 && timesMs[at]! >= fromMs && timesMs[at]! < toMs;
      };
    }
    case 'lastValue':
      return askLastValue(measure.test, columns, kind);
    case 'sequence': {
      const stepKinds = measure.sequence.stepKinds.map((own) => columnBits(own, kinds));
      const search = new SequenceSearch({ ...measure.sequence, stepKinds });
      return (from, to) => search.holds(timesMs, bits, from, to);
    }
    default:
      return unreachable(measure);
  }
}

function columnBits(own: number, kinds: readonly number[]): number {
  return kinds.reduce((bits, kind, i) => (own & (1 << i) ? bits | (1 << kind) : bits), 0);
}

function numberHolds(
  kind: 'sum' | 'avg' | 'min' | 'max',
  comparison: Comparison,
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
function askLastValue(test: CompiledPropertyTest, columns: EventColumns, kind: number): Holds {
  const { kinds } = columns;
  const bit = 1 << kind;
  if (test.kind === 'value') {
    const values = columns.values(test.prop, kind);
    return (from, to) => {
      const at = lastWithValue(values, kinds, bit, from, to);
      return at !== -1 && test.predicate.test(values[at]!);
    };
  }
  const lats = columns.values(test.lat, kind);
  const lons = columns.values(test.lon, kind);
  const both = lats.map((lat, i) => (lons[i] === undefined ? undefined : lat));
  return (from, to) => {
    const at = lastWithValue(both, kinds, bit, from, to);
    return at !== -1 && test.circle.contains(lats[at], lons[at]);
  };
}
