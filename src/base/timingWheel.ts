import { assert } from './assert.ts';
import type { Bitset } from './bitset.ts';

/** 64 slots a level, 8 levels: 2^48 ms from 1970 on, some 8900 years. */
const SLOT_BITS = 6;
const LEVELS = 8;
const OVERDUE = LEVELS << SLOT_BITS;
const HALF = 1 << 24;
/** Deadlines are before this. */
export const DEADLINE_MS_END = HALF * HALF;
const NONE = -1;
/** Whose timers are copied between two yields. */
const IDS_PER_STEP = 4096;

/**
 * A hierarchical timing wheel (Varghese and Lauck, 1987) for timers known by a dense whole number, at most one an id.
 *
 * A slot of level L spans 64^L ms, and a timer lives at the level of the highest base-64 digit in which its deadline
 * differs from the wheel's time. So what is earliest is in the lowest occupied slot of the lowest occupied level, and
 * a slot of level 0 holds one deadline only: the wheel is exact to the ms. A slot is opened, its timers moved to lower
 * levels, when time reaches its start; empty stretches are skipped whatever their length.
 *
 * Memory: 16 bytes for every id up to the largest one ever armed, doubling.
 */
export class TimingWheel {
  #nowMs: number;
  #size = 0;
  /** By id. Infinity: not armed. */
  #deadlines = new Float64Array(0);
  #next = new Int32Array(0);
  /** The id before this one in its slot's list; for the first one ~slot. */
  #previous = new Int32Array(0);
  readonly #heads = new Int32Array(OVERDUE + 1).fill(NONE);
  /** Per level 64 bits, low word first: slots that are not empty. */
  readonly #occupied = new Uint32Array(2 * LEVELS);

  /** Timers due before `nowMs` fire at the next advance, in their order. */
  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  /** Number of armed timers. */
  get size(): number {
    return this.#size;
  }

  get memoryBytes(): number {
    return this.#deadlines.byteLength + this.#next.byteLength + this.#previous.byteLength;
  }

  /** Sets the id's timer, in place of the one it may have. A whole number of ms; one already past fires next. */
  arm(id: number, deadlineMs: number): void {
    assert(deadlineMs < DEADLINE_MS_END, 'a deadline is within the range of the wheel');
    if (id >= this.#deadlines.length) this.#grow(id + 1);
    if (this.#deadlines[id] === deadlineMs) return;
    this.disarm(id);
    this.#deadlines[id] = deadlineMs;
    this.#link(id, this.#slotOf(deadlineMs));
    this.#size++;
  }

  /** Takes over, while new, the timers of another wheel whose ids are `here`; small steps. */
  *inherit(parent: TimingWheel, here: Bitset): Generator<void> {
    const { length } = parent.#deadlines;
    const deadlines = new Float64Array(length);
    for (let from = 0; from < length; from += IDS_PER_STEP) {
      deadlines.fill(Number.POSITIVE_INFINITY, from, from + IDS_PER_STEP);
      yield;
    }
    this.#deadlines = deadlines;
    this.#next = new Int32Array(length);
    this.#previous = new Int32Array(length);
    const end = Math.min(length, here.size);
    for (let id = 0; id < end; id++) {
      if (id % IDS_PER_STEP === 0) yield;
      const deadlineMs = here.has(id) ? parent.deadlineOf(id) : undefined;
      if (deadlineMs !== undefined) this.arm(id, deadlineMs);
    }
  }

  disarm(id: number): void {
    if (this.deadlineOf(id) === undefined) return;
    this.#unlink(id);
    this.#deadlines[id] = Number.POSITIVE_INFINITY;
    this.#size--;
  }

  deadlineOf(id: number): number | undefined {
    const deadlineMs = this.#deadlines[id];
    return deadlineMs === Number.POSITIVE_INFINITY ? undefined : deadlineMs;
  }

  /**
   * No later than the earliest deadline, and exact when that is within the same 64 ms; undefined without timers. O(1):
   * an advance to this moment fires what is due or opens a slot, so that at most 8 of them lead to the deadline.
   */
  nextDeadlineMs(): number | undefined {
    if (this.#heads[OVERDUE] !== NONE) return this.#nowMs;
    const slot = this.#earliestSlot();
    return slot === NONE ? undefined : this.#startOf(slot);
  }

  /**
   * Moves time on and fires what is due at or before `nowMs`, by deadline, then id. `fire` may arm and disarm: what it
   * arms at or before the moment being fired comes after those already due at that moment. Those that were due when
   * they were armed come first, all together.
   */
  advance(nowMs: number, fire: (id: number, deadlineMs: number) => void): void {
    for (;;) {
      const slot = this.#heads[OVERDUE] !== NONE ? OVERDUE : this.#earliestSlot();
      if (slot === OVERDUE) {
        this.#fireSlot(slot, fire);
        continue;
      }
      if (slot === NONE || this.#startOf(slot) > nowMs) break;
      this.#nowMs = this.#startOf(slot);
      if (slot >>> SLOT_BITS === 0) this.#fireSlot(slot, fire);
      else this.#openSlot(slot);
    }
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
  }

  #fireSlot(slot: number, fire: (id: number, deadlineMs: number) => void): void {
    const due: { readonly id: number; readonly deadlineMs: number }[] = [];
    for (let id = this.#heads[slot]; id !== NONE; id = this.#next[id]) {
      due.push({ id, deadlineMs: this.#deadlines[id] });
    }
    due.sort((a, b) => a.deadlineMs - b.deadlineMs || a.id - b.id);
    for (const { id, deadlineMs } of due) {
      if (this.#deadlines[id] !== deadlineMs) continue; // changed by an earlier one's `fire`
      this.disarm(id);
      fire(id, deadlineMs);
    }
  }

  #openSlot(slot: number): void {
    for (let id = this.#heads[slot]; id !== NONE; ) {
      const next = this.#next[id];
      this.#unlink(id);
      this.#link(id, this.#slotOf(this.#deadlines[id]));
      id = next;
    }
  }

  /** Level and digit of the highest base-64 digit that differs from now. Bit operations need halves of 24 bits. */
  #slotOf(deadlineMs: number): number {
    if (deadlineMs < this.#nowMs) return OVERDUE;
    const high = Math.floor(deadlineMs / HALF);
    const highDifference = high ^ Math.floor(this.#nowMs / HALF);
    const inHigh = highDifference !== 0;
    const half = inHigh ? high : deadlineMs % HALF;
    const difference = inHigh ? highDifference : half ^ (this.#nowMs % HALF);
    const level = Math.floor((31 - Math.clz32(difference | 1)) / SLOT_BITS);
    const digit = (half >>> (level * SLOT_BITS)) & 63;
    return (((inHigh ? LEVELS / 2 : 0) + level) << SLOT_BITS) | digit;
  }

  /** The lowest occupied slot of the lowest occupied level, which starts before all others; NONE without any. */
  #earliestSlot(): number {
    for (let word = 0; word < this.#occupied.length; word++) {
      const bits = this.#occupied[word];
      if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits & -bits);
    }
    return NONE;
  }

  #startOf(slot: number): number {
    const slotMs = 2 ** ((slot >>> SLOT_BITS) * SLOT_BITS);
    const levelMs = slotMs * 64;
    return Math.floor(this.#nowMs / levelMs) * levelMs + (slot & 63) * slotMs;
  }

  #link(id: number, slot: number): void {
    const head = this.#heads[slot];
    this.#next[id] = head;
    this.#previous[id] = ~slot;
    this.#heads[slot] = id;
    if (head !== NONE) this.#previous[head] = id;
    else if (slot !== OVERDUE) this.#occupied[slot >>> 5] |= 1 << (slot & 31);
  }

  #unlink(id: number): void {
    const next = this.#next[id];
    const previous = this.#previous[id];
    if (next !== NONE) this.#previous[next] = previous;
    if (previous >= 0) {
      this.#next[previous] = next;
      return;
    }
    const slot = ~previous;
    this.#heads[slot] = next;
    if (next === NONE && slot !== OVERDUE) this.#occupied[slot >>> 5] &= ~(1 << (slot & 31));
  }

  #grow(length: number): void {
    const capacity = Math.max(length, 2 * this.#deadlines.length, 64);
    const old = { deadlines: this.#deadlines, next: this.#next, previous: this.#previous };
    this.#deadlines = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY);
    this.#deadlines.set(old.deadlines);
    this.#next = new Int32Array(capacity);
    this.#next.set(old.next);
    this.#previous = new Int32Array(capacity);
    this.#previous.set(old.previous);
  }
}
