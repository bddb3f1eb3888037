import type { Scalar } from '../../base/value.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';
import { elementsOf } from './keyIds.ts';
import { SEVERAL } from './keySlots.ts';

/** The key of no value. */
export const NO_KEY_INDEX = 0;

/** Numbers all keys that events have, from 1 on as they appear, before it is known which ones matter. */
export class WideKeys {
  /** By number. */
  readonly keys: (Scalar | undefined)[] = [undefined];
  readonly #values: ValueIds;
  readonly #ofKey = new Map<Scalar, number>();
  /** By id, for ids below #end. */
  #ofId = new Int32Array(0);
  #end = 0;

  constructor(values: ValueIds) {
    this.#values = values;
  }

  /** target[i] = the key of ids[i], or SEVERAL for an array of several. Whether any is SEVERAL. */
  place(ids: Uint32Array, count: number, target: Int32Array): boolean {
    this.#learn();
    const ofId = this.#ofId;
    let several = 0;
    for (let i = 0; i < count; i++) {
      const key = ofId[ids[i]!]!;
      target[i] = key;
      several |= key;
    }
    return several < 0;
  }

  #learn(): void {
    const { end } = this.#values;
    if (end > this.#ofId.length) {
      const longer = new Int32Array(2 * end);
      longer.set(this.#ofId);
      this.#ofId = longer;
    }
    for (; this.#end < end; this.#end++) this.#ofId[this.#end] = this.#keyOf(this.#end);
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
