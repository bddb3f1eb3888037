import { badRequest } from '../../base/errors.ts';
import { parseTimePoint } from '../parseTest.ts';
import { type Moment, timeOf } from '../predicate.ts';
import { asText, checkKeys, type JsonObject } from '../shape.ts';
import type { Analysis, AnalysisContext, AnalysisFrame, SurveyedAnalysis } from './analysis.ts';
import { flow } from './flow.ts';
import { funnel } from './funnel.ts';
import { pivot } from './pivot.ts';
import { retention } from './retention.ts';
import { rfm } from './rfm.ts';
import { trend } from './trend.ts';

/** An analysis whose own types only it knows. */
export interface AnyAnalysis {
  /** Throws `bad_request` with the path of what is wrong. */
  check(params: JsonObject): void;
  /** Of a SurveyedAnalysis. */
  readonly survey?: AnySurvey;
  map(context: AnalysisContext, params: JsonObject, choice?: unknown): Generator<void, unknown>;
  reduce(
    parts: readonly unknown[],
    params: JsonObject,
    frame: AnalysisFrame,
    choice?: unknown,
  ): Generator<void, object>;
}

export interface AnySurvey {
  isNeeded(params: JsonObject, frame: AnalysisFrame): boolean;
  map(context: AnalysisContext, params: JsonObject): Generator<void, unknown>;
  choose(sketches: readonly unknown[], params: JsonObject, frame: AnalysisFrame): Generator<void, unknown>;
  isEnough(choice: unknown): boolean;
}

/** All that may be asked for, by name (INTERFACE §5). */
export const ANALYSES: Readonly<Record<string, AnyAnalysis>> = {
  trend: untypedSurveyed(trend),
  funnel: untyped(funnel),
  retention: untyped(retention),
  flow: untyped(flow),
  pivot: untypedSurveyed(pivot),
  rfm: untypedSurveyed(rfm),
};

/** What all analyses take. */
const COMMON_KEYS = ['from', 'to', 'segment', 'at'];

export function untyped<Request, Part, Result extends object>({
  keys,
  parse,
  map,
  reduce,
}: Analysis<Request, Part, Result>): AnyAnalysis {
  return {
    check: (params) => {
      checkKeys(params, '', [...COMMON_KEYS, ...keys]);
      parse(params);
    },
    map: (context, params) => map(context, parse(params)),
    *reduce(parts, params, frame) {
      const result = reduce(parts as readonly Part[], parse(params), frame);
      return isSteps(result) ? yield* result : result;
    },
  };
}

export function untypedSurveyed<Request, Sketch, Choice, Part, Result extends object>({
  keys,
  parse,
  survey,
  map,
  reduce,
}: SurveyedAnalysis<Request, Sketch, Choice, Part, Result>): AnyAnalysis {
  return {
    check: (params) => {
      checkKeys(params, '', [...COMMON_KEYS, ...keys]);
      parse(params);
    },
    survey: {
      isNeeded: (params, frame) => survey.isNeeded(parse(params), frame),
      map: (context, params) => survey.map(context, parse(params)),
      choose: (sketches, params, frame) => survey.choose(sketches as readonly Sketch[], parse(params), frame),
      isEnough: (choice) => survey.isEnough?.(choice as Choice) ?? false,
    },
    map: (context, params, choice) => map(context, parse(params), choice as Choice),
    reduce: (parts, params, frame, choice) =>
      reduce(parts as readonly Part[], parse(params), frame, choice as Choice),
  };
}

function isSteps<Result extends object>(
  result: Result | Generator<void, Result>,
): result is Generator<void, Result> {
  return Symbol.iterator in result;
}

/** Throws `bad_request` where `from` or `to` is not a time. */
export function frameOf(params: JsonObject, { atMs, zone }: Moment, nowMs: number): AnalysisFrame {
  const pointMs = (key: 'from' | 'to', otherwise: number) => {
    if (params[key] === undefined) return otherwise;
    return timeOf(parseTimePoint(asText(params[key], key), key), { atMs, zone });
  };
  const frame = { atMs, nowMs, zone, fromMs: pointMs('from', -Infinity), toMs: pointMs('to', Infinity) };
  if (frame.fromMs > frame.toMs) throw badRequest('is before from', 'to');
  return frame;
}
