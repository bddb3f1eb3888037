import type { EventPage } from '../eventPage.ts';
import type { Intervals } from '../intervals.ts';
import type { KeyIds } from './keyIds.ts';
import { KeySlots } from './keySlots.ts';

/** One of the two directions in which events are told apart. */
export interface Axis {
  /** Slots are below. */
  readonly width: number;
  /** Of each event of the page placed last, or SEVERAL. */
  readonly slots: Int32Array;
  readonly hasSeveral: boolean;
  /** The slots of an event whose slot is SEVERAL. */
  severalAt(event: number): readonly number[];
  place(page: EventPage): void;
}

/** All are in one slot. */
export class SingleAxis implements Axis {
  readonly width = 1;
  readonly hasSeveral = false;
  slots = new Int32Array(0);

  place({ eventCount }: EventPage): void {
    if (this.slots.length < eventCount) this.slots = new Int32Array(eventCount);
  }

  severalAt(): readonly number[] {
    return [0];
  }
}

/** By when they happened. */
export class IntervalAxis implements Axis {
  readonly width: number;
  readonly hasSeveral = false;
  slots = new Int32Array(0);
  readonly #intervals: Intervals;

  constructor(intervals: Intervals) {
    this.#intervals = intervals;
    this.width = intervals.count;
  }

  place({ timesMs, eventCount }: EventPage): void {
    if (this.slots.length < eventCount) this.slots = new Int32Array(eventCount);
    this.#intervals.place(timesMs, eventCount, this.slots);
  }

  severalAt(event: number): readonly number[] {
    return [this.slots[event]!];
  }
}

/** What a page's events have of a key: read once, for all axes that tell them apart by it. */
export class PageKeys {
  readonly source: KeyIds;
  ids = new Uint32Array(0);

  constructor(source: KeyIds) {
    this.source = source;
  }

  read(page: EventPage): void {
    if (this.ids.length < page.eventCount) this.ids = new Uint32Array(page.eventCount);
    this.source.readPage(page, this.ids);
  }
}

/** By the chosen ones of their keys. The page's keys must have been read before it is placed. */
export class KeyAxis implements Axis {
  readonly width: number;
  hasSeveral = false;
  slots = new Int32Array(0);
  readonly #keys: PageKeys;
  readonly #keySlots: KeySlots;

  constructor(keys: PageKeys, chosen: ConstructorParameters<typeof KeySlots>[1]) {
    this.#keys = keys;
    this.#keySlots = new KeySlots(keys.source.values, chosen);
    this.width = this.#keySlots.width;
  }

  place({ eventCount }: EventPage): void {
    if (this.slots.length < eventCount) this.slots = new Int32Array(eventCount);
    this.hasSeveral = this.#keySlots.place(this.#keys.ids, eventCount, this.slots);
  }

  severalAt(event: number): readonly number[] {
    return this.#keySlots.severalOf(this.#keys.ids[event]!);
  }
}
