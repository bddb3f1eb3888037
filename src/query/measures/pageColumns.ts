import type { SpareArrays } from '../../base/spareArrays.ts';
import type { SchemaView } from '../../store/view.ts';
import type { EventPage } from '../eventPage.ts';
import { NO_VALUE, type ValueIds } from '../valueIds.ts';
import type { EventColumns } from './columns.ts';

/** The events of a page as columns; those of properties are read when they are first asked for. */
export class PageColumns implements EventColumns {
  readonly values: ValueIds;
  readonly #schema: SchemaView;
  readonly #numbers: PropertyColumns<Float64Array>;
  readonly #ids: PropertyColumns<Uint32Array>;
  #page: EventPage | undefined;

  constructor(schema: SchemaView, values: ValueIds, arrays: SpareArrays) {
    this.#schema = schema;
    this.values = values;
    this.#numbers = new PropertyColumns(arrays, (size) => arrays.numbers(size));
    this.#ids = new PropertyColumns(arrays, (size) => arrays.words(size));
  }

  /** What is asked from now on is of this page; columns handed out before are used again for it. */
  begin(page: EventPage): void {
    this.#page = page;
    this.#numbers.begin(page.eventCount);
    this.#ids.begin(page.eventCount);
  }

  /** Nobody uses them any more. */
  release(): void {
    this.#numbers.release();
    this.#ids.release();
  }

  get timesMs(): Float64Array {
    return this.#page!.timesMs;
  }

  get kinds(): Uint32Array {
    return this.#page!.kinds;
  }

  numbers(prop: string): Float64Array {
    return this.#numbers.of(prop, (column) => {
      const code = this.#schema.propertyCode(prop);
      if (code === undefined) column.fill(Number.NaN);
      else this.#page!.readNumbers(code, column);
    });
  }

  valueIds(prop: string): Uint32Array {
    return this.#ids.of(prop, (column) => {
      const code = this.#schema.propertyCode(prop);
      if (code === undefined) column.fill(NO_VALUE);
      else this.#page!.readValues(code, this.values, column);
    });
  }
}

/** Columns of a page by property, each read once a page into an array that grows. */
class PropertyColumns<T extends Float64Array | Uint32Array> {
  readonly #spare: SpareArrays;
  readonly #make: (size: number) => T;
  readonly #arrays = new Map<string, T>();
  readonly #read = new Set<string>();
  #count = 0;

  constructor(spare: SpareArrays, make: (size: number) => T) {
    this.#spare = spare;
    this.#make = make;
  }

  release(): void {
    this.#spare.giveBack(...this.#arrays.values());
  }

  begin(count: number): void {
    this.#count = count;
    this.#read.clear();
  }

  of(prop: string, read: (column: T) => void): T {
    let array = this.#arrays.get(prop);
    if (array === undefined || array.length < this.#count) {
      const size = Math.max(this.#count, 2 * (array?.length ?? 0));
      if (array !== undefined) this.#spare.giveBack(array);
      array = this.#make(size);
      this.#arrays.set(prop, array);
    }
    if (!this.#read.has(prop)) {
      read(array.subarray(0, this.#count) as T);
      this.#read.add(prop);
    }
    return array;
  }
}
