import { isArray, type Scalar } from '../../base/value.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';

/**
 * Counts how often a user's matches have which value, user by user; an array is taken by its elements. Kept from user to
 * user: the counts by id, and in whose turn each was counted, so that nothing has to be cleared.
 */
export class ValueCounts {
  readonly #values: ValueIds;
  /** By id of an array, the ids of its elements; undefined where it is not known yet. */
  readonly #elements = new Map<number, readonly number[]>();
  #counts = new Uint32Array(0);
  #turns = new Uint32Array(0);
  #turn = 0;
  #distinct = 0;
  #most = 0;
  #mostId = NO_VALUE;

  constructor(values: ValueIds) {
    this.#values = values;
  }

  /** Different values among the matches in [from, to). See columns.ts. */
  countDistinct(ids: Uint32Array, kinds: Uint32Array, bit: number, from: number, to: number): number {
    if (this.#values.hasArrays) {
      this.#count(ids, kinds, bit, from, to);
      return this.#distinct;
    }
    this.#begin();
    if (this.#turns.length < this.#values.end) this.#grow();
    return countTurns(ids, kinds, bit, from, to, this.#turns, this.#turn);
  }

  /** The value seen most often, of several the one seen last, by its id; NO_VALUE without any. */
  mostFrequent(ids: Uint32Array, kinds: Uint32Array, bit: number, from: number, to: number): number {
    this.#count(ids, kinds, bit, from, to);
    return this.#mostId;
  }

  #count(ids: Uint32Array, kinds: Uint32Array, bit: number, from: number, to: number): void {
    this.#begin();
    for (let i = from; i < to; i++) {
      const id = ids[i]!;
      if ((kinds[i]! & bit) === 0 || id === NO_VALUE) continue;
      const elements = this.#elementsOf(id);
      if (elements === undefined) this.#see(id);
      else for (const element of elements) this.#see(element);
    }
  }

  #begin(): void {
    this.#distinct = 0;
    this.#most = 0;
    this.#mostId = NO_VALUE;
    this.#turn++;
    if (this.#turn === 2 ** 32) {
      this.#turns.fill(0);
      this.#turn = 1;
    }
  }

  #see(id: number): void {
    if (id >= this.#turns.length) this.#grow();
    if (this.#turns[id] !== this.#turn) {
      this.#turns[id] = this.#turn;
      this.#counts[id] = 0;
      this.#distinct++;
    }
    const count = ++this.#counts[id]!;
    if (count < this.#most) return;
    this.#most = count;
    this.#mostId = id; // of several with one count, the last to reach it was seen last
  }

  #grow(): void {
    const size = 2 * this.#values.end;
    const [counts, turns] = [new Uint32Array(size), new Uint32Array(size)];
    counts.set(this.#counts);
    turns.set(this.#turns);
    this.#counts = counts;
    this.#turns = turns;
  }

  /** Undefined for a value that is no array. */
  #elementsOf(id: number): readonly number[] | undefined {
    const value = this.#values.valueOf(id);
    if (!isArray(value)) return undefined;
    let elements = this.#elements.get(id);
    if (elements === undefined) {
      elements = value.map((element: Scalar) => this.#values.idOf(element));
      this.#elements.set(id, elements);
    }
    return elements;
  }
}

/** How many different ids the matches have; puts the turn to each of them. */
function countTurns(
  ids: Uint32Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
  turns: Uint32Array,
  turn: number,
): number {
  let distinct = 0;
  for (let i = from; i < to; i++) {
    const id = ids[i]!;
    if ((kinds[i]! & bit) === 0 || id === NO_VALUE || turns[id] === turn) continue;
    turns[id] = turn;
    distinct++;
  }
  return distinct;
}
