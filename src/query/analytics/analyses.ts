import { badRequest } from '../../base/errors.ts';
import { parseTimePoint } from '../parseTest.ts';
import { type Moment, timeOf } from '../predicate.ts';
import { asText, checkKeys, type JsonObject } from '../shape.ts';
import type { Analysis, AnalysisContext, AnalysisFrame } from './analysis.ts';
import { funnel } from './funnel.ts';

/** An analysis whose own types only it knows. */
export interface AnyAnalysis {
  /** Throws `bad_request` with the path of what is wrong. */
  check(params: JsonObject): void;
  map(context: AnalysisContext, params: JsonObject): Generator<void, unknown>;
  reduce(parts: readonly unknown[], params: JsonObject, frame: AnalysisFrame): Generator<void, object>;
}

/** All that may be asked for, by name (INTERFACE §5). */
export const ANALYSES: Readonly<Record<string, AnyAnalysis>> = {
  funnel: untyped(funnel),
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
