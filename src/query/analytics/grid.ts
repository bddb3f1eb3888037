import type { EventPage } from '../eventPage.ts';
import type { Axis } from './axis.ts';
import { NO_CELL, type PlacedEvents } from './cellValues.ts';
import { SEVERAL } from './idPlaces.ts';

/** Cells of two axes: row · columns.width + column. */
export class Grid {
  readonly cellCount: number;
  readonly #rows: Axis;
  readonly #columns: Axis;
  #cells = new Int32Array(0);

  constructor(rows: Axis, columns: Axis) {
    this.#rows = rows;
    this.#columns = columns;
    this.cellCount = rows.width * columns.width;
  }

  /**
   * The page's events of a kind in their cells; both axes must have placed the page. `numbers` are the events', or
   * empty. Good until the next page.
   */
  place(page: EventPage, kind: number, numbers: Float64Array): PlacedEvents {
    const bit = (1 << kind) >>> 0;
    if (this.#rows.hasSeveral || this.#columns.hasSeveral) return this.#placeSeveral(page, bit, numbers);
    const { eventCount: count, userCount, starts } = page;
    if (this.#cells.length < count) this.#cells = new Int32Array(count);
    const cells = this.#cells;
    placeCells(this.#rows.slots, this.#columns.slots, this.#columns.width, page.kinds, bit, count, cells);
    return { count, userCount, starts, cells, numbers };
  }

  /** An event once for each of its cells. Not quick, but arrays are rare. */
  #placeSeveral(page: EventPage, bit: number, numbers: Float64Array): PlacedEvents {
    const cells: number[] = [];
    const ofCells: number[] = [];
    const starts = new Uint32Array(page.userCount + 1);
    for (let user = 0; user < page.userCount; user++) {
      for (let event = page.starts[user]!; event < page.starts[user + 1]!; event++) {
        if ((page.kinds[event]! & bit) === 0) continue;
        for (const row of slotsOf(this.#rows, event)) {
          for (const column of slotsOf(this.#columns, event)) {
            cells.push(row * this.#columns.width + column);
            if (numbers.length > 0) ofCells.push(numbers[event]!);
          }
        }
      }
      starts[user + 1] = cells.length;
    }
    return {
      count: cells.length,
      userCount: page.userCount,
      starts,
      cells: Int32Array.from(cells),
      numbers: Float64Array.from(ofCells),
    };
  }
}

function slotsOf(axis: Axis, event: number): readonly number[] {
  const slot = axis.slots[event]!;
  return slot === SEVERAL ? axis.severalAt(event) : [slot];
}

/** cells[i] = rows[i] · width + columns[i] for the first `count` events, NO_CELL for those of other kinds than the bit. */
function placeCells(
  rows: Int32Array,
  columns: Int32Array,
  width: number,
  kinds: Uint32Array,
  bit: number,
  count: number,
  cells: Int32Array,
): void {
  for (let i = 0; i < count; i++) {
    cells[i] = (kinds[i]! & bit) === 0 ? NO_CELL : Math.imul(rows[i]!, width) + columns[i]!;
  }
}
