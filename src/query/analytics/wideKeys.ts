import type { Scalar } from '../../base/value.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';
import { IdPlaces, SEVERAL } from './idPlaces.ts';
import { elementsOf } from './keyIds.ts';

/** The key of no value. */
export const NO_KEY_INDEX = 0;

/** Numbers all keys that events have, from 1 on as they appear, before it is known which ones matter. */
export class WideKeys {
  /** By number. */
  readonly keys: (Scalar | undefined)[] = [undefined];
  readonly #values: ValueIds;
  readonly #ofKey = new Map<Scalar, number>();
  readonly #places: IdPlaces;

  constructor(values: ValueIds) {
    this.#values = values;
    this.#places = new IdPlaces(values, (id) => this.#keyOf(id));
  }

  /** target[i] = the key of ids[i], or SEVERAL for an array of several. Whether any is SEVERAL. */
  place(ids: Uint32Array, count: number, target: Int32Array): boolean {
    return this.#places.read(ids, count, target);
  }

  /** Of every id so far: its key, or SEVERAL. */
  keysOfIds(): Int32Array {
    return this.#places.table();
  }

  /** Whether any id so far is SEVERAL. */
  get hasSeveral(): boolean {
    return this.#places.hasSeveral;
  }

  #keyOf(id: number): number {
    const elements = id === NO_VALUE ? [] : elementsOf(this.#values.valueOf(id));
    const [element] = elements;
    if (element === undefined) return NO_KEY_INDEX;
    if (elements.length > 1) return SEVERAL;
    let key = this.#ofKey.get(element);
    if (key === undefined) {
      key = this.keys.length;
      this.keys.push(element);
      this.#ofKey.set(element, key);
    }
    return key;
  }
}
