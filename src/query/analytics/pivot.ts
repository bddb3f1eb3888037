import { badRequest } from '../../base/errors.ts';
import { PIVOT_CELLS_MAX, PIVOT_TOP, PIVOT_TOP_MAX } from '../../base/limits.ts';
import type { MemoryBudget } from '../../base/memoryBudget.ts';
import { isoTime } from '../../base/time.ts';
import type { Scalar } from '../../base/value.ts';
import type { TabletView } from '../../store/view.ts';
import type { EventFilter } from '../criterion.ts';
import { eventPages } from '../eventPages.ts';
import { wantedEvents } from '../filter.ts';
import { type Interval, Intervals, intervalsOf, parseInterval } from '../intervals.ts';
import { parseFilter } from '../parse.ts';
import { asObject, asWholeNumber, checkKeys, keysOf } from '../shape.ts';
import { visibleFromMs } from '../users.ts';
import type { AnalysisContext, AnalysisFrame, SurveyedAnalysis } from './analysis.ts';
import { type Axis, IntervalAxis, KeyAxis, PageKeys, SingleAxis } from './axis.ts';
import { parseBreakdown } from './breakdown.ts';
import { type CellPart, CellValues } from './cellValues.ts';
import { EventNumbers } from './eventNumbers.ts';
import { frameSpan } from './frameEvents.ts';
import { Grid } from './grid.ts';
import { KeyIds, type KeySource } from './keyIds.ts';
import { chooseKeysSteps, type KeySketch, surveyKeys } from './keySurvey.ts';
import { type CellMeasure, parseCellMeasure } from './measure.ts';
import { type PivotTable, pivotTableSteps } from './pivotTable.ts';
import { foldedPivotSteps, type WidePivotSketch, widePivotSteps } from './widePivot.ts';

export interface PivotRequest {
  readonly filter: EventFilter;
  readonly rows: PivotKeys;
  readonly columns: PivotKeys | { readonly interval: Interval };
  readonly measure: CellMeasure;
  /** Besides, the same of as long a time before. */
  readonly isCompared: boolean;
}

type PivotKeys = KeySource & { readonly top: number };

export interface PivotChoice {
  readonly rows: readonly Scalar[];
  /** The keys, or where intervals begin and the last one ends. */
  readonly columns: readonly Scalar[] | Float64Array;
  /** Where the survey told all there is to know. */
  readonly parts: readonly PivotPart[] | undefined;
}

/** The survey of pairs of keys tells all of them, unless it is too much. */
type PivotSketch = KeySketch & Partial<WidePivotSketch>;

/** Of one tablet: of the range, and of the one before if it is asked for. */
export interface PivotPart {
  readonly spans: readonly {
    readonly cells: CellPart;
    readonly rowTotals: CellPart;
    readonly columnTotals: CellPart;
    readonly total: CellPart;
  }[];
  /** Events by row and by column, of all spans. */
  readonly rowEvents: CellPart;
  readonly columnEvents: CellPart;
}

/** A number for each pair of values, and which of them are not as the rest of the table lets one expect. */
export const pivot: SurveyedAnalysis<PivotRequest, PivotSketch, PivotChoice, PivotPart, PivotTable> = {
  keys: ['event', 'where', 'rows', 'columns', 'measure', 'compare'],

  parse: (params) => {
    const rows = parseKeys(params.rows, 'rows');
    const columns = parseColumns(params.columns, 'columns');
    const { compare } = params;
    if (compare !== undefined) {
      if (compare !== 'previous') throw badRequest('must be previous', 'compare');
      if (params.from === undefined)
        throw badRequest('needs from, since it is about as long a time', 'compare');
      if ('interval' in columns) throw badRequest('does not go with columns of an interval', 'compare');
    }
    const measure = parseCellMeasure(params.measure, 'measure');
    return { filter: parseFilter(params, ''), rows, columns, measure, isCompared: compare !== undefined };
  },

  survey: {
    isNeeded: () => true,

    map: (context, request) => {
      const { rows, columns, measure } = request;
      const kinds = spansOf(context, request).map((span) =>
        wantedEvents(context.view.schema, request.filter, span, context.frame),
      );
      if ('interval' in columns) return surveyKeys({ ...context, kinds: kinds.slice(0, 1) }, [rows]);
      if (measure.kind === 'users')
        return surveyKeys({ ...context, kinds: kinds.slice(0, 1) }, [rows, columns]);
      return widePivotSteps({ ...context, kinds, measure, rows, columns });
    },

    *choose(sketches, { rows, columns, measure }, frame) {
      const { keys } = yield* chooseKeysSteps(sketches, 0, 0, rows);
      if (!('interval' in columns)) {
        const chosen = { rows: keys, columns: (yield* chooseKeysSteps(sketches, 1, 0, columns)).keys };
        const wide = sketches.flatMap((sketch) => sketch.wide ?? []);
        if (wide.length < sketches.length) return { ...chosen, parts: undefined };
        const parts: PivotPart[] = [];
        for (const each of wide) parts.push(yield* foldedPivotSteps(each, measure.kind, chosen));
        return { ...chosen, parts };
      }
      const { zone, fromMs, toMs, atMs } = frame;
      const earliestMs = sketches.reduce((least, sketch) => Math.min(least, sketch.earliestMs), Infinity);
      const { startsMs, count } = intervalsOf({
        interval: columns.interval,
        zone,
        fromMs: fromMs === Number.NEGATIVE_INFINITY ? earliestMs : fromMs,
        toMs: toMs === Number.POSITIVE_INFINITY ? atMs + 1 : toMs,
        path: 'columns.interval',
      });
      if (count * (keys.length + 2) > PIVOT_CELLS_MAX) {
        const message = `the table has more than ${PIVOT_CELLS_MAX} cells: ask for longer intervals or a shorter range`;
        throw badRequest(message, 'columns.interval');
      }
      return { rows: keys, columns: startsMs, parts: undefined };
    },

    isEnough: ({ parts }) => parts !== undefined,
  },

  *map(context, request, choice) {
    const { view, users, stats, frame } = context;
    const { filter, rows, columns, measure } = request;
    const notBeforeMs = choice.columns instanceof Float64Array ? (choice.columns[0] ?? Infinity) : -Infinity;
    const spans = spansOf(context, request);
    const kinds = spans.map(({ fromMs, toMs }) =>
      wantedEvents(view.schema, filter, { fromMs: Math.max(fromMs, notBeforeMs), toMs }, frame),
    );
    const [rowAxis, columnAxis] = [
      keyAxis(view, rows, choice.rows),
      columnAxisOf(view, columns, choice.columns),
    ];
    const table = new Table(
      { rows: rowAxis.axis, columns: columnAxis.axis },
      measure,
      spans.length,
      view.budget,
    );
    const numbers = new EventNumbers(view, measure.prop);
    yield* eventPages({ view, kinds, users, stats }, function* (page) {
      numbers.readPage(page);
      rowAxis.keys.read(page);
      columnAxis.keys?.read(page);
      yield;
      yield* table.addSteps(page, numbers.numbers);
    });
    return table.part();
  },

  reduce: (parts, { measure }, _frame, { rows, columns, parts: surveyed }) =>
    pivotTableSteps({
      parts: surveyed ?? parts,
      measure,
      rows,
      columns:
        columns instanceof Float64Array
          ? Array.from(columns.subarray(0, -1), (startMs) => isoTime(startMs))
          : columns,
      hasFoldedColumns: !(columns instanceof Float64Array),
    }),
};

function parseKeys(json: unknown, path: string): PivotKeys {
  const object = asObject(json, path);
  const { source, name, top } = parseBreakdown({ top: PIVOT_TOP, ...object }, path);
  asWholeNumber(top, `${path}.top`, { from: 1, to: PIVOT_TOP_MAX });
  return { source, name, top, path: `${path}.${source}` };
}

function parseColumns(json: unknown, path: string): PivotRequest['columns'] {
  const object = asObject(json, path);
  if (!keysOf(object).includes('interval')) return parseKeys(object, path);
  checkKeys(object, path, ['interval']);
  return { interval: parseInterval(object.interval, `${path}.interval`) };
}

/** The range, and the one before if it is asked for. */
function spansOf(context: AnalysisContext, { isCompared }: PivotRequest) {
  return [frameSpan(context), ...(isCompared ? [previousSpan(context.view, context.frame)] : [])];
}

/** As long as the range, and right before it. */
function previousSpan(view: TabletView, { fromMs, toMs, atMs, nowMs }: AnalysisFrame) {
  const lengthMs = Math.max(0, (toMs === Number.POSITIVE_INFINITY ? atMs + 1 : toMs) - fromMs);
  return {
    fromMs: Math.max(fromMs - lengthMs, visibleFromMs(view.settings, nowMs)),
    toMs: Math.min(fromMs, atMs + 1),
  };
}

function keyAxis(view: AnalysisContext['view'], source: KeySource, chosen: readonly Scalar[]) {
  const keys = new PageKeys(new KeyIds(view, source));
  return { keys, axis: new KeyAxis(keys, chosen) };
}

function columnAxisOf(
  view: TabletView,
  columns: PivotRequest['columns'],
  chosen: PivotChoice['columns'],
): { readonly keys?: PageKeys; readonly axis: Axis } {
  if ('interval' in columns) {
    return { axis: new IntervalAxis(new Intervals(chosen as Float64Array)) };
  }
  return keyAxis(view, columns, chosen as readonly Scalar[]);
}

/** Collects what a tablet has of the cells and their totals. */
class Table {
  readonly #axes: readonly Axis[];
  readonly #grids: { readonly cells: Grid; readonly rows: Grid; readonly columns: Grid; readonly all: Grid };
  readonly #spans: readonly {
    readonly cells: CellValues;
    readonly rowTotals: CellValues;
    readonly columnTotals: CellValues;
    readonly total: CellValues;
  }[];
  readonly #rowEvents: CellValues;
  readonly #columnEvents: CellValues;

  constructor(
    { rows, columns }: { readonly rows: Axis; readonly columns: Axis },
    { kind }: CellMeasure,
    spanCount: number,
    budget: MemoryBudget | undefined,
  ) {
    const single = new SingleAxis();
    this.#axes = [rows, columns, single];
    this.#grids = {
      cells: new Grid(rows, columns),
      rows: new Grid(rows, single),
      columns: new Grid(single, columns),
      all: new Grid(single, single),
    };
    this.#spans = Array.from({ length: spanCount }, () => ({
      cells: new CellValues(kind, rows.width * columns.width, budget),
      rowTotals: new CellValues(kind, rows.width),
      columnTotals: new CellValues(kind, columns.width),
      total: new CellValues(kind, 1),
    }));
    this.#rowEvents = new CellValues('events', rows.width);
    this.#columnEvents = new CellValues('events', columns.width);
  }

  *addSteps(page: Parameters<Grid['place']>[0], numbers: Float64Array): Generator<void, void> {
    for (const axis of this.#axes) axis.place(page);
    const grids = this.#grids;
    for (const [kind, { cells, rowTotals, columnTotals, total }] of this.#spans.entries()) {
      cells.add(grids.cells.place(page, kind, numbers));
      yield;
      const byRow = grids.rows.place(page, kind, numbers);
      rowTotals.add(byRow);
      this.#rowEvents.add(byRow);
      yield;
      const byColumn = grids.columns.place(page, kind, numbers);
      columnTotals.add(byColumn);
      this.#columnEvents.add(byColumn);
      total.add(grids.all.place(page, kind, numbers));
      yield;
    }
  }

  part(): PivotPart {
    return {
      spans: this.#spans.map(({ cells, rowTotals, columnTotals, total }) => ({
        cells: cells.part(),
        rowTotals: rowTotals.part(),
        columnTotals: columnTotals.part(),
        total: total.part(),
      })),
      rowEvents: this.#rowEvents.part(),
      columnEvents: this.#columnEvents.part(),
    };
  }
}
