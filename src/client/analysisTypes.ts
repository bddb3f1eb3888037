import type { Scalar } from '../base/value.ts';
import type { EventFilter, QueryStats, Segment } from './types.ts';

/** The analyses; docs/reference/analysis.md says what each means. Times are ISO-8601 text. */
export interface AnalysisMethods {
  'analyze.trend': { params: TrendParams; result: Trend & { stats: QueryStats } };
  'analyze.funnel': { params: FunnelParams; result: Funnel & { stats: QueryStats } };
  'analyze.retention': { params: RetentionParams; result: Retention & { stats: QueryStats } };
  'analyze.flow': { params: FlowParams; result: Flow & { stats: QueryStats } };
  'analyze.pivot': { params: PivotParams; result: Pivot & { stats: QueryStats } };
  'analyze.rfm': { params: RfmParams; result: Rfm & { stats: QueryStats } };
}

/** What all of them take. */
export interface AnalysisParams {
  /** Of events in [from, to): ISO-8601, or relative to `at` as `-30d`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Only these users. */
  readonly segment?: Segment | undefined;
  readonly at?: string | undefined;
}

export type BreakdownParams = { readonly top?: number } & (
  | { readonly prop: string }
  | { readonly profile: string }
);

export type CellMeasure =
  | 'events'
  | 'users'
  | { readonly [measure in 'sum' | 'avg' | 'min' | 'max']?: string };

export interface TrendParams extends AnalysisParams {
  readonly events: readonly EventFilter[];
  readonly measure: CellMeasure;
  readonly interval: 'hour' | 'day' | 'week' | 'month';
  readonly breakdown?: BreakdownParams;
}

export interface Trend {
  readonly series: readonly {
    readonly event: EventFilter['event'];
    /** With a breakdown. */
    readonly key?: Scalar;
    /** `value` is null where there is no number to take it of. */
    readonly points: readonly { readonly t: string; readonly value: number | null }[];
  }[];
}

export interface FunnelParams extends AnalysisParams {
  /** 2 to 12. */
  readonly steps: readonly EventFilter[];
  /** A duration such as `7d`. */
  readonly window: string;
  readonly breakdown?: BreakdownParams;
}

export interface Funnel {
  readonly steps: readonly FunnelStep[];
  readonly breakdown?: readonly { readonly key: Scalar; readonly steps: readonly FunnelStep[] }[];
}

export interface FunnelStep {
  readonly users: number;
  /** Shares from 0 to 1. */
  readonly fromStart: number;
  readonly fromPrevious: number;
  /** Since the previous step. */
  readonly medianMs: number | null;
}

export interface RetentionParams extends AnalysisParams {
  readonly start: EventFilter;
  readonly return: EventFilter;
  readonly interval: 'day' | 'week' | 'month';
  /** After the cohort's own interval. */
  readonly periods: number;
}

export interface Retention {
  readonly cohorts: readonly {
    readonly t: string;
    readonly size: number;
    /** In the cohort's own interval, the next one, and so on. */
    readonly returned: readonly number[];
  }[];
}

export type FlowParams = AnalysisParams & {
  readonly steps: number;
  readonly window: string;
  readonly top?: number;
} & ({ readonly start: EventFilter } | { readonly end: EventFilter });

export interface Flow {
  readonly nodes: readonly {
    readonly id: string;
    /** 0 is the event asked for; what comes before it has negative ones. */
    readonly step: number;
    readonly event: string;
    readonly users: number;
  }[];
  /** Between nodes of one step and the next, in time. */
  readonly links: readonly { readonly source: string; readonly target: string; readonly users: number }[];
}

export interface PivotParams extends AnalysisParams, EventFilter {
  readonly rows: BreakdownParams;
  readonly columns: BreakdownParams | { readonly interval: TrendParams['interval'] };
  readonly measure: CellMeasure;
  readonly compare?: 'previous';
}

export interface Pivot {
  readonly rows: readonly Scalar[];
  /** Values, or where intervals begin. */
  readonly columns: readonly Scalar[];
  /** By row, by column. */
  readonly cells: readonly (readonly PivotCell[])[];
  readonly rowTotals: readonly PivotTotal[];
  readonly columnTotals: readonly PivotTotal[];
  readonly total: PivotTotal;
}

export interface PivotTotal {
  readonly value: number | null;
  /** With `compare`: of as long a time before. */
  readonly previous?: number | null;
}

export interface PivotCell extends PivotTotal {
  readonly expected?: number;
  readonly score?: number;
  readonly standsOut?: boolean;
}

export interface RfmParams extends AnalysisParams, EventFilter {
  /** The property that says what was spent. */
  readonly monetary: string;
}

export interface RfmCell {
  readonly users: number;
  /** What they spent together. */
  readonly value: number;
}

export interface Rfm extends RfmCell {
  /** By score of recency, then by that of frequency and monetary value, both from 1 to 5. */
  readonly grid: readonly (readonly RfmCell[])[];
  readonly groups: readonly (RfmCell & { readonly name: string; readonly segment: Segment })[];
}
