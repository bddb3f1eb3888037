import type { MemoryBudget } from '../../base/memoryBudget.ts';
import type { CellMeasure } from './measure.ts';

/** The place of an event that is in no cell. */
export const NO_CELL = -1;

/** In which cells events are: those of user i are [starts[i], starts[i + 1]). An event may be there more than once. */
export interface PlacedEvents {
  readonly count: number;
  readonly userCount: number;
  readonly starts: Uint32Array;
  /** NO_CELL for those in none. */
  readonly cells: Int32Array;
  /** Of the measure's property; NaN for none. Empty where the measure has no property. */
  readonly numbers: Float64Array;
}

/** What a tablet has of cells; `merged` makes one of those of several tablets, which have no users in common. */
export interface CellPart {
  readonly values: Float64Array;
  /** Of an average: how many numbers. */
  readonly counts: Float64Array;
}

/** The number, and how many or whose, at the most. */
const CELL_BYTES = 16;

/** A measure of the events of each cell. */
export class CellValues {
  readonly #kind: CellMeasure['kind'];
  #values: Float64Array;
  #counts: Float64Array;
  /** The user seen last in each cell. */
  #stamps: Uint32Array;
  #usersSeen = 0;
  readonly #budget: MemoryBudget | undefined;

  constructor(kind: CellMeasure['kind'], cellCount: number, budget?: MemoryBudget) {
    this.#kind = kind;
    this.#budget = budget;
    budget?.charge(cellCount * CELL_BYTES);
    this.#values = new Float64Array(cellCount).fill(initialOf(kind));
    this.#counts = new Float64Array(kind === 'avg' ? cellCount : 0);
    this.#stamps = new Uint32Array(kind === 'users' ? cellCount : 0);
  }

  /** All that a user did must be in one call, or he counts as several. */
  add({ count, userCount, starts, cells, numbers }: PlacedEvents): void {
    const values = this.#values;
    switch (this.#kind) {
      case 'events':
        countEvents(cells, count, values);
        break;
      case 'users':
        countUsers(cells, starts, userCount, this.#stamps, this.#usersSeen, values);
        this.#usersSeen += userCount;
        break;
      case 'sum':
        addNumbers(cells, numbers, count, values);
        break;
      case 'avg':
        addNumbers(cells, numbers, count, values);
        countNumbers(cells, numbers, count, this.#counts);
        break;
      case 'min':
        keepLeast(cells, numbers, count, values);
        break;
      case 'max':
        keepGreatest(cells, numbers, count, values);
    }
  }

  /** So many more events of a cell, of which the measure is how many. */
  increase(cell: number, events: number): void {
    this.#values[cell]! += events;
  }

  /** Makes room for so many cells. */
  reserve(cellCount: number): void {
    if (cellCount <= this.#values.length) return;
    const size = Math.max(cellCount, 2 * this.#values.length);
    this.#budget?.charge((size - this.#values.length) * CELL_BYTES);
    const longer = new CellValues(this.#kind, size);
    longer.#values.set(this.#values);
    longer.#counts.set(this.#counts);
    longer.#stamps.set(this.#stamps);
    this.#values = longer.#values;
    this.#counts = longer.#counts;
    this.#stamps = longer.#stamps;
  }

  part(): CellPart {
    return { values: this.#values, counts: this.#counts };
  }
}

function initialOf(kind: CellMeasure['kind']): number {
  if (kind === 'min') return Number.POSITIVE_INFINITY;
  return kind === 'max' ? Number.NEGATIVE_INFINITY : 0;
}

export function merged(kind: CellMeasure['kind'], parts: readonly CellPart[], cellCount: number): CellPart {
  const target = emptyCells(kind, cellCount);
  for (const part of parts) mergeCells(kind, part, 0, target, 0, cellCount);
  return target;
}

export function emptyCells(kind: CellMeasure['kind'], cellCount: number): CellPart {
  const values = new Float64Array(cellCount).fill(initialOf(kind));
  return { values, counts: new Float64Array(kind === 'avg' ? cellCount : 0) };
}

/** Merges `count` cells from a place of the source into those from a place of the target. */
export function mergeCells(
  kind: CellMeasure['kind'],
  source: CellPart,
  sourceAt: number,
  target: CellPart,
  targetAt: number,
  count: number,
): void {
  const { values: from } = source;
  const { values: to } = target;
  if (kind === 'min' || kind === 'max') {
    const better = kind === 'min' ? Math.min : Math.max;
    for (let i = 0; i < count; i++) to[targetAt + i] = better(to[targetAt + i]!, from[sourceAt + i]!);
    return;
  }
  addCells(from, sourceAt, to, targetAt, count);
  if (kind === 'avg') addCells(source.counts, sourceAt, target.counts, targetAt, count);
}

/** 0 of nothing where that is a number of something, else null. */
export function valueOfCell(
  kind: CellMeasure['kind'],
  { values, counts }: CellPart,
  cell: number,
): number | null {
  const value = values[cell]!;
  if (kind === 'avg') return counts[cell] === 0 ? null : value / counts[cell]!;
  return Number.isFinite(value) ? value : null;
}

/** Mostly of so few that parts of arrays would cost more than they are. */
function addCells(
  source: Float64Array,
  sourceAt: number,
  target: Float64Array,
  targetAt: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[targetAt + i]! += source[sourceAt + i]!;
}

function countEvents(cells: Int32Array, count: number, values: Float64Array): void {
  for (let i = 0; i < count; i++) if (cells[i]! >= 0) values[cells[i]!]!++;
}

/** Users are numbered from usersSeen + 1 on: 0 is the stamp of nobody. */
function countUsers(
  cells: Int32Array,
  starts: Uint32Array,
  userCount: number,
  stamps: Uint32Array,
  usersSeen: number,
  values: Float64Array,
): void {
  for (let u = 0; u < userCount; u++) {
    const user = usersSeen + u + 1;
    const end = starts[u + 1]!;
    for (let i = starts[u]!; i < end; i++) {
      const cell = cells[i]!;
      if (cell < 0 || stamps[cell] === user) continue;
      stamps[cell] = user;
      values[cell]!++;
    }
  }
}

// A comparison with NaN is false: that leaves out events without a number.

function addNumbers(cells: Int32Array, numbers: Float64Array, count: number, values: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    if (cells[i]! >= 0 && !Number.isNaN(number)) values[cells[i]!]! += number;
  }
}

function countNumbers(cells: Int32Array, numbers: Float64Array, count: number, counts: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    if (cells[i]! >= 0 && !Number.isNaN(number)) counts[cells[i]!]!++;
  }
}

function keepLeast(cells: Int32Array, numbers: Float64Array, count: number, values: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const cell = cells[i]!;
    if (cell >= 0 && numbers[i]! < values[cell]!) values[cell] = numbers[i]!;
  }
}

function keepGreatest(cells: Int32Array, numbers: Float64Array, count: number, values: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const cell = cells[i]!;
    if (cell >= 0 && numbers[i]! > values[cell]!) values[cell] = numbers[i]!;
  }
}
