import type { Scalar } from '../../base/value.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';
import { IdPlaces, SEVERAL } from './idPlaces.ts';
import { elementsOf } from './keyIds.ts';

/** In which slots of the chosen keys values count: each key has its own, all others one, and so has nothing. */
export class KeySlots {
  readonly width: number;
  readonly #values: ValueIds;
  readonly #ofKey: ReadonlyMap<Scalar, number>;
  readonly #other: number;
  readonly #none: number;
  readonly #places: IdPlaces;
  readonly #several = new Map<number, readonly number[]>();

  constructor(values: ValueIds, keys: readonly Scalar[]) {
    this.#values = values;
    this.#places = new IdPlaces(values, (id) => this.#slotOf(id));
    this.#ofKey = new Map(keys.map((key, slot) => [key, slot]));
    this.#other = keys.length;
    this.#none = keys.length + 1;
    this.width = keys.length + 2;
  }

  /** slots[i] = the slot of ids[i], or SEVERAL, for the first `count` of them. Whether any is SEVERAL. */
  place(ids: Uint32Array, count: number, slots: Int32Array): boolean {
    return this.#places.read(ids, count, slots);
  }

  /** Ascending. Of an id whose slot is SEVERAL. */
  severalOf(id: number): readonly number[] {
    return this.#several.get(id)!;
  }

  #slotOf(id: number): number {
    if (id === NO_VALUE) return this.#none;
    const elements = elementsOf(this.#values.valueOf(id));
    const slots = new Set(elements.map((element) => this.#ofKey.get(element) ?? this.#other));
    const [slot = this.#none] = slots;
    if (slots.size <= 1) return slot;
    this.#several.set(
      id,
      [...slots].sort((a, b) => a - b),
    );
    return SEVERAL;
  }
}
