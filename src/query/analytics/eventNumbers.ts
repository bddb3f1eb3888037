import type { CellReader, Part } from '../../store/part.ts';
import type { TabletView } from '../../store/view.ts';
import type { EventPage } from '../eventPage.ts';
import type { EventBatch } from './eventBatches.ts';

/** The numbers that events have as a property. */
export class EventNumbers {
  /** Of the page or batch read last; NaN for no number. Longer than that, or empty without a property. */
  numbers = new Float64Array(0);
  readonly #hasProperty: boolean;
  readonly #propertyCode: number | undefined;
  readonly #readers = new Map<Part, CellReader | undefined>();
  #codes = new Uint32Array(0);

  constructor(view: TabletView, property: string | undefined) {
    this.#hasProperty = property !== undefined;
    this.#propertyCode = property === undefined ? undefined : view.schema.propertyCode(property);
  }

  readPage(page: EventPage): void {
    if (!this.#hasProperty) return;
    this.#reserve(page.eventCount);
    if (this.#propertyCode === undefined) this.numbers.fill(Number.NaN);
    else page.readNumbers(this.#propertyCode, this.numbers);
  }

  readBatch({ part, rows, count }: Pick<EventBatch, 'part' | 'rows' | 'count'>): void {
    if (!this.#hasProperty) return;
    this.#reserve(count);
    const numbers = this.numbers.subarray(0, count);
    const reader = this.#readerOf(part);
    if (reader === undefined) numbers.fill(Number.NaN);
    else {
      if (this.#codes.length < count) this.#codes = new Uint32Array(count);
      reader.read(rows, count, this.#codes.subarray(0, count), numbers);
    }
  }

  #readerOf(part: Part): CellReader | undefined {
    if (this.#propertyCode === undefined) return undefined;
    if (!this.#readers.has(part)) this.#readers.set(part, part.cellReader(this.#propertyCode));
    return this.#readers.get(part);
  }

  #reserve(count: number): void {
    if (this.numbers.length < count) this.numbers = new Float64Array(count);
  }
}
