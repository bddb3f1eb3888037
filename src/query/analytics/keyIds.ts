import { badRequest } from '../../base/errors.ts';
import { BREAKDOWN_VALUES_MAX } from '../../base/limits.ts';
import { isArray, type Scalar, type Value } from '../../base/value.ts';
import { type CellReader, NO_CODE, type Part, type PlacedBy } from '../../store/part.ts';
import type { TabletView } from '../../store/view.ts';
import type { EventPage } from '../eventPage.ts';
import { NO_VALUE, ValueIds } from '../valueIds.ts';
import type { Breakdown } from './breakdown.ts';
import type { EventBatch } from './eventBatches.ts';

/** Of what events are told apart by. `path` is where the request says so. */
export type KeySource = Pick<Breakdown, 'source' | 'name'> & { readonly path: string };

/** What an event counts as: each different element of an array, else the value. Nothing for an empty array. */
export function elementsOf(value: Value): readonly Scalar[] {
  return isArray(value) ? [...new Set(value)] : [value];
}

/** No id. */
export const UNREAD = 0xffffffff;

/** Of a value in ValueIds, and what is kept by its id. */
const VALUE_BYTES = 100;

/** Reads what events have of a property, or their users of a trait, as ids of `values`. */
export class KeyIds {
  readonly values = new ValueIds();
  readonly source: KeySource;
  readonly #view: TabletView;
  readonly #propertyCode: number | undefined;
  /** By ordinal: the id of its trait, and 1. */
  readonly #ofUsers: Uint32Array;
  readonly #readers = new Map<Part, CellReader | undefined>();
  #numbers = new Float64Array(0);
  #valuesCharged = 0;

  constructor(view: TabletView, source: KeySource) {
    this.#view = view;
    this.source = source;
    this.#propertyCode = view.schema.propertyCode(source.name);
    if (source.source === 'profile') view.budget?.charge(view.users.count * Uint32Array.BYTES_PER_ELEMENT);
    this.#ofUsers = new Uint32Array(source.source === 'profile' ? view.users.count : 0);
  }

  /** ids[i] = that of event i; NO_VALUE for nothing. Throws `bad_request` past BREAKDOWN_VALUES_MAX values. */
  readPage(page: EventPage, ids: Uint32Array): void {
    if (this.source.source === 'profile') {
      const { userCount, ordinals, starts } = page;
      for (let u = 0; u < userCount; u++) ids.fill(this.#ofUser(ordinals[u]!), starts[u]!, starts[u + 1]!);
    } else if (this.#propertyCode === undefined) ids.fill(NO_VALUE);
    else page.readValues(this.#propertyCode, this.values, ids);
    this.#checkSize();
  }

  /** The same of a batch. */
  readBatch(batch: EventBatch, ids: Uint32Array): void {
    const { count } = batch;
    if (this.source.source === 'profile') {
      for (let i = 0; i < count; i++) ids[i] = this.#ofUser(batch.ordinals[i]!);
    } else this.#readCells(batch, ids.subarray(0, count));
    this.#checkSize();
  }

  /**
   * How many codes the part has for what its events have, one for each id but those that do not occur; undefined where there
   * are numbers, or where it is of users.
   */
  codeCount(part: Part): number | undefined {
    if (this.source.source === 'profile') return undefined;
    const reader = this.#readerOf(part);
    if (reader === undefined) return 1;
    return reader.numberCode === NO_CODE ? reader.codeEnd : undefined;
  }

  /** By such a code, times a factor. */
  placedBy(part: Part, factor: number): readonly PlacedBy[] {
    const reader = this.#readerOf(part);
    return reader === undefined ? [] : [{ reader, factor }];
  }

  /** ids[code] = that of a code of which there are some, where it was UNREAD. Throws as readPage. */
  readCodes(part: Part, counts: Uint32Array, ids: Uint32Array): void {
    for (let code = 0; code < ids.length; code++) {
      if (counts[code] !== 0 && ids[code] === UNREAD) ids[code] = this.idOfCode(part, code);
    }
  }

  /** Of a code that occurs. Throws as readPage. */
  idOfCode(part: Part, code: number): number {
    const reader = this.#readerOf(part);
    const id = reader === undefined ? NO_VALUE : this.values.idOfCode(reader, code);
    this.#checkSize();
    return id;
  }

  #readerOf(part: Part): CellReader | undefined {
    if (this.#propertyCode === undefined) return undefined;
    if (!this.#readers.has(part)) this.#readers.set(part, part.cellReader(this.#propertyCode));
    return this.#readers.get(part);
  }

  #readCells({ part, rows, count }: EventBatch, ids: Uint32Array): void {
    const reader = this.#readerOf(part);
    if (reader === undefined) {
      ids.fill(NO_VALUE);
      return;
    }
    if (this.#numbers.length < count) this.#numbers = new Float64Array(count);
    const numbers = this.#numbers.subarray(0, count);
    reader.read(rows, count, ids, numbers);
    this.values.replaceCodes(reader, ids, numbers);
  }

  #ofUser(ordinal: number): number {
    const known = this.#ofUsers[ordinal]!;
    if (known !== 0) return known - 1;
    const value = this.#view.profiles.get(ordinal, this.source.name);
    const id = value === undefined ? NO_VALUE : this.values.idOf(value);
    this.#ofUsers[ordinal] = id + 1;
    return id;
  }

  #checkSize(): void {
    const { end } = this.values;
    if (end > BREAKDOWN_VALUES_MAX) throw tooManyValues(this.source.path);
    this.#view.budget?.charge((end - this.#valuesCharged) * VALUE_BYTES);
    this.#valuesCharged = end;
  }
}

export function tooManyValues(path: string): Error {
  return badRequest(`has more than ${BREAKDOWN_VALUES_MAX} different values: narrow the events down`, path);
}
