import { Bitset } from '../../base/bitset.ts';
import { isoTime } from '../../base/time.ts';
import { isArray, type Scalar, type Value } from '../../base/value.ts';
import { CellTable, PAGE_SLOTS } from './cellTable.ts';
import { momentOf } from './moments.ts';
import type { CellTests } from './selectCells.ts';
import type { SharedValues } from './sharedValues.ts';
import { TraitHeap } from './traitHeap.ts';
import { BUFFER_BYTES, stateBytes } from './traitMemory.ts';
import {
  HEAP_REFS_FROM,
  MOMENT_CELL,
  NO_REF,
  NUMBER_CELL,
  SHARED_REFS_FROM,
  STATE_REF,
  UNSET_REF,
} from './traitRefs.ts';
import { NO_STATE, type Timed, type TraitState, traitValue } from './traitState.ts';
import { TIME_MS_END } from './traitTimes.ts';
import type { ValueTests } from './valueTests.ts';

/** The objects of a page without those that count themselves. */
const PAGE_BYTES = 600;
/** Places asked about between two yields; where they may need their text or array, or are states kept whole, fewer. */
const SELECT_STEP = 2048;
const HEAP_STEP = 256;
const STATES_STEP = 64;
/** A page that keeps changing is asked in one step of some ms. */
const SELECT_TRIES = 3;
/** What lies outside the cells, copied between two yields. */
const COPY_STEP = 1024;

/**
 * One trait of PAGE_SLOTS users in a row. A value that was only ever set, or set once, is a cell; what had other
 * operations is a state kept whole, and so is the rare value that no cell holds exactly.
 */
export class TraitPage {
  readonly #cells: CellTable;
  readonly #shared: SharedValues;
  #heap: TraitHeap | undefined;
  /** By slot. */
  readonly #states = new Map<number, TraitState>();
  #stateBytes = 0;
  /** A bit for every slot whose cell was set once; undefined before there is one. */
  #onces: Bitset | undefined;
  /** Goes up with every change. */
  #version = 0;

  constructor(shared: SharedValues, cells = new CellTable()) {
    this.#shared = shared;
    this.#cells = cells;
  }

  get isEmpty(): boolean {
    return this.#cells.count === 0;
  }

  get memoryBytes(): number {
    const onces = this.#onces === undefined ? 0 : this.#onces.words.byteLength + BUFFER_BYTES;
    const heap = this.#heap?.memoryBytes ?? 0;
    return PAGE_BYTES + this.#cells.memoryBytes + heap + onces + this.#stateBytes;
  }

  value(slot: number): Value | undefined {
    const place = this.#cells.placeOf(slot);
    if (place < 0) return undefined;
    const state = this.#states.get(slot);
    return state === undefined ? (this.#cellAt(place) ?? undefined) : traitValue(state);
  }

  state(slot: number): TraitState {
    const place = this.#cells.placeOf(slot);
    if (place < 0) return NO_STATE;
    const state = this.#states.get(slot);
    if (state !== undefined) return state;
    const value = this.#cellAt(place);
    const timeMs = this.#cells.timeAt(place);
    return value !== null && this.#onces?.has(slot)
      ? { ...NO_STATE, once: { value, timeMs } }
      : { ...NO_STATE, set: { value, timeMs } };
  }

  put(slot: number, state: TraitState): void {
    this.#version++;
    const found = this.#cells.placeOf(slot);
    if (found >= 0) this.#release(slot, found);
    const place = found >= 0 ? found : this.#cells.insert(slot, found);
    const start = cellStart(state);
    if (start === undefined) {
      this.#addState(slot, state);
      this.#cells.setRef(place, STATE_REF);
      return;
    }
    if (start === state.once) {
      this.#onces ??= new Bitset(PAGE_SLOTS);
      this.#onces.add(slot);
    }
    this.#cells.setTime(place, start.timeMs);
    this.#setValue(place, start.value);
  }

  delete(slot: number): void {
    const place = this.#cells.placeOf(slot);
    if (place < 0) return;
    this.#version++;
    this.#release(slot, place);
    this.#cells.remove(place);
  }

  /** Visits the slots of the entries, in ascending order. */
  forEach(visit: (slot: number) => void): void {
    for (let place = 0; place < this.#cells.placesEnd; place++) {
      if (this.#cells.refAt(place) !== NO_REF) visit(this.#cells.slotAt(place));
    }
  }

  /**
   * Another page with those entries whose slots are in `mask`, a bit each; undefined when that is none. It refers to
   * `shared`, where values have the references they have here, and adds what it uses of them to `uses`.
   */
  *keptSteps(
    mask: Uint32Array,
    shared: SharedValues,
    uses: Uint32Array,
  ): Generator<void, TraitPage | undefined> {
    const cells = this.#cells.kept(mask);
    if (cells.count === 0) return undefined;
    const page = new TraitPage(shared, cells);
    if (this.#onces !== undefined) {
      page.#onces = new Bitset(
        PAGE_SLOTS,
        this.#onces.words.map((word, w) => word & mask[w]!),
      );
    }
    cells.countRefs(uses);
    let copied = 0;
    for (const [slot, state] of this.#states) {
      if (((mask[slot >>> 5]! >>> (slot & 31)) & 1) === 0) continue;
      page.#addState(slot, state);
      if (++copied % COPY_STEP === 0) yield;
    }
    if (this.#heap === undefined) return page;
    const heap = new TraitHeap();
    for (let place = 0; place < cells.placesEnd; place++) {
      const ref = cells.refAt(place);
      if (ref < HEAP_REFS_FROM) continue;
      cells.setRef(place, heap.addFrom(this.#heap, ref));
      if (++copied % COPY_STEP === 0) yield;
    }
    if (heap.memoryBytes > 0) page.#heap = heap;
    return page;
  }

  /**
   * Sets the bits of slots with a value that passes and clears those of others that have one; small steps. The page may
   * change between them: what is said of slots whose value stayed the same is right.
   */
  *selectSteps(tests: ValueTests, words: Uint32Array): Generator<void, void> {
    for (let tries = 1; tries < SELECT_TRIES; tries++) {
      const version = this.#version;
      const steps = this.#select(tests, words);
      while (version === this.#version && steps.next().done !== true) yield;
      if (version === this.#version) return;
    }
    for (const _ of this.#select(tests, words)); // in one go: it cannot change meanwhile
  }

  *#select(tests: ValueTests, words: Uint32Array): Generator<void, void> {
    const cells = this.#cells;
    const ofPage: CellTests = {
      answers: tests.answers,
      range: tests.range,
      span: tests.span,
      testNumber: (number) => tests.test(number),
      testMoment: (timeMs) => tests.testMoment(timeMs),
      testHeap: this.#heap === undefined ? () => 0 : tests.ofHeap(this.#heap),
    };
    const places = cells.isDense ? words : new Uint32Array((cells.placesEnd + 31) >>> 5);
    const step = this.#heap === undefined || tests.compareTexts ? SELECT_STEP : HEAP_STEP;
    for (let from = 0; from < cells.placesEnd; from += step) {
      const to = Math.min(cells.placesEnd, from + step);
      cells.select(ofPage, from, to, places.subarray(from >>> 5));
      yield;
    }
    if (!cells.isDense) {
      for (let place = 0; place < cells.placesEnd; place++) {
        setBit(words, cells.slotAt(place), (places[place >>> 5]! >>> (place & 31)) & 1);
      }
    }
    let asked = 0;
    for (const [slot, state] of this.#states) {
      setBit(words, slot, tests.test(traitValue(state)));
      if (++asked % STATES_STEP === 0) yield;
    }
  }

  /** Of a cell that is not a state; null for unset. */
  #cellAt(place: number): Value | null {
    const ref = this.#cells.refAt(place);
    if (ref === NUMBER_CELL) return this.#cells.numberAt(place);
    if (ref === MOMENT_CELL) return isoTime(this.#cells.momentAt(place));
    if (ref === UNSET_REF) return null;
    return ref < HEAP_REFS_FROM ? this.#shared.value(ref)! : this.#heap!.get(ref);
  }

  #setValue(place: number, value: Value | null): void {
    const ref = value === null ? UNSET_REF : this.#shared.use(value);
    if (ref !== undefined) this.#cells.setRef(place, ref);
    else if (typeof value === 'number') this.#cells.setNumber(place, value);
    else this.#setText(place, value as string | readonly Scalar[]);
  }

  #setText(place: number, value: string | readonly Scalar[]): void {
    const momentMs = typeof value === 'string' ? momentOf(value) : undefined;
    if (momentMs !== undefined) {
      this.#cells.setMoment(place, momentMs);
      return;
    }
    this.#heap ??= new TraitHeap();
    this.#cells.setRef(place, this.#heap.add(value));
  }

  /** What the entry refers to goes; the cell is still to be set. */
  #release(slot: number, place: number): void {
    const ref = this.#cells.refAt(place);
    this.#onces?.delete(slot);
    if (ref === STATE_REF) this.#dropState(slot);
    else if (ref >= HEAP_REFS_FROM) this.#free(place, ref);
    else if (ref >= SHARED_REFS_FROM) this.#shared.release(ref);
  }

  #addState(slot: number, state: TraitState): void {
    this.#states.set(slot, state);
    this.#stateBytes += stateBytes(state);
  }

  #dropState(slot: number): void {
    this.#stateBytes -= stateBytes(this.#states.get(slot)!);
    this.#states.delete(slot);
  }

  /** A heap's chunk that is now mostly gaps is emptied. */
  #free(place: number, ref: number): void {
    this.#cells.setRef(place, UNSET_REF);
    const emptied = this.#heap!.free(ref);
    if (emptied === undefined) return;
    for (let other = 0; other < this.#cells.placesEnd; other++) {
      const moved = this.#cells.refAt(other);
      if (moved >= HEAP_REFS_FROM && moved >>> 16 === emptied)
        this.#cells.setRef(other, this.#heap!.move(moved));
    }
  }
}

/** The set or the once that is all there is to the state, when a cell can hold it exactly. */
function cellStart({ set, once, increments, elements }: TraitState): Timed<Value | null> | undefined {
  if (increments.length > 0 || elements.length > 0) return undefined;
  const start = set === undefined ? once : once === undefined ? set : undefined;
  if (start === undefined || !isCellTime(start.timeMs)) return undefined;
  return start.value === null || isCellValue(start.value) ? start : undefined;
}

function isCellTime(timeMs: number): boolean {
  return Number.isSafeInteger(timeMs) && timeMs >= 0 && timeMs < TIME_MS_END;
}

/** UTF-8 has no lone surrogates, JSON no -0, and NaNs are references. */
function isCellValue(value: Value): boolean {
  if (isArray(value)) return !value.some((element) => Object.is(element, -0));
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'string' || value.isWellFormed();
}

function setBit(words: Uint32Array, i: number, bit: number): void {
  if (bit === 1) words[i >>> 5]! |= 1 << (i & 31);
  else words[i >>> 5]! &= ~(1 << (i & 31));
}
