import type { Bitset } from '../../base/bitset.ts';
import type { TabletView } from '../../store/view.ts';
import type { JsonObject } from '../shape.ts';
import type { QueryStats } from '../stats.ts';

/** When an analysis is made, and of which time: resolved once, so that all tablets see the same. */
export interface AnalysisFrame {
  readonly atMs: number;
  readonly nowMs: number;
  /** Of `from` and `to`, [fromMs, toMs); without bounds where they were not given. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The account's, IANA. */
  readonly zone: string;
}

/** What an analysis sees of one tablet. */
export interface AnalysisContext {
  readonly view: TabletView;
  readonly frame: AnalysisFrame;
  /** Canonical ordinals of those whom it is about: the segment's members, or all users. */
  readonly users: Bitset;
  readonly stats: QueryStats;
}

/**
 * A kind of analysis: `map` makes a part of each tablet, which travels between threads as a structured clone, and
 * `reduce` the answer of all of them: at once, or in small steps where parts may be large. Its request is what `parse`
 * makes of the params that are its own.
 */
export interface Analysis<Request, Part, Result extends object> {
  /** Of params, besides those that all analyses take. */
  readonly keys: readonly string[];
  /** Throws `bad_request` with the path of what is wrong. */
  parse(params: JsonObject): Request;
  map(context: AnalysisContext, request: Request): Generator<void, Part>;
  reduce(parts: readonly Part[], request: Request, frame: AnalysisFrame): Result | Generator<void, Result>;
}

/**
 * An analysis whose `map` must know something of all tablets, such as which values are the top ones: its survey is asked
 * of them first, and what is chosen by the answers is given to `map` and `reduce`. Events that arrive between the two
 * are seen by `map` alone.
 */
export interface SurveyedAnalysis<Request, Sketch, Choice, Part, Result extends object> {
  readonly keys: readonly string[];
  parse(params: JsonObject): Request;
  readonly survey: {
    /** Without need no tablet is asked, and the choice is made of no sketches. */
    isNeeded(request: Request, frame: AnalysisFrame): boolean;
    map(context: AnalysisContext, request: Request): Generator<void, Sketch>;
    /** What is chosen travels to the tablets as a structured clone, if they are asked. */
    choose(sketches: readonly Sketch[], request: Request, frame: AnalysisFrame): Generator<void, Choice>;
    /** Whether the survey told all there is to know: then no tablet is mapped, and `reduce` gets no parts. */
    isEnough?(choice: Choice): boolean;
  };
  map(context: AnalysisContext, request: Request, choice: Choice): Generator<void, Part>;
  reduce(
    parts: readonly Part[],
    request: Request,
    frame: AnalysisFrame,
    choice: Choice,
  ): Generator<void, Result>;
}
