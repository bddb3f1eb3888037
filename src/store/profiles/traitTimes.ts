import { moveValues } from './places.ts';
import { BUFFER_BYTES } from './traitMemory.ts';

const WORD = 2 ** 32;
/** Times are whole ms in [0, TIME_MS_END): some 8900 years. */
export const TIME_MS_END = 2 ** 48;

type High = Uint8Array | Uint16Array;

/**
 * The times of a page's entries, exact to the ms, as distances from a base: 4 bytes each as long as all are within 24
 * days of the first one, 5 within 17 years, else 6.
 */
export class TraitTimes {
  /** The lower 32 bits of the distances, and those above once they are needed. */
  #low: Uint32Array;
  #high: High | undefined;
  #baseMs = -1;

  constructor(capacity: number) {
    this.#low = new Uint32Array(capacity);
  }

  get memoryBytes(): number {
    const high = this.#high === undefined ? 0 : this.#high.byteLength + BUFFER_BYTES;
    return this.#low.byteLength + BUFFER_BYTES + high;
  }

  get(i: number): number {
    return this.#baseMs + this.#low[i]! + (this.#high === undefined ? 0 : this.#high[i]! * WORD);
  }

  /** 0 <= timeMs < TIME_MS_END. */
  set(i: number, timeMs: number): void {
    if (this.#baseMs === -1) this.#baseMs = Math.max(0, timeMs - WORD / 2);
    let distance = timeMs - this.#baseMs;
    if (distance < 0 || distance >= this.#span) {
      this.#widen(timeMs);
      distance = timeMs - this.#baseMs;
    }
    this.#low[i] = distance % WORD;
    if (this.#high !== undefined) this.#high[i] = Math.floor(distance / WORD);
  }

  /** Moves [at, count) up by one. */
  insert(at: number, count: number): void {
    this.#low.copyWithin(at + 1, at, count);
    this.#high?.copyWithin(at + 1, at, count);
  }

  /** Moves [at + 1, count) down by one. */
  remove(at: number, count: number): void {
    this.#low.copyWithin(at, at + 1, count);
    this.#high?.copyWithin(at, at + 1, count);
  }

  /** To a larger capacity. */
  grow(capacity: number): void {
    const low = new Uint32Array(capacity);
    low.set(this.#low);
    this.#low = low;
    if (this.#high === undefined) return;
    const high = this.#high instanceof Uint8Array ? new Uint8Array(capacity) : new Uint16Array(capacity);
    high.set(this.#high);
    this.#high = high;
  }

  /** Others, where place targets[i] has the time of places[i] here. */
  moved(places: Uint16Array, targets: Uint16Array, capacity: number): TraitTimes {
    const times = new TraitTimes(capacity);
    times.#baseMs = this.#baseMs;
    moveValues(this.#low, places, times.#low, targets);
    if (this.#high === undefined) return times;
    times.#high = this.#high instanceof Uint8Array ? new Uint8Array(capacity) : new Uint16Array(capacity);
    moveValues(this.#high, places, times.#high, targets);
    return times;
  }

  get #span(): number {
    return this.#high === undefined ? WORD : this.#high.BYTES_PER_ELEMENT === 1 ? WORD * 2 ** 8 : TIME_MS_END;
  }

  /** To the narrowest form that holds this time too. The base only moves back, so distances only grow. */
  #widen(timeMs: number): void {
    const { length } = this.#low;
    const middleMs = Math.max(0, this.#baseMs + WORD / 2 - WORD * 2 ** 7);
    const isMiddle = this.#high === undefined && timeMs >= middleMs && timeMs - middleMs < WORD * 2 ** 8;
    const high: High = isMiddle ? new Uint8Array(length) : new Uint16Array(length);
    if (this.#high !== undefined) high.set(this.#high);
    const baseMs = isMiddle ? middleMs : 0;
    moveBase(this.#low, high, this.#baseMs - baseMs);
    this.#high = high;
    this.#baseMs = baseMs;
  }
}

/** Adds to every distance. */
function moveBase(low: Uint32Array, high: High, shift: number): void {
  for (let i = 0; i < low.length; i++) {
    const distance = low[i]! + high[i]! * WORD + shift;
    low[i] = distance % WORD;
    high[i] = Math.floor(distance / WORD);
  }
}
