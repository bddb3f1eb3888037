import type { ValuePredicate } from '../../store/part.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';

/** The place of the user's latest match that has a value; -1 without any. See columns.ts. */
export function lastWithValue(
  ids: Uint32Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  for (let i = to - 1; i >= from; i--) if ((kinds[i]! & bit) !== 0 && ids[i] !== NO_VALUE) return i;
  return -1;
}

/** As lastWithValue, of a match that has both of two values. */
export function lastWithBoth(
  ids: Uint32Array,
  otherIds: Uint32Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  for (let i = to - 1; i >= from; i--) {
    if ((kinds[i]! & bit) !== 0 && ids[i] !== NO_VALUE && otherIds[i] !== NO_VALUE) return i;
  }
  return -1;
}

/** A predicate asked about values by their ids, about each once. */
export class AnswersById {
  readonly #predicate: ValuePredicate;
  readonly #values: ValueIds;
  #answers = new Uint8Array(0);

  constructor(predicate: ValuePredicate, values: ValueIds) {
    this.#predicate = predicate;
    this.#values = values;
  }

  test(id: number): boolean {
    if (id >= this.#answers.length) {
      const answers = new Uint8Array(2 * this.#values.end);
      answers.set(this.#answers);
      this.#answers = answers;
    }
    if (this.#answers[id] === UNKNOWN) {
      this.#answers[id] = this.#predicate.test(this.#values.valueOf(id)) ? YES : NO;
    }
    return this.#answers[id] === YES;
  }
}

const UNKNOWN = 0;
const YES = 1;
const NO = 2;
