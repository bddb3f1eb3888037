import { badRequest } from '../base/errors.ts';
import { SEGMENT_CRITERIA_MAX, SEGMENT_DEPTH_MAX, SEGMENT_VALUES_MAX } from '../base/limits.ts';
import type { Comparison, Criterion, EventCriterion, EventFilter, PropertyTest } from './criterion.ts';
import { parseTest, parseWithin, TEST_KEYS } from './parseTest.ts';
import type { JsonObject } from './shape.ts';
import * as shape from './shape.ts';

/**
 * Segment JSON (docs/reference/segments.md) → typed tree. Throws MusterError `bad_request` with the path of what is
 * wrong, `$` being the definition. Whether the saved segments it mentions exist is checked by saved.ts.
 */
export function parseSegment(json: unknown): Criterion {
  return new Parser().criterion(json, '$', 1);
}

type Kind = 'and' | 'or' | 'not' | 'all' | 'segment' | 'event' | 'profile' | 'sample';

/** The keys that may stand beside the one that makes the criterion. */
const KEYS_BESIDE: Readonly<Record<Kind, readonly string[]>> = {
  and: [],
  or: [],
  not: [],
  all: [],
  segment: [],
  event: ['where', 'within', 'count'],
  profile: TEST_KEYS,
  sample: [],
};
const KINDS = Object.keys(KEYS_BESIDE) as readonly Kind[];
const KINDS_LATER = ['sequence'];
const MEASURES_LATER = [
  'sum',
  'avg',
  'min',
  'max',
  'distinct',
  'days',
  'first',
  'last',
  'lastValue',
  'mostFrequent',
];

const COMPARISONS = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between'] as const;
const AT_LEAST_ONCE: Comparison = { op: 'gte', value: 1 };

class Parser {
  /** Criteria seen that are not and, or, not: those are bounded by depth. */
  #leaves = 0;

  criterion(json: unknown, path: string, depth: number): Criterion {
    if (depth > SEGMENT_DEPTH_MAX) throw badRequest(`must be at most ${SEGMENT_DEPTH_MAX} levels deep`, path);
    const object = shape.asObject(json, path);
    const kind = kindOf(object, path);
    const own = object[kind];
    const ownPath = `${path}.${kind}`;
    if (kind === 'not') return { kind, criterion: this.criterion(own, ownPath, depth + 1) };
    if (kind === 'and' || kind === 'or') {
      const list = shape.asFilledList(own, ownPath, SEGMENT_CRITERIA_MAX);
      return { kind, criteria: list.map((entry, i) => this.criterion(entry, `${ownPath}[${i}]`, depth + 1)) };
    }
    if (++this.#leaves > SEGMENT_CRITERIA_MAX) {
      throw badRequest(`must have at most ${SEGMENT_CRITERIA_MAX} criteria`, path);
    }
    return parseLeaf(kind, object, path);
  }
}

function kindOf(object: JsonObject, path: string): Kind {
  const keys = shape.keysOf(object);
  const kinds = KINDS.filter((kind) => keys.includes(kind));
  const kind = kinds[0];
  if (kind !== undefined && kinds.length === 1) {
    const later = kind === 'event' ? [...KINDS_LATER, ...MEASURES_LATER] : KINDS_LATER;
    shape.checkKeys(object, path, [kind, ...KEYS_BESIDE[kind]], later);
    return kind;
  }
  if (kinds.length === 0) shape.checkKeys(object, path, Object.values(KEYS_BESIDE).flat(), KINDS_LATER);
  throw badRequest(`must have exactly one of ${KINDS.join(', ')}`, path);
}

function parseLeaf(kind: Exclude<Kind, 'and' | 'or' | 'not'>, object: JsonObject, path: string): Criterion {
  const ownPath = `${path}.${kind}`;
  switch (kind) {
    case 'all':
      if (object.all !== true) throw badRequest('must be true', ownPath);
      return { kind };
    case 'segment':
      return { kind, name: shape.asName(object.segment, ownPath), path: ownPath };
    case 'event':
      return parseEvent(object, path);
    case 'profile':
      return { kind, trait: shape.asName(object.profile, ownPath), test: parseTest(object, path) };
    case 'sample':
      return parseSample(object.sample, ownPath);
  }
}

function parseEvent(object: JsonObject, path: string): EventCriterion {
  const compare = object.count === undefined ? AT_LEAST_ONCE : parseComparison(object.count, `${path}.count`);
  return {
    kind: 'event',
    filter: parseFilter(object, path),
    within: object.within === undefined ? undefined : parseWithin(object.within, `${path}.within`),
    measure: { kind: 'count', compare },
  };
}

/** The keys `event` and `where` of an object; its other keys are the caller's to check. */
export function parseFilter(object: JsonObject, path: string): EventFilter {
  const { event, where = [] } = object;
  const eventPath = `${path}.event`;
  const events = Array.isArray(event)
    ? shape
        .asFilledList(event, eventPath, SEGMENT_VALUES_MAX)
        .map((name, i) => shape.asName(name, `${eventPath}[${i}]`))
    : [shape.asName(event, eventPath)];
  return { events: [...new Set(events)], where: parseWhere(where, `${path}.where`) };
}

function parseWhere(json: unknown, path: string): EventFilter['where'] {
  return shape.asList(json, path, SEGMENT_CRITERIA_MAX).map((entry, i) => {
    const entryPath = `${path}[${i}]`;
    const object = shape.asObject(entry, entryPath);
    if (object.or === undefined) return [parsePropertyTest(object, entryPath)];
    shape.checkKeys(object, entryPath, ['or']);
    const orPath = `${entryPath}.or`;
    return shape
      .asFilledList(object.or, orPath, SEGMENT_CRITERIA_MAX)
      .map((test, j) => parsePropertyTest(shape.asObject(test, `${orPath}[${j}]`), `${orPath}[${j}]`));
  });
}

function parsePropertyTest(object: JsonObject, path: string): PropertyTest {
  shape.checkKeys(object, path, ['prop', ...TEST_KEYS]);
  return { prop: shape.asName(object.prop, `${path}.prop`), test: parseTest(object, path) };
}

function parseComparison(json: unknown, path: string): Comparison {
  const object = shape.asObject(json, path);
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

function parseSample(json: unknown, path: string): Criterion {
  const object = shape.asObject(json, path);
  shape.checkKeys(object, path, ['percent', 'salt']);
  const percent = shape.asNumber(object.percent, `${path}.percent`);
  if (percent < 0 || percent > 100) throw badRequest('must be from 0 to 100', `${path}.percent`);
  // Rounded first, since 1.1 · 100 is a little more than 110.
  const buckets = Math.ceil(Number((percent * 100).toFixed(6)));
  return { kind: 'sample', buckets, salt: shape.asText(object.salt, `${path}.salt`) };
}
