import { Bitset } from '../../base/bitset.ts';
import type { Value } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';
import { PAGE_BITS, PAGE_SLOTS } from './cellTable.ts';
import { SharedValues } from './sharedValues.ts';
import { TraitPage } from './traitPage.ts';
import { NO_STATE, type TraitState } from './traitState.ts';
import { ValueTests } from './valueTests.ts';

const PAGE_WORDS = PAGE_SLOTS >>> 5;

/** One trait of all users, in pages of ordinals. */
export class TraitColumn {
  readonly #shared = new SharedValues();
  readonly #pages: (TraitPage | undefined)[] = [];

  get memoryBytes(): number {
    const pages = this.#pages.reduce((total, page) => total + 8 + (page?.memoryBytes ?? 0), 0);
    return this.#shared.memoryBytes + pages;
  }

  value(ordinal: number): Value | undefined {
    return this.#pages[ordinal >>> PAGE_BITS]?.value(ordinal & (PAGE_SLOTS - 1));
  }

  state(ordinal: number): TraitState {
    return this.#pages[ordinal >>> PAGE_BITS]?.state(ordinal & (PAGE_SLOTS - 1)) ?? NO_STATE;
  }

  put(ordinal: number, state: TraitState): void {
    const i = ordinal >>> PAGE_BITS;
    while (this.#pages.length <= i) this.#pages.push(undefined);
    this.#pages[i] ??= new TraitPage(this.#shared);
    this.#pages[i].put(ordinal & (PAGE_SLOTS - 1), state);
  }

  delete(ordinal: number): void {
    const i = ordinal >>> PAGE_BITS;
    const page = this.#pages[i];
    page?.delete(ordinal & (PAGE_SLOTS - 1));
    if (page?.isEmpty) this.#pages[i] = undefined;
  }

  /** Takes over, while new, what another column has of ordinals that are `here`; small steps. */
  *inherit(parent: TraitColumn, here: Bitset): Generator<void> {
    const uses = new Uint32Array(parent.#shared.refsEnd);
    for (const [i, page] of parent.#pages.entries()) {
      const mask = new Uint32Array(PAGE_WORDS);
      mask.set(here.words.subarray(i * PAGE_WORDS, (i + 1) * PAGE_WORDS));
      this.#pages.push(page === undefined ? undefined : yield* page.keptSteps(mask, this.#shared, uses));
      yield;
    }
    yield* this.#shared.inherit(parent.#shared, uses);
  }

  /** Visits the ordinals that have a state, in ascending order. */
  forEach(visit: (ordinal: number) => void): void {
    for (const [i, page] of this.#pages.entries()) {
      page?.forEach((slot) => {
        visit((i << PAGE_BITS) + slot);
      });
    }
  }

  /** As ProfilesView's. */
  *selectSteps(predicate: ValuePredicate, size: number): Generator<void, Bitset> {
    const tests = yield* ValueTests.of(predicate, this.#shared);
    const pageCount = Math.ceil(size / PAGE_SLOTS);
    const slotCount = pageCount * PAGE_SLOTS;
    const selected = predicate.missing ? Bitset.full(slotCount) : new Bitset(slotCount);
    for (const [i, page] of this.#pages.slice(0, pageCount).entries()) {
      const words = selected.words.subarray(i * PAGE_WORDS, (i + 1) * PAGE_WORDS);
      if (page !== undefined) yield* page.selectSteps(tests, words);
    }
    return selected.resized(size);
  }
}
