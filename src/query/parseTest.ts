import { badRequest } from '../base/errors.ts';
import { SEGMENT_VALUES_MAX } from '../base/limits.ts';
import { daySpan, parseDuration, parseTime } from '../base/time.ts';
import type { Scalar } from '../base/value.ts';
import type { NearTest, TimePoint, ValueTest, Within } from './criterion.ts';
import type { PatternCheck } from './pattern.ts';
import type { JsonObject } from './shape.ts';
import * as shape from './shape.ts';

export const TEST_KEYS = ['op', 'value'];

const OPERATORS = [
  ...['eq', 'neq', 'in', 'notIn', 'gt', 'gte', 'lt', 'lte', 'between'],
  ...['contains', 'notContains', 'startsWith', 'endsWith', 'exists', 'notExists'],
  ...['before', 'after', 'withinLast', 'withinNext', 'anniversary', 'matches', 'near'],
] as readonly ValueTest['op'][];

/** The keys `op` and `value` of an object; its other keys are the caller's to check. */
export function parseTest(object: JsonObject, path: string, patterns: PatternCheck): ValueTest {
  const op = parseOperator(object.op, `${path}.op`);
  const valuePath = `${path}.value`;
  switch (op) {
    case 'exists':
    case 'notExists':
      if (object.value !== undefined) throw badRequest(`${op} takes no value`, valuePath);
      return { op };
    case 'in':
    case 'notIn':
      return { op, values: scalars(object.value, valuePath, SEGMENT_VALUES_MAX) };
    case 'between':
      return { op, ...parseEnds(object.value, valuePath) };
    case 'startsWith':
    case 'endsWith':
      return { op, value: shape.asText(object.value, valuePath) };
    case 'before':
    case 'after':
      return { op, time: parseTimePoint(object.value, valuePath) };
    case 'withinLast':
    case 'withinNext':
      return { op, durationMs: parseDurationMs(object.value, valuePath) };
    case 'anniversary':
      return { op, ...parseAnniversary(object.value, valuePath) };
    case 'matches':
      return { op, pattern: parsePattern(object.value, valuePath, patterns) };
    case 'near':
      return { op, ...parseCircle(object.value, valuePath) };
    default:
      return { op, value: shape.asScalar(object.value, valuePath) };
  }
}

export function parseWithin(json: unknown, path: string): Within {
  const object = shape.asObject(json, path);
  shape.checkKeys(object, path, ['last', 'from', 'to', 'on']);
  const { last, from, to, on } = object;
  const isRange = from !== undefined || to !== undefined;
  const forms = [last !== undefined, isRange, on !== undefined].filter(Boolean).length;
  if (forms !== 1) throw badRequest('must have last, or from and to, or on', path);
  if (last !== undefined) return { kind: 'last', durationMs: parseDurationMs(last, `${path}.last`) };
  if (on !== undefined) return { kind: 'on', date: parseDate(on, `${path}.on`) };
  return {
    kind: 'range',
    from: from === undefined ? undefined : parseTimePoint(from, `${path}.from`),
    to: to === undefined ? undefined : parseTimePoint(to, `${path}.to`),
  };
}

function parseOperator(json: unknown, path: string): ValueTest['op'] {
  const name = shape.asText(json, path);
  const op = OPERATORS.find((operator) => operator === name);
  if (op === undefined) throw badRequest(`must be one of ${OPERATORS.join(', ')}`, path);
  return op;
}

function parseEnds(json: unknown, path: string): { low: Scalar; high: Scalar } {
  const [low, high] = scalars(json, path, 2);
  if (low === undefined || high === undefined) throw badRequest('must be [lowest, highest]', path);
  if (typeof low !== typeof high) throw badRequest('must have two ends of one type', path);
  return { low, high };
}

type AnniversarySpan =
  | { readonly span: 'today' }
  | { readonly span: 'last' | 'next'; readonly durationMs: number };

function parseAnniversary(json: unknown, path: string): AnniversarySpan {
  const object = shape.asObject(json, path);
  const span = shape.onlyKey(object, path, ['on', 'last', 'next']);
  const ownPath = `${path}.${span}`;
  if (span !== 'on') return { span, durationMs: parseDurationMs(object[span], ownPath) };
  if (object.on !== 'today') throw badRequest('must be "today"', ownPath);
  return { span: 'today' };
}

function parsePattern(json: unknown, path: string, patterns: PatternCheck): string {
  const pattern = shape.asText(json, path);
  patterns.check(pattern, path);
  return pattern;
}

function parseCircle(json: unknown, path: string): Omit<NearTest, 'op'> {
  const object = shape.asObject(json, path);
  shape.checkKeys(object, path, ['lat', 'lon', 'km']);
  const lat = shape.asNumber(object.lat, `${path}.lat`);
  const lon = shape.asNumber(object.lon, `${path}.lon`);
  const km = shape.asNumber(object.km, `${path}.km`);
  if (Math.abs(lat) > 90) throw badRequest('must be from -90 to 90', `${path}.lat`);
  if (Math.abs(lon) > 180) throw badRequest('must be from -180 to 180', `${path}.lon`);
  if (km < 0) throw badRequest('must not be negative', `${path}.km`);
  return { lat, lon, km };
}

function scalars(json: unknown, path: string, lengthMax: number): readonly Scalar[] {
  return shape.asList(json, path, lengthMax).map((value, i) => shape.asScalar(value, `${path}[${i}]`));
}

/** Whether text is a time does not depend on the zone, so any serves for checking. */
export function parseTimePoint(json: unknown, path: string): TimePoint {
  const text = shape.asText(json, path);
  if (text.startsWith('-')) return { kind: 'relative', agoMs: parseDurationMs(text.slice(1), path) };
  if (parseTime(text, 'utc') !== undefined) return { kind: 'absolute', text };
  throw badRequest('must be a time: ISO-8601, or relative as "-30d"', path);
}

function parseDate(json: unknown, path: string): string {
  const date = shape.asText(json, path);
  if (daySpan(date, 'utc') === undefined) throw badRequest('must be a date as "2026-11-20"', path);
  return date;
}

export function parseDurationMs(json: unknown, path: string): number {
  const durationMs = parseDuration(shape.asText(json, path));
  if (durationMs === undefined) throw badRequest('must be a duration as "30d", with s, m, h, d or w', path);
  return durationMs;
}
