import { Bitset } from '../../base/bitset.ts';
import type { SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { addChanges } from '../../encoding/kernels/intervals.ts';
import type { IntervalTable } from '../../encoding/kernels/kernels.ts';
import type { CalendarDays } from '../calendarDays.ts';
import { boundsOf, type Comparison, type NumberMeasure } from '../criterion.ts';
import { findIntervals } from '../intervals.ts';
import type { Span } from '../predicate.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';
import type { EventColumns } from './columns.ts';
import { AnswersById } from './lastValue.ts';
import { columnBits, type WalkMeasure } from './measure.ts';
import { SequenceSearch } from './sequence.ts';

/** Some users, by ordinal: user i has the events [starts[i], starts[i + 1]) of the columns. */
export interface UsersOfEvents {
  readonly userCount: number;
  readonly ordinals: Uint32Array;
  readonly starts: Uint32Array;
  /** The ordinal of each event's user, where that is known as soon. */
  readonly ordinalsOfEvents?: Uint32Array | undefined;
}

/**
 * A measure that can go on with a user later: what matters of the events so far is a few numbers. It is shown users again
 * and again, each time with events that are later than all before.
 */
export interface CarriedMeasure {
  /** The arrays that it took, to be given back once nothing is asked any more. */
  readonly arrays: readonly (Float64Array | Uint32Array)[];
  add(users: UsersOfEvents, columns: EventColumns): void;
  /** After all events: writes those words [from, to) of the bits of users of whom the measure holds. */
  findHolding(from: number, to: number, words: Uint32Array): void;
}

/** How many numbers of 8 bytes are kept of every user; undefined of a measure that needs all events at once. */
export function carriedNumbers(measure: WalkMeasure): number | undefined {
  switch (measure.kind) {
    case 'sum':
    case 'min':
    case 'max':
      return 1;
    case 'avg':
    case 'days':
      return 2;
    case 'lastValue':
      return measure.test.kind === 'value' ? 1 : undefined;
    case 'sequence':
      return SequenceSearch.stateLength(measure.sequence.stepKinds.length);
    default:
      return undefined;
  }
}

/** Of a measure that can be carried; `kinds` and `values` as for questionOf. `span`: all events are in it. */
export function carriedMeasure(
  measure: WalkMeasure,
  kinds: readonly number[],
  values: ValueIds,
  userCount: number,
  arrays: SpareArrays,
  span: Span,
): CarriedMeasure {
  const bit = 1 << kinds[0]!;
  switch (measure.kind) {
    case 'sum':
    case 'avg':
      return new CarriedSum(measure, bit, userCount, arrays);
    case 'min':
    case 'max':
      return new CarriedExtreme(measure, bit, userCount, arrays);
    case 'days':
      return new CarriedDays(measure, bit, userCount, arrays, span);
    case 'lastValue':
      if (measure.test.kind === 'value') {
        const { prop, predicate } = measure.test;
        return new CarriedLast(prop, new AnswersById(predicate, values), bit, userCount, arrays);
      }
      break;
    case 'sequence': {
      const stepKinds = measure.sequence.stepKinds.map((own) => columnBits(own, kinds));
      const search = new SequenceSearch({ ...measure.sequence, stepKinds });
      return new CarriedSequence(search, SequenceSearch.stateLength(stepKinds.length), userCount, arrays);
    }
  }
  throw new TypeError(`${measure.kind} needs all events of a user at once`);
}

class CarriedSum implements CarriedMeasure {
  readonly #measure: NumberMeasure;
  readonly #bit: number;
  readonly #sums: Float64Array;
  /** Of an average how many numbers, else nothing. */
  readonly #counts: Float64Array;

  constructor(measure: NumberMeasure, bit: number, userCount: number, arrays: SpareArrays) {
    this.#measure = measure;
    this.#bit = bit;
    this.#sums = arrays.numbers(userCount).fill(0);
    this.#counts = arrays.numbers(measure.kind === 'avg' ? userCount : 0).fill(0);
  }

  get arrays(): readonly Float64Array[] {
    return [this.#sums, this.#counts];
  }

  add(users: UsersOfEvents, columns: EventColumns): void {
    const numbers = columns.numbers(this.#measure.prop);
    const { ordinalsOfEvents } = users;
    if (ordinalsOfEvents === undefined) addSums(users, columns.kinds, this.#bit, numbers, this.#sums);
    else {
      const events = { ordinals: ordinalsOfEvents, kinds: columns.kinds, numbers };
      kernels().addNumbers(events, this.#bit, this.#sums);
    }
    if (this.#counts.length > 0) addCounts(users, columns.kinds, this.#bit, numbers, this.#counts);
  }

  findHolding(from: number, to: number, words: Uint32Array): void {
    // An average of none is NaN, which no comparison holds of.
    if (this.#counts.length > 0) divide(this.#sums, this.#counts, from, to);
    compareEach(this.#sums, this.#measure.compare, from, to, words);
  }
}

class CarriedExtreme implements CarriedMeasure {
  readonly #measure: NumberMeasure;
  readonly #bit: number;
  /** 1 or -1: the least numbers are the greatest of their opposites. */
  readonly #sign: number;
  /** NaN for none. */
  readonly #extremes: Float64Array;

  constructor(measure: NumberMeasure, bit: number, userCount: number, arrays: SpareArrays) {
    this.#measure = measure;
    this.#bit = bit;
    this.#sign = measure.kind === 'max' ? 1 : -1;
    this.#extremes = arrays.numbers(userCount).fill(Number.NaN);
  }

  get arrays(): readonly Float64Array[] {
    return [this.#extremes];
  }

  add(users: UsersOfEvents, columns: EventColumns): void {
    const numbers = columns.numbers(this.#measure.prop);
    keepExtremes(users, columns.kinds, this.#bit, numbers, this.#sign, this.#extremes);
  }

  findHolding(from: number, to: number, words: Uint32Array): void {
    compareEach(this.#extremes, this.#measure.compare, from, to, words);
  }
}

class CarriedDays implements CarriedMeasure {
  readonly #compare: Comparison;
  readonly #days: CalendarDays;
  readonly #bit: number;
  /** The days of the span; undefined where they are too many. */
  readonly #intervals: IntervalTable | undefined;
  readonly #counts: Float64Array;
  /** The day counted last. */
  readonly #latest: Float64Array;

  constructor(
    { compare, days }: { readonly compare: Comparison; readonly days: CalendarDays },
    bit: number,
    userCount: number,
    arrays: SpareArrays,
    span: Span,
  ) {
    this.#compare = compare;
    this.#days = days;
    this.#bit = bit;
    this.#intervals = findIntervals({ interval: 'day', zone: days.zone, ...span })?.table(arrays);
    this.#counts = arrays.numbers(userCount).fill(0);
    this.#latest = arrays.numbers(userCount).fill(Number.NEGATIVE_INFINITY);
  }

  get arrays(): readonly (Float64Array | Uint32Array)[] {
    const { startsMs, ofPiece } = this.#intervals ?? {};
    return [this.#counts, this.#latest, startsMs, ofPiece].filter((numbers) => numbers !== undefined);
  }

  add(users: UsersOfEvents, { timesMs, kinds }: EventColumns): void {
    const { userCount, ordinals, starts } = users;
    const events = { userCount, ordinals, starts, timesMs, kinds };
    if (this.#intervals === undefined) {
      addChanges(events, this.#bit, (timeMs) => this.#days.of(timeMs), this.#counts, this.#latest);
    } else kernels().addIntervals(events, this.#bit, this.#intervals, this.#counts, this.#latest);
  }

  findHolding(from: number, to: number, words: Uint32Array): void {
    compareEach(this.#counts, this.#compare, from, to, words);
  }
}

class CarriedLast implements CarriedMeasure {
  readonly #prop: string;
  readonly #answers: AnswersById;
  readonly #bit: number;
  readonly #ids: Float64Array;

  constructor(prop: string, answers: AnswersById, bit: number, userCount: number, arrays: SpareArrays) {
    this.#prop = prop;
    this.#answers = answers;
    this.#bit = bit;
    this.#ids = arrays.numbers(userCount).fill(NO_VALUE);
  }

  get arrays(): readonly Float64Array[] {
    return [this.#ids];
  }

  add(users: UsersOfEvents, columns: EventColumns): void {
    keepLast(users, columns.kinds, this.#bit, columns.valueIds(this.#prop), this.#ids);
  }

  findHolding(from: number, to: number, words: Uint32Array): void {
    for (let w = from; w < to; w++) {
      let word = 0;
      for (let ordinal = w << 5; ordinal < Math.min((w + 1) << 5, this.#ids.length); ordinal++) {
        const id = this.#ids[ordinal]!;
        if (id !== NO_VALUE && this.#answers.test(id)) word |= 1 << (ordinal & 31);
      }
      words[w] = word;
    }
  }
}

class CarriedSequence implements CarriedMeasure {
  readonly #search: SequenceSearch;
  readonly #stateLength: number;
  /** Of those who were seen and have no chain yet. */
  readonly #states: Float64Array;
  readonly #seen: Bitset;
  readonly #found: Bitset;

  constructor(search: SequenceSearch, stateLength: number, userCount: number, arrays: SpareArrays) {
    this.#search = search;
    this.#stateLength = stateLength;
    this.#states = arrays.numbers(userCount * stateLength);
    this.#seen = new Bitset(userCount);
    this.#found = new Bitset(userCount);
  }

  get arrays(): readonly Float64Array[] {
    return [this.#states];
  }

  add({ userCount, ordinals, starts }: UsersOfEvents, { timesMs, kinds }: EventColumns): void {
    const [search, stateLength, states] = [this.#search, this.#stateLength, this.#states];
    for (let user = 0; user < userCount; user++) {
      const ordinal = ordinals[user]!;
      if (this.#found.has(ordinal)) continue;
      const at = ordinal * stateLength;
      if (!this.#seen.has(ordinal)) {
        this.#seen.add(ordinal);
        for (let i = 0; i < stateLength; i++) states[at + i] = Number.NaN;
      }
      if (search.goOn(timesMs, kinds, starts[user]!, starts[user + 1]!, states, at)) this.#found.add(ordinal);
    }
  }

  findHolding(from: number, to: number, words: Uint32Array): void {
    words.set(this.#found.words.subarray(from, to), from);
  }
}

/** sums[i] /= counts[i], for ordinals of words [from, to). */
function divide(sums: Float64Array, counts: Float64Array, from: number, to: number): void {
  for (let ordinal = from << 5; ordinal < Math.min(to << 5, sums.length); ordinal++) {
    sums[ordinal]! /= counts[ordinal]!;
  }
}

/** Bit i of `words` = whether the comparison holds of values[i], for words [from, to). It does not of NaN. */
function compareEach(
  values: Float64Array,
  comparison: Comparison,
  from: number,
  to: number,
  words: Uint32Array,
): void {
  const { low, high, isWithin } = boundsOf(comparison);
  kernels().selectNumbers(values.subarray(from << 5, to << 5), low, high, isWithin, words.subarray(from, to));
}

function addSums(
  { userCount, ordinals, starts }: UsersOfEvents,
  kinds: Uint32Array,
  bit: number,
  numbers: Float64Array,
  sums: Float64Array,
): void {
  for (let user = 0; user < userCount; user++) {
    let sum = sums[ordinals[user]!]!;
    for (let i = starts[user]!; i < starts[user + 1]!; i++) {
      if ((kinds[i]! & bit) !== 0 && !Number.isNaN(numbers[i]!)) sum += numbers[i]!;
    }
    sums[ordinals[user]!] = sum;
  }
}

function addCounts(
  { userCount, ordinals, starts }: UsersOfEvents,
  kinds: Uint32Array,
  bit: number,
  numbers: Float64Array,
  counts: Float64Array,
): void {
  for (let user = 0; user < userCount; user++) {
    let count = 0;
    for (let i = starts[user]!; i < starts[user + 1]!; i++) {
      count += (kinds[i]! & bit) === 0 || Number.isNaN(numbers[i]!) ? 0 : 1;
    }
    counts[ordinals[user]!]! += count;
  }
}

function keepExtremes(
  { userCount, ordinals, starts }: UsersOfEvents,
  kinds: Uint32Array,
  bit: number,
  numbers: Float64Array,
  sign: number,
  extremes: Float64Array,
): void {
  for (let user = 0; user < userCount; user++) {
    let extreme = extremes[ordinals[user]!]!;
    for (let i = starts[user]!; i < starts[user + 1]!; i++) {
      const number = numbers[i]!;
      if ((kinds[i]! & bit) === 0 || Number.isNaN(number)) continue;
      if (Number.isNaN(extreme) || sign * number > sign * extreme) extreme = number;
    }
    extremes[ordinals[user]!] = extreme;
  }
}

function keepLast(
  { userCount, ordinals, starts }: UsersOfEvents,
  kinds: Uint32Array,
  bit: number,
  ids: Uint32Array,
  target: Float64Array,
): void {
  for (let user = 0; user < userCount; user++) {
    for (let i = starts[user + 1]! - 1; i >= starts[user]!; i--) {
      if ((kinds[i]! & bit) === 0 || ids[i] === NO_VALUE) continue;
      target[ordinals[user]!] = ids[i]!;
      break;
    }
  }
}
