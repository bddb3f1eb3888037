import type { Bitset } from '../../base/bitset.ts';
import type { MemoryBudget } from '../../base/memoryBudget.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import type { Part, PlacedBy } from '../../store/part.ts';
import type { Intervals } from '../intervals.ts';
import { type KeyIds, UNREAD } from './keyIds.ts';
import { countPlacedSteps, PLACED_CELLS_MAX } from './placedParts.ts';

/** Places rows of parts by the parts' own codes of keys, and by interval. Without keys there is one code, 0. */
export class PlacedCodes {
  readonly #ids: KeyIds | undefined;
  readonly #intervals: Intervals | undefined;
  readonly #budget: MemoryBudget | undefined;

  constructor(ids: KeyIds | undefined, intervals: Intervals | undefined, budget: MemoryBudget | undefined) {
    this.#ids = ids;
    this.#intervals = intervals;
    this.#budget = budget;
  }

  takes(part: Part): boolean {
    const count = this.#codeCount(part);
    if (part.placedRowsSteps === undefined || count === undefined || this.#intervals === undefined)
      return false;
    return this.#intervals.count > 0 && count * this.#intervals.count <= PLACED_CELLS_MAX;
  }

  /** Of a part that is taken, as are all others. Times a factor. */
  codes(part: Part, factor: number): readonly PlacedBy[] {
    return this.#ids?.placedBy(part, factor) ?? [];
  }

  /** How many rows are in each code · intervals + interval. */
  *countCellsSteps(part: Part, rows: Bitset): Generator<void, Uint32Array> {
    const intervals = this.#intervals!;
    const by = [...this.codes(part, intervals.count), { intervals }];
    return yield* countPlacedSteps(part, rows, by, this.#codeCount(part)! * intervals.count, this.#budget);
  }

  /** None so far. */
  seenCodes(part: Part): SeenCodes {
    return new SeenCodes(this.#ids, part, this.#codeCount(part)!);
  }

  #codeCount(part: Part): number | undefined {
    return this.#ids === undefined ? 1 : this.#ids.codeCount(part);
  }
}

/** A part's codes as they occur. */
export class SeenCodes {
  /** By code, of how many rows. */
  readonly counts: Uint32Array;
  /** By code, of those that have occurred; UNREAD of others. */
  readonly ids: Uint32Array;
  readonly #keyIds: KeyIds | undefined;
  readonly #part: Part;

  constructor(keyIds: KeyIds | undefined, part: Part, codeCount: number) {
    this.#keyIds = keyIds;
    this.#part = part;
    this.counts = new Uint32Array(codeCount);
    this.ids = new Uint32Array(codeCount).fill(keyIds === undefined ? 0 : UNREAD);
  }

  add(codes: Uint32Array, sizes: Uint32Array): void {
    kernels().addSizes(codes, sizes, this.counts);
    this.#read();
  }

  /** Of one that occurs. */
  idOf(code: number): number {
    if (this.ids[code] === UNREAD) this.ids[code] = this.#keyIds!.idOfCode(this.#part, code);
    return this.ids[code]!;
  }

  /** Each so often. */
  addCounts(counts: Uint32Array): void {
    for (let code = 0; code < counts.length; code++) this.counts[code]! += counts[code]!;
    this.#read();
  }

  #read(): void {
    this.#keyIds?.readCodes(this.#part, this.counts, this.ids);
  }
}
