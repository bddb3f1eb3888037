import { badRequest } from '../base/errors.ts';
import {
  SEGMENT_CRITERIA_MAX,
  SEGMENT_DEPTH_MAX,
  SEGMENT_VALUES_MAX,
  SEQUENCE_STEPS_MAX,
} from '../base/limits.ts';
import type { Criterion, EventCriterion, EventFilter, PropertyTest, SequenceCriterion } from './criterion.ts';
import { MEASURES, parseMeasure } from './parseMeasure.ts';
import { parseDurationMs, parseTest, parseWithin, TEST_KEYS } from './parseTest.ts';
import { PatternCheck } from './pattern.ts';
import type { JsonObject } from './shape.ts';
import * as shape from './shape.ts';

/**
 * Segment JSON (docs/reference/segments.md) → typed tree. Throws MusterError `bad_request` with the path of what is
 * wrong, `$` being the definition. Whether the saved segments it mentions exist is checked by saved.ts.
 */
export function parseSegment(json: unknown): Criterion {
  return new Parser().criterion(json, '$', 1);
}

type Kind = 'and' | 'or' | 'not' | 'all' | 'segment' | 'event' | 'sequence' | 'profile' | 'sample';

/** The keys that may stand beside the one that makes the criterion. */
const KEYS_BESIDE: Readonly<Record<Kind, readonly string[]>> = {
  and: [],
  or: [],
  not: [],
  all: [],
  segment: [],
  event: ['where', 'within', ...MEASURES],
  sequence: ['window', 'within'],
  profile: TEST_KEYS,
  sample: [],
};
const KINDS = Object.keys(KEYS_BESIDE) as readonly Kind[];

class Parser {
  /** Criteria seen that are not and, or, not: those are bounded by depth. */
  #leaves = 0;
  readonly #patterns = new PatternCheck();

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
    return parseLeaf(kind, object, path, this.#patterns);
  }
}

function kindOf(object: JsonObject, path: string): Kind {
  const keys = shape.keysOf(object);
  const kinds = KINDS.filter((kind) => keys.includes(kind));
  const kind = kinds[0];
  if (kind !== undefined && kinds.length === 1) {
    shape.checkKeys(object, path, [kind, ...KEYS_BESIDE[kind]]);
    return kind;
  }
  if (kinds.length === 0) shape.checkKeys(object, path, Object.values(KEYS_BESIDE).flat());
  throw badRequest(`must have exactly one of ${KINDS.join(', ')}`, path);
}

function parseLeaf(
  kind: Exclude<Kind, 'and' | 'or' | 'not'>,
  object: JsonObject,
  path: string,
  patterns: PatternCheck,
): Criterion {
  const ownPath = `${path}.${kind}`;
  switch (kind) {
    case 'all':
      if (object.all !== true) throw badRequest('must be true', ownPath);
      return { kind };
    case 'segment':
      return { kind, name: shape.asName(object.segment, ownPath), path: ownPath };
    case 'event':
      return parseEvent(object, path, patterns);
    case 'sequence':
      return parseSequence(object, path, patterns);
    case 'profile':
      return { kind, trait: shape.asName(object.profile, ownPath), test: parseTest(object, path, patterns) };
    case 'sample':
      return parseSample(object.sample, ownPath);
  }
}

function parseEvent(object: JsonObject, path: string, patterns: PatternCheck): EventCriterion {
  const measure = parseMeasure(object, path, patterns);
  if (object.within !== undefined && (measure.kind === 'first' || measure.kind === 'last')) {
    throw badRequest(`${measure.kind} is of all matches: no within beside it`, `${path}.within`);
  }
  return {
    kind: 'event',
    filter: parseFilter(object, path, patterns),
    within: object.within === undefined ? undefined : parseWithin(object.within, `${path}.within`),
    measure,
  };
}

function parseSequence(
  { sequence, window, within }: JsonObject,
  path: string,
  patterns: PatternCheck,
): SequenceCriterion {
  const ownPath = `${path}.sequence`;
  return {
    kind: 'sequence',
    steps: shape.asFilledList(sequence, ownPath, SEQUENCE_STEPS_MAX).map((entry, i) => {
      const stepPath = `${ownPath}[${i}]`;
      const step = shape.asObject(entry, stepPath);
      shape.checkKeys(step, stepPath, ['event', 'where', 'within']);
      return {
        filter: parseFilter(step, stepPath, patterns),
        withinMs: optionalDurationMs(step.within, `${stepPath}.within`),
      };
    }),
    windowMs: optionalDurationMs(window, `${path}.window`),
    within: within === undefined ? undefined : parseWithin(within, `${path}.within`),
  };
}

function optionalDurationMs(json: unknown, path: string): number | undefined {
  return json === undefined ? undefined : parseDurationMs(json, path);
}

/** The keys `event` and `where` of an object; its other keys are the caller's to check. */
export function parseFilter(object: JsonObject, path: string, patterns = new PatternCheck()): EventFilter {
  const { event, where = [] } = object;
  const eventPath = shape.keyPath(path, 'event');
  const events = Array.isArray(event)
    ? shape
        .asFilledList(event, eventPath, SEGMENT_VALUES_MAX)
        .map((name, i) => shape.asName(name, `${eventPath}[${i}]`))
    : [shape.asName(event, eventPath)];
  return { events: [...new Set(events)], where: parseWhere(where, shape.keyPath(path, 'where'), patterns) };
}

function parseWhere(json: unknown, path: string, patterns: PatternCheck): EventFilter['where'] {
  return shape.asList(json, path, SEGMENT_CRITERIA_MAX).map((entry, i) => {
    const entryPath = `${path}[${i}]`;
    const object = shape.asObject(entry, entryPath);
    if (object.or === undefined) return [parsePropertyTest(object, entryPath, patterns)];
    shape.checkKeys(object, entryPath, ['or']);
    const orPath = `${entryPath}.or`;
    return shape
      .asFilledList(object.or, orPath, SEGMENT_CRITERIA_MAX)
      .map((test, j) =>
        parsePropertyTest(shape.asObject(test, `${orPath}[${j}]`), `${orPath}[${j}]`, patterns),
      );
  });
}

function parsePropertyTest(object: JsonObject, path: string, patterns: PatternCheck): PropertyTest {
  shape.checkKeys(object, path, ['prop', ...TEST_KEYS]);
  return { prop: shape.asName(object.prop, `${path}.prop`), test: parseTest(object, path, patterns) };
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
