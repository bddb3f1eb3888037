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

/** A measure of the events of each cell. */
export class CellValues {
  readonly #kind: CellMeasure['kind'];
  readonly #values: Float64Array;
  readonly #counts: Float64Array;
  /** The user seen last in each cell. */
  readonly #stamps: Uint32Array;
  #usersSeen = 0;

  constructor(kind: CellMeasure['kind'], cellCount: number) {
    this.#kind = kind;
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

  part(): CellPart {
    return { values: this.#values, counts: this.#counts };
  }
}

function initialOf(kind: CellMeasure['kind']): number {
  if (kind === 'min') return Number.POSITIVE_INFINITY;
  return kind === 'max' ? Number.NEGATIVE_INFINITY : 0;
}

export function merged(kind: CellMeasure['kind'], parts: readonly CellPart[], cellCount: number): CellPart {
  const values = new Float64Array(cellCount).fill(initialOf(kind));
  const counts = new Float64Array(kind === 'avg' ? cellCount : 0);
  for (const part of parts) {
    if (kind === 'min') for (let i = 0; i < cellCount; i++) values[i] = Math.min(values[i]!, part.values[i]!);
    else if (kind === 'max')
      for (let i = 0; i < cellCount; i++) values[i] = Math.max(values[i]!, part.values[i]!);
    else addAll(part.values, values);
    addAll(part.counts, counts);
  }
  return { values, counts };
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

function addAll(source: Float64Array, target: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += source[i]!;
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
