import { assert } from '../../base/assert.ts';
import type { CellTests } from './selectCells.ts';
import { LANE_FORMS, type Lanes } from './traitLanes.ts';
import { BUFFER_BYTES } from './traitMemory.ts';
import { MOMENT_CELL, NO_REF, NUMBER_CELL } from './traitRefs.ts';
import { TraitTimes } from './traitTimes.ts';

export const PAGE_BITS = 14;
export const PAGE_SLOTS = 1 << PAGE_BITS;

/** A table is dense from so many entries on, where a place for each slot costs no more than keeping slots ... */
const DENSE_FROM = (PAGE_SLOTS * 5) / 8;
/** ... and sparse again below this. */
const SPARSE_BELOW = (PAGE_SLOTS * 3) / 8;
const PLACES_START = 4;
const PLACES_GROWTH = 1.25;

const keptPlaces = new Uint16Array(PAGE_SLOTS);
const PLACES_IN_A_ROW = Uint16Array.from({ length: PAGE_SLOTS }, (_, place) => place);

/**
 * A cell (traitLanes.ts) and a time for some of PAGE_SLOTS slots. They lie in places: a dense table has a place for every
 * slot, a sparse one for every entry, in the order of slots. A place is good until the next `insert` or `remove`.
 */
export class CellTable {
  #count = 0;
  /** By place; undefined when dense. */
  #slots: Uint16Array | undefined = new Uint16Array(PLACES_START);
  #times = new TraitTimes(PLACES_START);
  #lanes: Lanes = LANE_FORMS[0]!(PLACES_START);
  /** Of the lanes, in LANE_FORMS. */
  #form = 0;

  get count(): number {
    return this.#count;
  }

  /** Places are below it; in a dense table those with NO_REF are no entries. */
  get placesEnd(): number {
    return this.#slots === undefined ? PAGE_SLOTS : this.#count;
  }

  get isDense(): boolean {
    return this.#slots === undefined;
  }

  get memoryBytes(): number {
    const slots = this.#slots === undefined ? 0 : this.#slots.byteLength + BUFFER_BYTES;
    return slots + this.#times.memoryBytes + this.#lanes.byteLength + BUFFER_BYTES;
  }

  /** The slot's place, or ~ of where it would be inserted. */
  placeOf(slot: number): number {
    if (this.#slots !== undefined) return search(this.#slots, this.#count, slot);
    return this.#lanes.refAt(slot) === NO_REF ? ~slot : slot;
  }

  slotAt(place: number): number {
    return this.#slots === undefined ? place : this.#slots[place]!;
  }

  /** As in traitLanes.ts. */
  refAt(place: number): number {
    return this.#lanes.refAt(place);
  }

  numberAt(place: number): number {
    return this.#lanes.numberAt(place);
  }

  momentAt(place: number): number {
    return this.#lanes.momentAt(place);
  }

  timeAt(place: number): number {
    return this.#times.get(place);
  }

  setRef(place: number, ref: number): void {
    if (!this.#lanes.setRef(place, ref)) this.#widen(place, (lanes) => lanes.setRef(place, ref));
  }

  setNumber(place: number, number: number): void {
    if (!this.#lanes.setNumber(place, number)) this.#widen(place, (lanes) => lanes.setNumber(place, number));
  }

  setMoment(place: number, timeMs: number): void {
    if (!this.#lanes.setMoment(place, timeMs)) this.#widen(place, (lanes) => lanes.setMoment(place, timeMs));
  }

  setTime(place: number, timeMs: number): void {
    this.#times.set(place, timeMs);
  }

  /** Makes an entry at what `placeOf` gave, and says its place; the cell and time there are still to be set. */
  insert(slot: number, missing: number): number {
    if (this.#count === DENSE_FROM) this.#lay(undefined);
    const count = this.#count++;
    if (this.#slots === undefined) return slot;
    if (count === this.#slots.length) this.#grow();
    const place = ~missing;
    this.#slots.copyWithin(place + 1, place, count);
    this.#times.insert(place, count);
    this.#lanes.insert(place, count);
    this.#slots[place] = slot;
    return place;
  }

  remove(place: number): void {
    const count = this.#count--;
    if (this.#slots === undefined) {
      this.#lanes.setRef(place, NO_REF);
      if (this.#count < SPARSE_BELOW) this.#lay(new Uint16Array(this.#count));
      return;
    }
    this.#slots.copyWithin(place, place + 1, count);
    this.#times.remove(place, count);
    this.#lanes.remove(place, count);
  }

  /** Another table with those entries whose slots are in `mask`, a bit each. */
  kept(mask: Uint32Array): CellTable {
    const places = this.#placesIn(mask);
    const count = places.length;
    const isDense = this.isDense && count >= SPARSE_BELOW;
    const targets = isDense ? places : PLACES_IN_A_ROW.subarray(0, count);
    const capacity = isDense ? PAGE_SLOTS : Math.max(count, PLACES_START);
    const table = new CellTable();
    table.#count = count;
    table.#times = this.#times.moved(places, targets, capacity);
    table.#lanes = this.#lanes.moved(places, targets, capacity);
    table.#form = this.#form;
    if (isDense) table.#slots = undefined;
    else {
      table.#slots = new Uint16Array(capacity);
      for (let i = 0; i < count; i++) table.#slots[i] = this.slotAt(places[i]!);
    }
    return table;
  }

  /** As in traitLanes.ts; NO_REF may be among them. */
  countRefs(uses: Uint32Array): void {
    this.#lanes.countRefs(uses);
  }

  /** Of places, as in traitLanes.ts. */
  select(tests: CellTests, from: number, to: number, words: Uint32Array): void {
    this.#lanes.select(tests, from, to, words);
  }

  /** Ascending, in an array that is good until the next call. */
  #placesIn(mask: Uint32Array): Uint16Array {
    const { placesEnd } = this;
    const hasGaps = this.#count < placesEnd;
    let count = 0;
    for (let place = 0; place < placesEnd; place++) {
      const slot = this.slotAt(place);
      if (((mask[slot >>> 5]! >>> (slot & 31)) & 1) === 0) continue;
      if (hasGaps && this.#lanes.refAt(place) === NO_REF) continue;
      keptPlaces[count++] = place;
    }
    return keptPlaces.subarray(0, count);
  }

  /** To the narrowest form after the present one that holds all the others too. */
  #widen(place: number, write: (lanes: Lanes) => boolean): void {
    const { capacity } = this.#lanes;
    for (let form = this.#form + 1; form < LANE_FORMS.length; form++) {
      const lanes = LANE_FORMS[form]!(capacity);
      if (!write(lanes) || !this.#copyCells(lanes, place)) continue;
      this.#lanes = lanes;
      this.#form = form;
      return;
    }
    assert(false, 'the last form holds everything');
  }

  /** All but one, to the same places; false when the form does not hold one of them. */
  #copyCells(target: Lanes, except: number): boolean {
    const { placesEnd } = this;
    for (let place = 0; place < placesEnd; place++) {
      if (place !== except && !copyCell(this.#lanes, place, target, place)) return false;
    }
    return true;
  }

  /** Moves all to new places: those of `slots`, which has room for them, or, without it, one for every slot. */
  #lay(slots: Uint16Array | undefined): void {
    const capacity = slots?.length ?? PAGE_SLOTS;
    const times = new TraitTimes(capacity);
    const lanes = LANE_FORMS[this.#form]!(capacity);
    const { placesEnd } = this;
    let moved = 0;
    for (let place = 0; place < placesEnd; place++) {
      if (this.#lanes.refAt(place) === NO_REF) continue;
      const slot = this.slotAt(place);
      const target = slots === undefined ? slot : moved;
      if (slots !== undefined) slots[moved] = slot;
      moved++;
      times.set(target, this.#times.get(place));
      copyCell(this.#lanes, place, lanes, target);
    }
    this.#slots = slots;
    this.#times = times;
    this.#lanes = lanes;
  }

  #grow(): void {
    const capacity = Math.min(DENSE_FROM, Math.ceil(this.#count * PLACES_GROWTH) + 1);
    const slots = new Uint16Array(capacity);
    slots.set(this.#slots!);
    this.#slots = slots;
    this.#times.grow(capacity);
    this.#lanes = this.#lanes.grown(capacity);
  }
}

function copyCell(source: Lanes, from: number, target: Lanes, to: number): boolean {
  const ref = source.refAt(from);
  if (ref === NUMBER_CELL) return target.setNumber(to, source.numberAt(from));
  return ref === MOMENT_CELL ? target.setMoment(to, source.momentAt(from)) : target.setRef(to, ref);
}

function search(slots: Uint16Array, count: number, slot: number): number {
  let low = 0;
  let high = count;
  // Slots mostly come in their order.
  if (count > 0 && slots[count - 1]! < slot) low = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (slots[middle]! < slot) low = middle + 1;
    else high = middle;
  }
  return low < count && slots[low] === slot ? low : ~low;
}
