import { badRequest } from '../base/errors.ts';
import type { Comparison, Measure } from './criterion.ts';
import { parseTest, parseWithin, TEST_KEYS } from './parseTest.ts';
import type { PatternCheck } from './pattern.ts';
import type { JsonObject } from './shape.ts';
import * as shape from './shape.ts';

/** The keys of an event criterion that say what is asked of its matches, of which it has at most one. */
export const MEASURES = [
  ...['count', 'sum', 'avg', 'min', 'max', 'distinct', 'days'],
  ...['first', 'last', 'lastValue', 'mostFrequent'],
] as readonly Measure['kind'][];

const COMPARISONS = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between'] as const;
const AT_LEAST_ONCE: Measure = { kind: 'count', compare: { op: 'gte', value: 1 } };

/** The measure of an event criterion; its other keys are the caller's to check. */
export function parseMeasure(object: JsonObject, path: string, patterns: PatternCheck): Measure {
  if (MEASURES.every((measure) => object[measure] === undefined)) return AT_LEAST_ONCE;
  const kind = shape.oneOf(object, path, MEASURES);
  const ownPath = `${path}.${kind}`;
  switch (kind) {
    case 'count':
    case 'days':
      return { kind, compare: parseComparison(shape.asObject(object[kind], ownPath), ownPath) };
    case 'first':
    case 'last':
      return { kind, within: parseWithin(object[kind], ownPath) };
    default:
      return parseMeasureOfProperty(kind, shape.asObject(object[kind], ownPath), ownPath, patterns);
  }
}

type MeasureOfProperty = Extract<Measure, { readonly prop: string }>;

function parseMeasureOfProperty(
  kind: MeasureOfProperty['kind'],
  object: JsonObject,
  path: string,
  patterns: PatternCheck,
): MeasureOfProperty {
  switch (kind) {
    case 'lastValue':
      shape.checkKeys(object, path, ['prop', ...TEST_KEYS]);
      return { kind, prop: propOf(object, path), test: parseTest(object, path, patterns) };
    case 'mostFrequent':
      shape.checkKeys(object, path, ['prop', 'value']);
      return { kind, prop: propOf(object, path), value: shape.asScalar(object.value, `${path}.value`) };
    default: {
      shape.checkKeys(object, path, ['prop', ...COMPARISONS]);
      const { prop: _, ...comparison } = object;
      return { kind, prop: propOf(object, path), compare: parseComparison(comparison, path) };
    }
  }
}

function propOf(object: JsonObject, path: string): string {
  return shape.asName(object.prop, `${path}.prop`);
}

function parseComparison(object: JsonObject, path: string): Comparison {
  const op = shape.onlyKey(object, path, COMPARISONS);
  const ownPath = `${path}.${op}`;
  if (op !== 'between') return { op, value: shape.asNumber(object[op], ownPath) };
  const ends = shape.asList(object.between, ownPath, 2);
  if (ends.length !== 2) throw badRequest('must be [lowest, highest]', ownPath);
  return {
    op,
    low: shape.asNumber(ends[0], `${ownPath}[0]`),
    high: shape.asNumber(ends[1], `${ownPath}[1]`),
  };
}
