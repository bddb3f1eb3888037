import type { TabletView } from '../../store/view.ts';
import type { EventPage } from '../eventPage.ts';

/** The numbers that a page's events have as a property. */
export class PageNumbers {
  /** NaN for no number. Longer than the page, or empty without a property. */
  numbers = new Float64Array(0);
  readonly #hasProperty: boolean;
  readonly #propertyCode: number | undefined;

  constructor(view: TabletView, property: string | undefined) {
    this.#hasProperty = property !== undefined;
    this.#propertyCode = property === undefined ? undefined : view.schema.propertyCode(property);
  }

  read(page: EventPage): void {
    if (!this.#hasProperty) return;
    if (this.numbers.length < page.eventCount) this.numbers = new Float64Array(page.eventCount);
    if (this.#propertyCode === undefined) this.numbers.fill(Number.NaN);
    else page.readNumbers(this.#propertyCode, this.numbers);
  }
}
