import type { Scalar } from '../../base/value.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';
import { elementsOf } from './keyIds.ts';

/** Stands for more slots than one: those of an array's elements. */
export const SEVERAL = -1;

/** In which slots of the chosen keys values count: each key has its own, all others one, and so has nothing. */
export class KeySlots {
  readonly width: number;
  readonly #values: ValueIds;
  readonly #ofKey: ReadonlyMap<Scalar, number>;
  readonly #other: number;
  readonly #none: number;
  /** By id, for ids below #end. */
  #ofId = new Int32Array(0);
  #end = 0;
  readonly #several = new Map<number, readonly number[]>();

  constructor(values: ValueIds, keys: readonly Scalar[]) {
    this.#values = values;
    this.#ofKey = new Map(keys.map((key, slot) => [key, slot]));
    this.#other = keys.length;
    this.#none = keys.length + 1;
    this.width = keys.length + 2;
  }

  /** slots[i] = the slot of ids[i], or SEVERAL, for the first `count` of them. Whether any is SEVERAL. */
  place(ids: Uint32Array, count: number, slots: Int32Array): boolean {
    this.#learn();
    const ofId = this.#ofId;
    let several = 0;
    for (let i = 0; i < count; i++) {
      const slot = ofId[ids[i]!]!;
      slots[i] = slot;
      several |= slot;
    }
    return several < 0;
  }

  /** Ascending. Of an id whose slot is SEVERAL. */
  severalOf(id: number): readonly number[] {
    return this.#several.get(id)!;
  }

  #learn(): void {
    const { end } = this.#values;
    if (end > this.#ofId.length) {
      const longer = new Int32Array(2 * end);
      longer.set(this.#ofId);
      this.#ofId = longer;
    }
    for (; this.#end < end; this.#end++) this.#ofId[this.#end] = this.#slotOf(this.#end);
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
