import { kernels } from '../../encoding/kernels/chosen.ts';
import { isMoment, momentIn, NAN_WORD, upperOfMoment } from './nans.ts';
import { moveValues } from './places.ts';
import {
  type CellTests,
  selectDoubles,
  selectEach,
  selectIntegers,
  selectMoments,
  selectRefs,
} from './selectCells.ts';
import { HEAP_REFS_FROM, MOMENT_CELL, NUMBER_CELL } from './traitRefs.ts';

/**
 * The cells of a page, one a place: a reference (traitRefs.ts) or, in the forms for numbers, a number or a moment
 * (moments.ts) itself. The owner
 * picks the narrowest form that holds all of a page's cells. New places hold NO_REF, except for those that `grown` adds,
 * which mean nothing.
 */
export interface Lanes {
  readonly byteLength: number;
  /** Places there are. */
  readonly capacity: number;
  /** The reference, NUMBER_CELL or MOMENT_CELL. */
  refAt(i: number): number;
  /** Where `refAt` is NUMBER_CELL. */
  numberAt(i: number): number;
  /** Where `refAt` is MOMENT_CELL. */
  momentAt(i: number): number;
  /** False, and nothing is changed, when the form does not hold it. */
  setRef(i: number, ref: number): boolean;
  setNumber(i: number, number: number): boolean;
  /** Whole, and 0 <= timeMs < MOMENTS_END_MS. */
  setMoment(i: number, timeMs: number): boolean;
  /** Moves [at, count) up by one. */
  insert(at: number, count: number): void;
  /** Moves [at + 1, count) down by one. */
  remove(at: number, count: number): void;
  /** A copy with a larger capacity. */
  grown(capacity: number): Lanes;
  /** Others of the same form, where place targets[i] has what places[i] has here. */
  moved(places: Uint16Array, targets: Uint16Array, capacity: number): Lanes;
  /** Adds the references below HEAP_REFS_FROM to `uses`, which counts them. */
  countRefs(uses: Uint32Array): void;
  /** The answer about place i goes to bit i - from of `words`, of which ⌈(to - from) / 32⌉ are written whole. */
  select(tests: CellTests, from: number, to: number, words: Uint32Array): void;
}

/** From the narrowest on; one may not hold what an earlier one does, but the last one holds everything. */
export const LANE_FORMS: readonly ((capacity: number) => Lanes)[] = [
  (capacity) => new RefLanes(new Uint8Array(capacity)),
  (capacity) => new RefLanes(new Uint16Array(capacity)),
  (capacity) => new RefLanes(new Uint32Array(capacity)),
  (capacity) => new IntegerLanes(new Uint32Array(capacity), 1),
  (capacity) => new IntegerLanes(new Uint32Array(capacity), 100),
  (capacity) => new DoubleLanes(new Float64Array(capacity).fill(Number.NaN)),
];

type LaneArray = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** What is the same in all forms. */
class TypedLanes<T extends LaneArray> {
  protected readonly values: T;

  constructor(values: T) {
    this.values = values;
  }

  get byteLength(): number {
    return this.values.byteLength;
  }

  get capacity(): number {
    return this.values.length;
  }

  momentAt(_i: number): number {
    return Number.NaN;
  }

  setMoment(_i: number, _timeMs: number): boolean {
    return false;
  }

  insert(at: number, count: number): void {
    this.values.copyWithin(at + 1, at, count);
  }

  remove(at: number, count: number): void {
    this.values.copyWithin(at, at + 1, count);
  }

  protected valuesGrown(capacity: number): T {
    const values = this.newValues(capacity);
    values.set(this.values);
    return values;
  }

  protected newValues(capacity: number): T {
    const ArrayOf = this.values.constructor as new (length: number) => T;
    return new ArrayOf(capacity);
  }
}

class RefLanes extends TypedLanes<Uint8Array | Uint16Array | Uint32Array> implements Lanes {
  refAt(i: number): number {
    return this.values[i]!;
  }

  numberAt(): number {
    return Number.NaN;
  }

  setRef(i: number, ref: number): boolean {
    if (ref >= 2 ** (8 * this.values.BYTES_PER_ELEMENT)) return false;
    this.values[i] = ref;
    return true;
  }

  setNumber(): boolean {
    return false;
  }

  grown(capacity: number): Lanes {
    return new RefLanes(this.valuesGrown(capacity));
  }

  moved(places: Uint16Array, targets: Uint16Array, capacity: number): Lanes {
    const values = this.newValues(capacity);
    moveValues(this.values, places, values, targets);
    return new RefLanes(values);
  }

  countRefs(uses: Uint32Array): void {
    const { values } = this;
    for (let i = 0; i < values.length; i++) if (values[i]! < HEAP_REFS_FROM) uses[values[i]!]!++;
  }

  select(tests: CellTests, from: number, to: number, words: Uint32Array): void {
    const { values } = this;
    if (values instanceof Uint32Array) {
      selectRefs(values.subarray(from, to), tests, words);
      return;
    }
    const lanes = values.subarray(from, to);
    const bytes = new Uint8Array(lanes.buffer, lanes.byteOffset, lanes.byteLength);
    kernels().selectSet(bytes, 8 * lanes.BYTES_PER_ELEMENT, tests.answers, lanes.length, words);
  }
}

/** Lanes below it are references, of shared values only; the others are numbers, ZERO being 0. */
const INTEGERS_FROM = HEAP_REFS_FROM;
const ZERO = 2 ** 31;
const INTEGERS_END = 2 ** 32;

/** Whole numbers or, with a scale of 100, numbers of two decimals, as prices are. */
class IntegerLanes extends TypedLanes<Uint32Array> implements Lanes {
  readonly #scale: number;

  constructor(values: Uint32Array, scale: number) {
    super(values);
    this.#scale = scale;
  }

  refAt(i: number): number {
    const lane = this.values[i]!;
    return lane < INTEGERS_FROM ? lane : NUMBER_CELL;
  }

  numberAt(i: number): number {
    return (this.values[i]! - ZERO) / this.#scale;
  }

  setRef(i: number, ref: number): boolean {
    if (ref >= INTEGERS_FROM) return false;
    this.values[i] = ref;
    return true;
  }

  setNumber(i: number, number: number): boolean {
    const lane = Math.round(number * this.#scale) + ZERO;
    if (lane < INTEGERS_FROM || lane >= INTEGERS_END) return false;
    if (!Object.is((lane - ZERO) / this.#scale, number)) return false;
    this.values[i] = lane;
    return true;
  }

  grown(capacity: number): Lanes {
    return new IntegerLanes(this.valuesGrown(capacity), this.#scale);
  }

  moved(places: Uint16Array, targets: Uint16Array, capacity: number): Lanes {
    const values = this.newValues(capacity);
    moveValues(this.values, places, values, targets);
    return new IntegerLanes(values, this.#scale);
  }

  countRefs(uses: Uint32Array): void {
    const { values } = this;
    for (let i = 0; i < values.length; i++) if (values[i]! < INTEGERS_FROM) uses[values[i]!]!++;
  }

  select(tests: CellTests, from: number, to: number, words: Uint32Array): void {
    if (tests.range === undefined) {
      selectEach(this, tests, from, to, words);
      return;
    }
    const first = Math.max(INTEGERS_FROM, this.#laneFrom(tests.range.from));
    const last = Math.min(INTEGERS_END, this.#laneFrom(tests.range.to)) - 1;
    selectIntegers(this.values.subarray(from, to), first, last, tests.answers, words);
  }

  /** The smallest lane whose number is not below this one; any past the end for a number that is. */
  #laneFrom(number: number): number {
    let lane = Math.ceil(number * this.#scale);
    if (Math.abs(lane) > ZERO) return lane + ZERO;
    while ((lane - 1) / this.#scale >= number) lane--;
    while (lane / this.#scale < number) lane++;
    return lane + ZERO;
  }
}

class DoubleLanes extends TypedLanes<Float64Array> implements Lanes {
  readonly #words: Uint32Array;
  #hasHeapRefs = false;
  #hasMoments = false;

  constructor(values: Float64Array) {
    super(values);
    this.#words = new Uint32Array(values.buffer);
  }

  refAt(i: number): number {
    const upper = this.#words[2 * i + 1]!;
    if (upper === NAN_WORD) return this.#words[2 * i]!;
    return isMoment(upper) ? MOMENT_CELL : NUMBER_CELL;
  }

  numberAt(i: number): number {
    return this.values[i]!;
  }

  override momentAt(i: number): number {
    return momentIn(this.#words[2 * i + 1]!, this.#words[2 * i]!);
  }

  override setMoment(i: number, timeMs: number): boolean {
    this.#hasMoments = true;
    this.#words[2 * i] = timeMs % 2 ** 32;
    this.#words[2 * i + 1] = upperOfMoment(timeMs);
    return true;
  }

  setRef(i: number, ref: number): boolean {
    if (ref >= HEAP_REFS_FROM) this.#hasHeapRefs = true;
    this.#words[2 * i] = ref;
    this.#words[2 * i + 1] = NAN_WORD;
    return true;
  }

  setNumber(i: number, number: number): boolean {
    this.values[i] = number;
    return true;
  }

  grown(capacity: number): Lanes {
    const lanes = new DoubleLanes(this.valuesGrown(capacity));
    lanes.#hasHeapRefs = this.#hasHeapRefs;
    lanes.#hasMoments = this.#hasMoments;
    return lanes;
  }

  /** As words: a NaN that is read as a number need not stay the one it was. */
  moved(places: Uint16Array, targets: Uint16Array, capacity: number): Lanes {
    const lanes = new DoubleLanes(this.newValues(capacity).fill(Number.NaN));
    for (let i = 0; i < places.length; i++) {
      lanes.#words[2 * targets[i]!] = this.#words[2 * places[i]!]!;
      lanes.#words[2 * targets[i]! + 1] = this.#words[2 * places[i]! + 1]!;
    }
    lanes.#hasHeapRefs = this.#hasHeapRefs;
    lanes.#hasMoments = this.#hasMoments;
    return lanes;
  }

  countRefs(uses: Uint32Array): void {
    const words = this.#words;
    for (let i = 0; i < words.length; i += 2) {
      if (words[i + 1] === NAN_WORD && words[i]! < HEAP_REFS_FROM) uses[words[i]!]!++;
    }
  }

  select(tests: CellTests, from: number, to: number, words: Uint32Array): void {
    const { range, answers, span } = tests;
    const values = this.values.subarray(from, to);
    const halves = this.#words.subarray(2 * from, 2 * to);
    if (this.#hasHeapRefs) selectEach(this, tests, from, to, words);
    else if (this.#hasMoments && span !== undefined) selectMoments(values, halves, span, tests, words);
    else if (this.#hasMoments || range === undefined) selectEach(this, tests, from, to, words);
    else selectDoubles(values, halves, range, answers, words);
  }
}
