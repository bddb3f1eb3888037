import type { ValueIds } from '../valueIds.ts';

/** Stands for more places than one: those of an array's elements. */
export const SEVERAL = -1;

/** Where values belong, worked out once for each id. */
export class IdPlaces {
  readonly #values: ValueIds;
  readonly #placeOf: (id: number) => number;
  /** By id, for ids below #end. */
  #ofId = new Int32Array(0);
  #end = 0;
  #hasSeveral = false;

  /** `placeOf` gives a place from 0 on, or SEVERAL; it is asked about ids as they ascend. */
  constructor(values: ValueIds, placeOf: (id: number) => number) {
    this.#values = values;
    this.#placeOf = placeOf;
  }

  /** target[i] = the place of ids[i], for the first `count` of them. Whether any is SEVERAL. */
  read(ids: Uint32Array, count: number, target: Int32Array): boolean {
    this.#learn();
    const ofId = this.#ofId;
    let several = 0;
    for (let i = 0; i < count; i++) {
      const place = ofId[ids[i]!]!;
      target[i] = place;
      several |= place;
    }
    return several < 0;
  }

  /** Of every id so far: its place. */
  table(): Int32Array {
    this.#learn();
    return this.#ofId;
  }

  /** Whether any id so far is SEVERAL. */
  get hasSeveral(): boolean {
    this.#learn();
    return this.#hasSeveral;
  }

  #learn(): void {
    const { end } = this.#values;
    if (end > this.#ofId.length) {
      const longer = new Int32Array(2 * end);
      longer.set(this.#ofId);
      this.#ofId = longer;
    }
    for (; this.#end < end; this.#end++) {
      const place = this.#placeOf(this.#end);
      this.#ofId[this.#end] = place;
      this.#hasSeveral ||= place === SEVERAL;
    }
  }
}
