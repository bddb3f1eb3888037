import { badRequest } from '../../base/errors.ts';
import { TREND_POINTS_MAX } from '../../base/limits.ts';
import { isoTime } from '../../base/time.ts';
import type { Scalar } from '../../base/value.ts';
import type { EventFilter } from '../criterion.ts';
import { EVENT_KINDS_MAX, eventPages } from '../eventPages.ts';
import { type WantedEvents, wantedEvents } from '../filter.ts';
import { findIntervals, type Interval, Intervals, intervalsOf, parseInterval } from '../intervals.ts';
import { mayMatch } from '../selectRows.ts';
import { asFilledList, asObject } from '../shape.ts';
import type { AnalysisContext, AnalysisFrame, SurveyedAnalysis } from './analysis.ts';
import { IntervalAxis, KeyAxis, PageKeys, SingleAxis } from './axis.ts';
import { type Breakdown, NO_KEY, OTHER_KEY, parseBreakdown } from './breakdown.ts';
import { type CellPart, CellValues, merged, valueOfCell } from './cellValues.ts';
import { EventNumbers } from './eventNumbers.ts';
import { frameSpan, parseEventFilter } from './frameEvents.ts';
import { Grid } from './grid.ts';
import { KeyIds, type KeySource } from './keyIds.ts';
import { type ChosenKeys, chooseKeysSteps, type KeySketch } from './keySurvey.ts';
import { type CellMeasure, parseCellMeasure } from './measure.ts';
import { foldSteps } from './wideFold.ts';
import { type WideSketch, wideSteps } from './wideTrend.ts';

export interface TrendRequest {
  readonly events: readonly {
    /** As asked for: a name, or a list of names. */
    readonly event: unknown;
    readonly filter: EventFilter;
  }[];
  readonly measure: CellMeasure;
  readonly interval: Interval;
  readonly breakdown: Breakdown | undefined;
}

export interface TrendChoice {
  /** Where intervals begin and the last one ends. */
  readonly startsMs: Float64Array;
  /** By event of the request; none without a breakdown. */
  readonly keys: readonly ChosenKeys[];
  /** By event, by row and interval, where the survey told them all. */
  readonly cells: readonly CellPart[] | undefined;
}

export interface TrendResult {
  readonly series: readonly {
    readonly event: unknown;
    /** With a breakdown. */
    readonly key?: Scalar;
    readonly points: readonly { readonly t: string; readonly value: number | null }[];
  }[];
}

/** A number for each interval of the range, of each event and each of its top values. */
export const trend: SurveyedAnalysis<
  TrendRequest,
  WideSketch,
  TrendChoice,
  readonly CellPart[],
  TrendResult
> = {
  keys: ['events', 'measure', 'interval', 'breakdown'],

  parse: (params) => ({
    events: asFilledList(params.events, 'events', EVENT_KINDS_MAX).map((json, i) => {
      const filter = parseEventFilter(json, `events[${i}]`);
      return { event: asObject(json, `events[${i}]`).event, filter };
    }),
    measure: parseCellMeasure(params.measure, 'measure'),
    interval: parseInterval(params.interval, 'interval'),
    breakdown: params.breakdown === undefined ? undefined : parseBreakdown(params.breakdown, 'breakdown'),
  }),

  survey: {
    isNeeded: () => true,

    map: (context, request) => {
      const [source] = keySourcesOf(request);
      const kinds = kindsOf(context, request);
      const intervals = tabletIntervals(context, request, kinds);
      return wideSteps({ ...context, kinds, measure: request.measure, source, intervals });
    },

    *choose(sketches, request, frame) {
      const { events, interval, breakdown, measure } = request;
      const { startsMs, count } = intervalsOf({ interval, zone: frame.zone, ...rangeOf(sketches, frame) });
      const keys: ChosenKeys[] = [];
      if (breakdown !== undefined) {
        const wanted = { top: breakdown.top, path: 'breakdown' };
        for (const kind of events.keys()) keys.push(yield* chooseKeysSteps(sketches, 0, kind, wanted));
      }
      const rows = events.reduce((sum, _, i) => sum + rowCount(keys[i]), 0);
      if (rows * count > TREND_POINTS_MAX) {
        const message = `the answer has more than ${TREND_POINTS_MAX} points: ask for longer intervals, a shorter range or fewer values`;
        throw badRequest(message, 'interval');
      }
      const wide = sketches.flatMap((sketch) => sketch.wide ?? []);
      if (wide.length < sketches.length) return { startsMs, keys, cells: undefined };
      const cells: CellPart[] = [];
      for (const event of events.keys()) {
        cells.push(yield* foldSteps(wide, event, measure.kind, keys[event]?.keys, startsMs));
      }
      return { startsMs, keys, cells };
    },

    isEnough: ({ cells }) => cells !== undefined,
  },

  *map(context, request, { startsMs, keys }) {
    const { view, users, stats } = context;
    const { measure, events } = request;
    const intervals = new Intervals(startsMs);
    if (intervals.count === 0) return events.map(() => new CellValues(measure.kind, 0).part());
    const [source] = keySourcesOf(request);
    const pageKeys = source && new PageKeys(new KeyIds(view, source));
    const numbers = new EventNumbers(view, measure.prop);
    const columns = new IntervalAxis(intervals);
    const series = events.map((_, i) => {
      const rows = pageKeys === undefined ? new SingleAxis() : new KeyAxis(pageKeys, keys[i]!.keys);
      const grid = new Grid(rows, columns);
      return { rows, grid, values: new CellValues(measure.kind, grid.cellCount, view.budget) };
    });
    // Events that came since the intervals were chosen may be of earlier times.
    const kinds = kindsOf(context, request, startsMs[0]);
    yield* eventPages({ view, kinds, users, stats }, function* (page) {
      pageKeys?.read(page);
      numbers.readPage(page);
      columns.place(page);
      for (const [kind, { rows, grid, values }] of series.entries()) {
        yield;
        rows.place(page);
        values.add(grid.place(page, kind, numbers.numbers));
      }
    });
    return series.map(({ values }) => values.part());
  },

  *reduce(parts, { events, measure: { kind } }, _frame, { startsMs, keys, cells: surveyed }) {
    const count = Math.max(0, startsMs.length - 1);
    const times = Array.from(startsMs.subarray(0, count), (startMs) => isoTime(startMs));
    const series: TrendResult['series'][number][] = [];
    for (const [i, { event }] of events.entries()) {
      const own = parts.map((part) => part[i]!);
      const cells = surveyed?.[i] ?? merged(kind, own, rowCount(keys[i]) * count);
      for (const { key, row } of rowsOf(keys[i])) {
        yield;
        const points = times.map((t, j) => ({ t, value: valueOfCell(kind, cells, row * count + j) }));
        series.push(key === undefined ? { event, points } : { event, key, points });
      }
    }
    return { series };
  },
};

function keySourcesOf({ breakdown }: TrendRequest): readonly KeySource[] {
  return breakdown === undefined ? [] : [{ ...breakdown, path: `breakdown.${breakdown.source}` }];
}

function kindsOf(context: AnalysisContext, { events }: TrendRequest, notBeforeMs = Number.NEGATIVE_INFINITY) {
  const { fromMs, toMs } = frameSpan(context);
  const span = { fromMs: Math.max(fromMs, notBeforeMs), toMs };
  return events.map(({ filter }) => wantedEvents(context.view.schema, filter, span, context.frame));
}

/** Those that the tablet's events may be in; undefined when they are too many. */
function tabletIntervals(
  { view, frame }: AnalysisContext,
  { interval }: TrendRequest,
  kinds: readonly WantedEvents[],
): Intervals | undefined {
  const parts = view.events.parts().filter((part) => kinds.some((kind) => mayMatch(part, kind)));
  const [{ fromMs, toMs }] = kinds as readonly [WantedEvents];
  return findIntervals({
    interval,
    zone: frame.zone,
    fromMs: Math.max(
      fromMs,
      parts.reduce((least, { timeMinMs }) => Math.min(least, timeMinMs), Infinity),
    ),
    toMs: Math.min(
      toMs,
      parts.reduce((most, { timeMaxMs }) => Math.max(most, timeMaxMs + 1), -Infinity),
    ),
  });
}

/** From the earliest event, and to `at`, where the request does not say. */
function rangeOf(sketches: readonly KeySketch[], { fromMs, toMs, atMs }: AnalysisFrame) {
  const earliestMs = sketches.reduce((least, sketch) => Math.min(least, sketch.earliestMs), Infinity);
  return {
    fromMs: fromMs === Number.NEGATIVE_INFINITY ? earliestMs : fromMs,
    toMs: toMs === Number.POSITIVE_INFINITY ? atMs + 1 : toMs,
  };
}

function rowCount(keys: ChosenKeys | undefined): number {
  return keys === undefined ? 1 : keys.keys.length + 2;
}

function rowsOf(chosen: ChosenKeys | undefined): readonly { key?: Scalar; row: number }[] {
  if (chosen === undefined) return [{ row: 0 }];
  const { keys, hasOther, hasNone } = chosen;
  return [
    ...keys.map((key, row) => ({ key, row })),
    ...(hasOther ? [{ key: OTHER_KEY, row: keys.length }] : []),
    ...(hasNone ? [{ key: NO_KEY, row: keys.length + 1 }] : []),
  ];
}
