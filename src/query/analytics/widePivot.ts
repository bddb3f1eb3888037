import type { Bitset } from '../../base/bitset.ts';
import { PIVOT_WIDE_CELLS_MAX } from '../../base/limits.ts';
import type { MemoryBudget } from '../../base/memoryBudget.ts';
import type { Scalar } from '../../base/value.ts';
import type { Part } from '../../store/part.ts';
import type { EventPagesOptions } from '../eventPages.ts';
import { type CellPart, CellValues, emptyCells, mergeCells, NO_CELL } from './cellValues.ts';
import { eventBatches, type WholeParts } from './eventBatches.ts';
import { EventNumbers } from './eventNumbers.ts';
import { KeyIds, type KeySource, UNREAD } from './keyIds.ts';
import { type KeySketch, surveyKeys } from './keySurvey.ts';
import type { CellMeasure } from './measure.ts';
import type { PivotPart } from './pivot.ts';
import { countPlacedSteps, PLACED_CELLS_MAX } from './placedParts.ts';
import type { KeyWeights } from './topKeys.ts';
import { WideKeys } from './wideKeys.ts';

/**
 * What a tablet has of all pairs of keys, not only of those that will be chosen: mostly they are few, and then one walk of
 * the events is enough. Cells are row · columns.length + column.
 */
export interface WidePivot {
  /** By number; the first is no value. */
  readonly rows: readonly (Scalar | undefined)[];
  readonly columns: readonly (Scalar | undefined)[];
  /** By span of the request: the measure, and how many events. */
  readonly spans: readonly { readonly cells: CellPart; readonly events: CellPart }[];
}

export interface WidePivotSketch extends KeySketch {
  /** Undefined when it were too much, or an event has several keys. */
  readonly wide: WidePivot | undefined;
}

/** A kind for each span, of a measure other than users: who is in several cells is not told. */
export type WidePivotOptions = EventPagesOptions & {
  readonly measure: CellMeasure;
  readonly rows: KeySource;
  readonly columns: KeySource;
};

/** One walk of the events, for all there is to know; another one where that is too much. */
export function* widePivotSteps(options: WidePivotOptions): Generator<void, WidePivotSketch> {
  const { view, kinds, measure } = options;
  const [rows, columns] = [new BatchKeys(options, options.rows), new BatchKeys(options, options.columns)];
  const numbers = new EventNumbers(view, measure.prop);
  const spans = kinds.map(() => ({
    cells: new PairCells(measure.kind, view.budget),
    events: measure.kind === 'events' ? undefined : new PairCells('events', view.budget),
  }));
  const size = (): Size => ({ height: rows.keys.keys.length, width: columns.keys.keys.length });
  let isTooMuch = false;
  let places = new Int32Array(0);
  const needsUsers = options.rows.source === 'profile' || options.columns.source === 'profile';
  /** Whether what there is so far is too much. */
  const check = (): boolean => {
    isTooMuch = rows.keys.hasSeveral || columns.keys.hasSeveral;
    const { height, width } = size();
    isTooMuch ||= height * width > PIVOT_WIDE_CELLS_MAX;
    return isTooMuch;
  };
  const whole: WholeParts = {
    takes: (part) => measure.kind === 'events' && arePlaced(part, rows, columns),
    *addSteps(part, byKind) {
      for (const [span, { cells }] of spans.entries()) {
        const selected = byKind[span];
        if (selected === undefined) continue;
        const pairs = yield* partPairsSteps(part, selected, rows, columns, view.budget);
        if (check()) return;
        cells.reserve(size());
        addPairs(pairs, rows, columns, cells);
        yield;
      }
    },
  };
  const batches = { ...options, needsTimes: false, needsUsers, isEnough: () => isTooMuch, whole };
  yield* eventBatches(batches, (batch) => {
    for (const axis of [rows, columns]) axis.read(batch);
    if (check()) return;
    numbers.readBatch(batch);
    const { count } = batch;
    if (places.length < count) places = new Int32Array(batch.rows.length);
    for (const [span, { cells, events }] of spans.entries()) {
      cells.reserve(size());
      events?.reserve(size());
      placePairs(rows, columns, cells.width, batch.kinds, (1 << span) >>> 0, count, places);
      const placed = { count, userCount: 0, starts: NO_STARTS, cells: places, numbers: numbers.numbers };
      cells.values.add(placed);
      events?.values.add(placed);
    }
  });
  if (isTooMuch) {
    const ofRange = { ...options, kinds: kinds.slice(0, 1) };
    return { ...(yield* surveyKeys(ofRange, [options.rows, options.columns])), wide: undefined };
  }
  const wide: WidePivot = {
    rows: rows.keys.keys,
    columns: columns.keys.keys,
    spans: spans.map(({ cells, events }) => ({
      cells: cells.part(size()),
      events: (events ?? cells).part(size()),
    })),
  };
  return { earliestMs: Number.POSITIVE_INFINITY, weights: weightsOf(wide), wide };
}

const NO_STARTS = new Uint32Array(1);

/** The keys of a source as they appear. */
class BatchKeys {
  readonly keys: WideKeys;
  readonly ids: KeyIds;
  /** Of the batch read last. */
  batchIds = new Uint32Array(0);

  constructor({ view }: EventPagesOptions, source: KeySource) {
    this.ids = new KeyIds(view, source);
    this.keys = new WideKeys(this.ids.values);
  }

  read(batch: Parameters<KeyIds['readBatch']>[0]): void {
    if (this.batchIds.length < batch.count) this.batchIds = new Uint32Array(batch.rows.length);
    this.ids.readBatch(batch, this.batchIds);
  }
}

/** Of a part: how many events have each pair of its own codes, row · columnIds.length + column. */
interface PartPairs {
  readonly counts: Uint32Array;
  /** By code. */
  readonly rowIds: Uint32Array;
  readonly columnIds: Uint32Array;
}

function arePlaced(part: Part, rows: BatchKeys, columns: BatchKeys): boolean {
  if (part.placedRowsSteps === undefined) return false;
  const [height, width] = [rows.ids.codeCount(part), columns.ids.codeCount(part)];
  return height !== undefined && width !== undefined && height * width <= PLACED_CELLS_MAX;
}

function* partPairsSteps(
  part: Part,
  selected: Bitset,
  rows: BatchKeys,
  columns: BatchKeys,
  budget: MemoryBudget | undefined,
): Generator<void, PartPairs> {
  const [height, width] = [rows.ids.codeCount(part)!, columns.ids.codeCount(part)!];
  const by = [...rows.ids.placedBy(part, width), ...columns.ids.placedBy(part, 1)];
  const counts = yield* countPlacedSteps(part, selected, by, height * width, budget);
  const [rowCounts, columnCounts] = [new Uint32Array(height), new Uint32Array(width)];
  for (let at = 0, row = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      rowCounts[row]! += counts[at]!;
      columnCounts[column]! += counts[at]!;
    }
  }
  const [rowIds, columnIds] = [rowCounts, columnCounts].map(({ length }) =>
    new Uint32Array(length).fill(UNREAD),
  );
  rows.ids.readCodes(part, rowCounts, rowIds!);
  columns.ids.readCodes(part, columnCounts, columnIds!);
  return { counts, rowIds: rowIds!, columnIds: columnIds! };
}

/** `cells` must have room. */
function addPairs(
  { counts, rowIds, columnIds }: PartPairs,
  rows: BatchKeys,
  columns: BatchKeys,
  cells: PairCells,
): void {
  const [rowOf, columnOf] = [rows.keys.keysOfIds(), columns.keys.keysOfIds()];
  for (let at = 0, row = 0; row < rowIds.length; row++) {
    for (let column = 0; column < columnIds.length; column++, at++) {
      if (counts[at] === 0) continue;
      cells.values.increase(rowOf[rowIds[row]!]! * cells.width + columnOf[columnIds[column]!]!, counts[at]!);
    }
  }
}

/** places[i] = row · width + column of event i, or NO_CELL where it is not of the kind. */
function placePairs(
  { batchIds: rowIds, keys: rowKeys }: BatchKeys,
  { batchIds: columnIds, keys: columnKeys }: BatchKeys,
  width: number,
  kinds: Uint32Array,
  bit: number,
  count: number,
  places: Int32Array,
): void {
  const [rowOf, columnOf] = [rowKeys.keysOfIds(), columnKeys.keysOfIds()];
  for (let i = 0; i < count; i++) {
    const place = Math.imul(rowOf[rowIds[i]!]!, width) + columnOf[columnIds[i]!]!;
    places[i] = (kinds[i]! & bit) === 0 ? NO_CELL : place;
  }
}

/** How many events of the range have each key of rows, and of columns. */
function weightsOf({ rows, columns, spans }: WidePivot): readonly (readonly KeyWeights[])[] {
  const { values } = spans[0]!.events;
  const rowWeights = new Float64Array(rows.length);
  const columnWeights = new Float64Array(columns.length);
  for (let row = 0; row < rows.length; row++) {
    for (let column = 0; column < columns.length; column++) {
      const events = values[row * columns.length + column]!;
      rowWeights[row]! += events;
      columnWeights[column]! += events;
    }
  }
  return [[weighed(rows, rowWeights)], [weighed(columns, columnWeights)]];
}

function weighed(keys: readonly (Scalar | undefined)[], weights: Float64Array): KeyWeights {
  const own = [...keys.keys()].filter((key) => weights[key]! > 0);
  return { keys: own.map((key) => keys[key]), weights: own.map((key) => weights[key]!) };
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** A measure of cells whose rows and columns become more. */
class PairCells {
  values: CellValues;
  #height = 8;
  /** Cells are row · width + column. */
  width = 8;
  readonly #kind: CellMeasure['kind'];
  readonly #budget: MemoryBudget | undefined;

  constructor(kind: CellMeasure['kind'], budget: MemoryBudget | undefined) {
    this.#kind = kind;
    this.#budget = budget;
    this.values = new CellValues(kind, this.#height * this.width, budget);
  }

  reserve({ height, width }: Size): void {
    if (height <= this.#height && width <= this.width) return;
    const before = { part: this.values.part(), height: this.#height, width: this.width };
    if (height > this.#height) this.#height = Math.max(height, 2 * this.#height);
    if (width > this.width) this.width = Math.max(width, 2 * this.width);
    this.values = new CellValues(this.#kind, this.#height * this.width, this.#budget);
    copyRows(this.#kind, before.part, before.width, this.values.part(), this.width, before);
  }

  /** Of exactly so many rows and columns. */
  part(size: Size): CellPart {
    const part = emptyCells(this.#kind, size.height * size.width);
    copyRows(this.#kind, this.values.part(), this.width, part, size.width, {
      height: size.height,
      width: Math.min(size.width, this.width),
    });
    return part;
  }
}

function copyRows(
  kind: CellMeasure['kind'],
  source: CellPart,
  sourceWidth: number,
  target: CellPart,
  targetWidth: number,
  { height, width }: Size,
): void {
  for (let row = 0; row < height; row++) {
    mergeCells(kind, source, row * sourceWidth, target, row * targetWidth, width);
  }
}

/** Folds what a tablet has of all keys into the chosen ones, all others and none. */
export function* foldedPivotSteps(
  { rows, columns, spans }: WidePivot,
  kind: CellMeasure['kind'],
  chosen: { readonly rows: readonly Scalar[]; readonly columns: readonly Scalar[] },
): Generator<void, PivotPart> {
  const [rowSlots, columnSlots] = [slotsOf(rows, chosen.rows), slotsOf(columns, chosen.columns)];
  const [height, width] = [chosen.rows.length + 2, chosen.columns.length + 2];
  const rowEvents = emptyCells('events', height);
  const columnEvents = emptyCells('events', width);
  const folded: PivotPart['spans'][number][] = [];
  for (const { cells, events } of spans) {
    const span = {
      cells: emptyCells(kind, height * width),
      rowTotals: emptyCells(kind, height),
      columnTotals: emptyCells(kind, width),
      total: emptyCells(kind, 1),
    };
    for (const [row, rowSlot] of rowSlots.entries()) {
      for (const [column, columnSlot] of columnSlots.entries()) {
        const at = row * columns.length + column;
        if (events.values[at] === 0) continue;
        mergeCells(kind, cells, at, span.cells, rowSlot * width + columnSlot, 1);
        mergeCells(kind, cells, at, span.rowTotals, rowSlot, 1);
        mergeCells(kind, cells, at, span.columnTotals, columnSlot, 1);
        mergeCells(kind, cells, at, span.total, 0, 1);
        mergeCells('events', events, at, rowEvents, rowSlot, 1);
        mergeCells('events', events, at, columnEvents, columnSlot, 1);
      }
      yield;
    }
    folded.push(span);
  }
  return { spans: folded, rowEvents, columnEvents };
}

/** By number of a key: the chosen ones have their own slots, then come all others and none. */
function slotsOf(keys: readonly (Scalar | undefined)[], chosen: readonly Scalar[]): readonly number[] {
  const slots = new Map(chosen.map((key, slot) => [key, slot]));
  return keys.map((key) => (key === undefined ? chosen.length + 1 : (slots.get(key) ?? chosen.length)));
}
