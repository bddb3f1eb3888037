import { popcount32 } from '../base/bitset.ts';
import { isArray, type Value } from '../base/value.ts';
import { NO_STATE, type TraitState, traitValue } from './traitState.ts';

/**
 * One trait of all users. Pages of 1024 ordinals hold a bit per ordinal and, for the bits set, a value and a time in
 * dense lists: 16 bytes beside the value itself, whether all users have the trait or few. A value that was only ever set
 * or unset is stored as it is (null for unset); one with other operations, as its whole state.
 */
export class TraitColumn {
  readonly #pages: (Page | undefined)[] = [];
  /** Texts that repeat are stored once, as far as there are few of them. */
  readonly #texts = new Map<string, string>();
  #cellBytes = 0;
  #pageCount = 0;

  get memoryBytes(): number {
    return this.#cellBytes + this.#pageCount * PAGE_BYTES;
  }

  value(ordinal: number): Value | undefined {
    const page = this.#pages[ordinal >>> PAGE_BITS];
    return page !== undefined && isPresent(page, ordinal)
      ? cellValue(page.cells[rank(page, ordinal)]!)
      : undefined;
  }

  state(ordinal: number): TraitState {
    const page = this.#pages[ordinal >>> PAGE_BITS];
    if (page === undefined || !isPresent(page, ordinal)) return NO_STATE;
    const at = rank(page, ordinal);
    const cell = page.cells[at]!;
    return isState(cell) ? cell : { ...NO_STATE, set: { value: cell, timeMs: page.timesMs[at]! } };
  }

  put(ordinal: number, state: TraitState): void {
    const page = this.#pageOf(ordinal);
    const at = rank(page, ordinal);
    if (isPresent(page, ordinal)) this.#cellBytes -= cellBytes(page.cells[at]!);
    else {
      page.present[(ordinal & PAGE_MASK) >>> 5]! |= 1 << (ordinal & 31);
      page.cells.splice(at, 0, null);
      page.timesMs.splice(at, 0, 0);
    }
    const isPlain = state.set !== undefined && state.increments.length === 0 && state.elements.length === 0;
    const cell = isPlain ? this.#shared(state.set!.value) : state;
    page.cells[at] = cell;
    page.timesMs[at] = isPlain ? state.set!.timeMs : 0;
    this.#cellBytes += cellBytes(cell);
  }

  delete(ordinal: number): void {
    const page = this.#pages[ordinal >>> PAGE_BITS];
    if (page === undefined || !isPresent(page, ordinal)) return;
    page.present[(ordinal & PAGE_MASK) >>> 5]! &= ~(1 << (ordinal & 31));
    const at = rank(page, ordinal);
    this.#cellBytes -= cellBytes(page.cells[at]!);
    page.cells.splice(at, 1);
    page.timesMs.splice(at, 1);
  }

  /** Visits the ordinals that have a state, in ascending order. */
  forEach(visit: (ordinal: number, value: Value | undefined) => void): void {
    for (const [i, page] of this.#pages.entries()) {
      if (page === undefined) continue;
      let at = 0;
      for (let w = 0; w < PAGE_WORDS; w++) {
        for (let word = page.present[w]!; word !== 0; word &= word - 1) {
          const bit = 31 - Math.clz32(word & -word);
          visit((i << PAGE_BITS) + (w << 5) + bit, cellValue(page.cells[at]!));
          at++;
        }
      }
    }
  }

  #pageOf(ordinal: number): Page {
    const i = ordinal >>> PAGE_BITS;
    while (this.#pages.length <= i) this.#pages.push(undefined);
    let page = this.#pages[i];
    if (page === undefined) {
      page = { present: new Uint32Array(PAGE_WORDS), cells: [], timesMs: [] };
      this.#pages[i] = page;
      this.#pageCount++;
    }
    return page;
  }

  #shared(value: Value | null): Value | null {
    if (typeof value !== 'string') return value;
    const shared = this.#texts.get(value);
    if (shared !== undefined) return shared;
    if (this.#texts.size < SHARED_TEXTS_MAX) this.#texts.set(value, value);
    return value;
  }
}

type Cell = Value | null | TraitState;

interface Page {
  readonly present: Uint32Array;
  /** Of the bits set in `present`, in their order. */
  readonly cells: Cell[];
  /** The times of plain cells; 0 beside a state. */
  readonly timesMs: number[];
}

const PAGE_BITS = 10;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
const PAGE_WORDS = 1 << (PAGE_BITS - 5);
/** The bits and the headers of the page's objects. */
const PAGE_BYTES = PAGE_WORDS * 4 + 200;
const SHARED_TEXTS_MAX = 4096;

function isState(cell: Cell): cell is TraitState {
  return typeof cell === 'object' && cell !== null && 'increments' in cell;
}

function cellValue(cell: Cell): Value | undefined {
  return isState(cell) ? traitValue(cell) : (cell ?? undefined);
}

function isPresent(page: Page, ordinal: number): boolean {
  return ((page.present[(ordinal & PAGE_MASK) >>> 5]! >>> (ordinal & 31)) & 1) === 1;
}

/** How many ordinals before this one are present: its place in the lists. */
function rank(page: Page, ordinal: number): number {
  const word = (ordinal & PAGE_MASK) >>> 5;
  let before = popcount32(page.present[word]! & ((1 << (ordinal & 31)) - 1));
  for (let w = 0; w < word; w++) before += popcount32(page.present[w]!);
  return before;
}

/** About: a text counts as if not shared, headers as on 64-bit V8. */
function cellBytes(cell: Cell): number {
  if (isState(cell)) return 120 + 40 * cell.increments.length + 48 * cell.elements.length;
  if (typeof cell === 'string') return 16 + 24 + cell.length;
  return cell !== null && isArray(cell) ? 16 + 32 + 32 * cell.length : 16;
}
