import { expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { DAY_MS } from '../base/limits.ts';
import { compare, referencedSegments } from './criterion.ts';
import { parseSegment } from './parse.ts';
import { checkReferences, parseSaved } from './saved.ts';

const VIEWED = { event: 'Viewed' };
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const nots = (count: number): unknown => (count === 0 ? { all: true } : { not: nots(count - 1) });
const where = (op: string, value?: unknown): unknown => ({ ...VIEWED, where: [{ prop: 'p', op, value }] });

/** The error's path and message; undefined when it parses. */
function refusal(run: () => unknown): { path: string | undefined; message: string } | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof MusterError) || error.code !== 'bad_request') throw error;
    return { path: error.path, message: error.message };
  }
}

test('a definition becomes a tree', () => {
  const json = {
    and: [
      {
        event: ['Viewed', 'Added', 'Viewed'],
        where: [
          { prop: 'a', op: 'gt', value: 1 },
          {
            or: [
              { prop: 'b', op: 'exists' },
              { prop: 'c', op: 'in', value: ['x', 2, true] },
            ],
          },
        ],
        within: { last: '30d' },
        count: { between: [1, 3] },
      },
      { not: { profile: 'plan', op: 'startsWith', value: 'pro' } },
      { segment: 'buyers' },
      { sample: { percent: 1.1, salt: 'x' } },
    ],
  };
  expect(parseSegment(json)).toEqual({
    kind: 'and',
    criteria: [
      {
        kind: 'event',
        filter: {
          events: ['Viewed', 'Added'],
          where: [
            [{ prop: 'a', test: { op: 'gt', value: 1 } }],
            [
              { prop: 'b', test: { op: 'exists' } },
              { prop: 'c', test: { op: 'in', values: ['x', 2, true] } },
            ],
          ],
        },
        within: { kind: 'last', durationMs: 30 * DAY_MS },
        measure: { kind: 'count', compare: { op: 'between', low: 1, high: 3 } },
      },
      {
        kind: 'not',
        criterion: { kind: 'profile', trait: 'plan', test: { op: 'startsWith', value: 'pro' } },
      },
      { kind: 'segment', name: 'buyers', path: '$.and[2].segment' },
      { kind: 'sample', buckets: 110, salt: 'x' },
    ],
  });
});

test('measures, sequences and their operators become a tree', () => {
  const measureOf = (json: object) => {
    const criterion = parseSegment({ ...VIEWED, ...json });
    return criterion.kind === 'event' ? criterion.measure : undefined;
  };
  const atLeast2 = { op: 'gte', value: 2 };
  expect(measureOf({})).toEqual({ kind: 'count', compare: { op: 'gte', value: 1 } });
  expect(measureOf({ days: { gte: 2 } })).toEqual({ kind: 'days', compare: atLeast2 });
  for (const kind of ['sum', 'avg', 'min', 'max', 'distinct']) {
    expect(measureOf({ [kind]: { prop: 'p', gte: 2 } })).toEqual({ kind, prop: 'p', compare: atLeast2 });
  }
  for (const kind of ['first', 'last']) {
    const within = { kind: 'last', durationMs: DAY_MS };
    expect(measureOf({ [kind]: { last: '1d' } })).toEqual({ kind, within });
  }
  expect(measureOf({ lastValue: { prop: 'p', op: 'exists' } })).toEqual({
    kind: 'lastValue',
    prop: 'p',
    test: { op: 'exists' },
  });
  expect(measureOf({ mostFrequent: { prop: 'p', value: false } })).toEqual({
    kind: 'mostFrequent',
    prop: 'p',
    value: false,
  });
  const sequence = {
    sequence: [VIEWED, { event: 'Ordered', where: [{ prop: 'p', op: 'exists' }], within: '1d' }],
    window: '2d',
    within: { on: '2026-11-20' },
  };
  expect(parseSegment(sequence)).toEqual({
    kind: 'sequence',
    steps: [
      { filter: { events: ['Viewed'], where: [] }, withinMs: undefined },
      { filter: { events: ['Ordered'], where: [[{ prop: 'p', test: { op: 'exists' } }]] }, withinMs: DAY_MS },
    ],
    windowMs: 2 * DAY_MS,
    within: { kind: 'on', date: '2026-11-20' },
  });
  const testOf = (op: string, value: unknown) => parseSegment({ profile: 'p', op, value });
  expect(testOf('matches', '^a+$')).toMatchObject({ test: { op: 'matches', pattern: '^a+$' } });
  expect(testOf('anniversary', { on: 'today' })).toMatchObject({ test: { span: 'today' } });
  expect(testOf('anniversary', { next: '1d' })).toMatchObject({ test: { span: 'next', durationMs: DAY_MS } });
  expect(testOf('near', { lat: 1, lon: -2, km: 0 })).toMatchObject({ test: { lat: 1, lon: -2, km: 0 } });
});

test.each<[string, unknown]>([
  ['$', null],
  ['$', []],
  ['$', {}],
  ['$.evnt', { evnt: 'Viewed' }],
  ['$["odd key"]', { 'odd key': 1 }],
  ['$', { event: 'Viewed', profile: 'plan' }],
  ['$', { where: [] }],
  ['$.cuont', { ...VIEWED, cuont: { gte: 1 } }],
  ['$.within', { profile: 'plan', op: 'exists', within: { last: '1d' } }],
  ['$.and', { and: [] }],
  ['$.and', { and: VIEWED }],
  ['$.or[1]', { or: [VIEWED, 'Viewed'] }],
  ['$.not', { not: [VIEWED] }],
  ['$.all', { all: false }],
  ['$.segment', { segment: '' }],
  ['$.event', { event: [] }],
  ['$.event[1]', { event: ['Viewed', 1] }],
  ['$.and[1].count', { and: [VIEWED, { ...VIEWED, count: 3 }] }],
  ['$.count', { ...VIEWED, count: {} }],
  ['$.count', { ...VIEWED, count: { gte: 1, lte: 2 } }],
  ['$.count.atLeast', { ...VIEWED, count: { atLeast: 1 } }],
  ['$.count.gte', { ...VIEWED, count: { gte: '1' } }],
  ['$.count.between', { ...VIEWED, count: { between: [1] } }],
  ['$.count.between[1]', { ...VIEWED, count: { between: [1, '2'] } }],
  ['$.where', { ...VIEWED, where: { prop: 'p', op: 'exists' } }],
  ['$.where[0].prop', { ...VIEWED, where: [{ op: 'exists' }] }],
  ['$.where[0].op', { ...VIEWED, where: [{ prop: 'p' }] }],
  ['$.where[0].op', where('equals', 1)],
  ['$.where[0].value', where('eq')],
  ['$.where[0].value', where('eq', null)],
  ['$.where[0].value', where('exists', true)],
  ['$.where[0].value', where('in', 'x')],
  ['$.where[0].value[1]', where('in', ['x', null])],
  ['$.where[0].value', where('between', [1])],
  ['$.where[0].value', where('between', [1, 'x'])],
  ['$.where[0].value', where('startsWith', 1)],
  ['$.where[0].value', where('before', 'yesterday')],
  ['$.where[0].value', where('withinLast', '30 days')],
  ['$.where[0].or', { ...VIEWED, where: [{ or: [] }] }],
  ['$.where[0].or[0].extra', { ...VIEWED, where: [{ or: [{ prop: 'p', op: 'exists', extra: 1 }] }] }],
  ['$.op', { profile: 'plan', op: 'is', value: 1 }],
  ['$.within', { ...VIEWED, within: {} }],
  ['$.within', { ...VIEWED, within: { last: '1d', on: '2026-01-01' } }],
  ['$.within.last', { ...VIEWED, within: { last: 30 } }],
  ['$.within.since', { ...VIEWED, within: { since: '2026-01-01' } }],
  ['$.within.from', { ...VIEWED, within: { from: '-30days' } }],
  ['$.within.to', { ...VIEWED, within: { from: '-30d', to: '2026-02-30' } }],
  ['$.within.on', { ...VIEWED, within: { on: '2026-01-01T00:00:00Z' } }],
  ['$.sample.percent', { sample: { percent: 101, salt: 'x' } }],
  ['$.sample.salt', { sample: { percent: 10 } }],
  [`$${'.not'.repeat(16)}`, nots(16)],
  ['$.or', { or: times(201, VIEWED) }],
  ['$.and[1].or[99]', { and: [{ or: times(101, VIEWED) }, { or: times(100, VIEWED) }] }],
  ['$.where[0].value', where('in', times(10_001, 'x'))],
  ['$.event', { event: times(10_001, 'Viewed') }],
  ['$', { ...VIEWED, sequence: [VIEWED] }],
  ['$', { ...VIEWED, count: { gte: 1 }, days: { gte: 1 } }],
  ['$.days', { ...VIEWED, days: 3 }],
  ['$.days', { ...VIEWED, days: {} }],
  ['$.days.prop', { ...VIEWED, days: { prop: 'p', gte: 1 } }],
  ['$.sum', { ...VIEWED, sum: 'p' }],
  ['$.sum', { ...VIEWED, sum: { prop: 'p' } }],
  ['$.sum', { ...VIEWED, sum: { prop: 'p', gte: 1, lte: 2 } }],
  ['$.sum.prop', { ...VIEWED, sum: { gte: 1 } }],
  ['$.sum.value', { ...VIEWED, sum: { prop: 'p', value: 1 } }],
  ['$.and[1].avg.gte', { and: [VIEWED, { ...VIEWED, avg: { prop: 'p', gte: '1' } }] }],
  ['$.min.between', { ...VIEWED, min: { prop: 'p', between: [1, 2, 3] } }],
  ['$.max.over', { ...VIEWED, max: { prop: 'p', over: 1 } }],
  ['$.distinct.eq', { ...VIEWED, distinct: { prop: 'p', eq: true } }],
  ['$.first', { ...VIEWED, first: {} }],
  ['$.first', { ...VIEWED, first: '1d' }],
  ['$.last.last', { ...VIEWED, last: { last: '1 day' } }],
  ['$.within', { ...VIEWED, first: { last: '1d' }, within: { last: '1d' } }],
  ['$.within', { ...VIEWED, last: { last: '1d' }, within: { last: '1d' } }],
  ['$.lastValue.op', { ...VIEWED, lastValue: { prop: 'p' } }],
  ['$.lastValue.value', { ...VIEWED, lastValue: { prop: 'p', op: 'eq' } }],
  ['$.lastValue.gte', { ...VIEWED, lastValue: { prop: 'p', op: 'exists', gte: 1 } }],
  ['$.mostFrequent.value', { ...VIEWED, mostFrequent: { prop: 'p' } }],
  ['$.mostFrequent.value', { ...VIEWED, mostFrequent: { prop: 'p', value: ['x'] } }],
  ['$.mostFrequent.op', { ...VIEWED, mostFrequent: { prop: 'p', value: 'x', op: 'eq' } }],
  ['$.prop', { ...VIEWED, prop: 'p' }],
  ['$.sequence', { sequence: VIEWED }],
  ['$.sequence', { sequence: [] }],
  ['$.sequence', { sequence: times(33, VIEWED) }],
  ['$.sequence[1]', { sequence: [VIEWED, 'Ordered'] }],
  ['$.sequence[1].event', { sequence: [VIEWED, {}] }],
  ['$.sequence[0].within', { sequence: [{ ...VIEWED, within: 'soon' }, VIEWED] }],
  ['$.sequence[1].within', { sequence: [VIEWED, { ...VIEWED, within: { last: '1d' } }] }],
  ['$.sequence[1].count', { sequence: [VIEWED, { ...VIEWED, count: { gte: 1 } }] }],
  ['$.sequence[0].where[0].op', { sequence: [{ ...VIEWED, where: [{ prop: 'p', op: 'is' }] }] }],
  ['$.window', { sequence: [VIEWED], window: 60 }],
  ['$.within.last', { sequence: [VIEWED], within: { last: '-1d' } }],
  ['$.where', { sequence: [VIEWED], where: [] }],
  ['$.count', { sequence: [VIEWED], count: { gte: 2 } }],
  ['$.where[0].value', where('matches', 1)],
  ['$.where[0].value', where('matches', '(a')],
  ['$.where[0].value', where('matches', '(?=a)')],
  ['$.where[0].value', where('matches', '\\1')],
  ['$.where[0].value', where('matches', 'a'.repeat(501))],
  ['$.where[0].value', where('matches', '[a-z]{600}')],
  ['$.where[0].value', where('matches', '\\pL{1000}'.repeat(50))],
  ['$.where[0].value', where('matches', '\\\\{600}')],
  ['$.where[0].value', where('matches', '(?:(?:a{25}){20})b')],
  ['$.where[64].value', { ...VIEWED, where: times(65, { prop: 'p', op: 'matches', value: 'a' }) }],
  ['$.where[0].value', where('anniversary', 'today')],
  ['$.where[0].value', where('anniversary', {})],
  ['$.where[0].value', where('anniversary', { on: 'today', last: '1d' })],
  ['$.where[0].value.on', where('anniversary', { on: '2026-11-20' })],
  ['$.where[0].value.next', where('anniversary', { next: 7 })],
  ['$.where[0].value.within', where('anniversary', { within: '7d' })],
  ['$.where[0].value', where('near', [1, 2, 3])],
  ['$.where[0].value.km', where('near', { lat: 1, lon: 1 })],
  ['$.where[0].value.km', where('near', { lat: 1, lon: 1, km: -1 })],
  ['$.where[0].value.lat', where('near', { lat: 91, lon: 1, km: 1 })],
  ['$.where[0].value.lon', where('near', { lat: 1, lon: '1', km: 1 })],
  ['$.where[0].value.miles', where('near', { lat: 1, lon: 1, km: 1, miles: 1 })],
  ['$.value.lat', { profile: 'home', op: 'near', value: { lon: 1, km: 1 } }],
])('an error at %s', (path, json) => {
  const refused = refusal(() => parseSegment(json));
  expect(refused?.path).toBe(path);
  expect(refused?.message).not.toContain('not supported yet');
});

test('limits are the last that is allowed', () => {
  for (const json of [
    nots(15),
    { and: times(200, VIEWED) },
    where('in', times(10_000, 'x')),
    { event: times(10_000, 'Viewed') },
    { sequence: times(32, { ...VIEWED, within: '1d' }) },
    { and: times(200, { sequence: [VIEWED] }) },
    where('matches', 'a'.repeat(498)),
    { ...VIEWED, where: times(64, { prop: 'p', op: 'matches', value: 'a' }) },
  ])
    expect(refusal(() => parseSegment(json))).toBe(undefined);
});

test('comparisons', () => {
  const holds = (json: unknown): number[] => {
    const criterion = parseSegment({ ...VIEWED, count: json });
    if (criterion.kind !== 'event' || criterion.measure.kind !== 'count') throw new Error('not a count');
    const { compare: comparison } = criterion.measure;
    return [0, 1, 2, 3].filter((n) => compare(comparison, n));
  };
  expect(holds(undefined)).toEqual([1, 2, 3]);
  expect(holds({ eq: 1 })).toEqual([1]);
  expect(holds({ neq: 1 })).toEqual([0, 2, 3]);
  expect(holds({ gt: 1 })).toEqual([2, 3]);
  expect(holds({ gte: 1.5 })).toEqual([2, 3]);
  expect(holds({ lt: 1 })).toEqual([0]);
  expect(holds({ lte: 1 })).toEqual([0, 1]);
  expect(holds({ between: [1, 2] })).toEqual([1, 2]);
});

test('saved segments must exist and not lead in a circle', () => {
  const saved: Record<string, unknown> = {
    a: VIEWED,
    b: { not: { segment: 'a' } },
    c: { or: [{ segment: 'b' }, { segment: 'gone' }] },
    d: { segment: 'e' },
    e: { segment: 'd' },
  };
  const check = (name: string | undefined, json: unknown) =>
    refusal(() => checkReferences(name, parseSegment(json), (other) => saved[other]));
  expect(check('new', { and: [{ segment: 'b' }, { segment: 'a' }] })).toBe(undefined);
  expect(check('new', { and: [VIEWED, { segment: 'nowhere' }] })?.path).toBe('$.and[1].segment');
  expect(check('new', { not: { segment: 'c' } })).toMatchObject({
    path: '$.not.segment',
    message: 'there is no segment "gone"',
  });
  expect(check('a', { or: [{ segment: 'b' }] })).toEqual({
    path: '$.or[0].segment',
    message: 'leads in a circle: a → b → a',
  });
  expect(check('a', { segment: 'a' })?.path).toBe('$.segment');
  expect(check(undefined, { segment: 'd' })?.path).toBe('$.segment');
});

test('saved segments lead through sixteen at the most, whichever way they are reached', () => {
  const saved: Record<string, unknown> = { s1: VIEWED };
  for (let i = 2; i <= 17; i++) saved[`s${i}`] = { or: [{ segment: `s${i - 1}` }, { segment: 's1' }] };
  const check = (json: unknown) =>
    refusal(() => checkReferences(undefined, parseSegment(json), (name) => saved[name]))?.path;
  expect(check({ segment: 's16' })).toBe(undefined);
  expect(check({ segment: 's17' })).toBe('$.segment');
  expect(check({ and: [{ segment: 's16' }, { segment: 's17' }] })).toBe('$.and[1].segment');
});

test('mentions are found at any depth, and saved definitions parsed once', () => {
  const criterion = parseSegment({
    and: [{ not: { segment: 'a' } }, { or: [{ segment: 'b' }, { segment: 'a' }] }],
  });
  expect([...referencedSegments(criterion)]).toEqual([
    ['a', '$.and[0].not.segment'],
    ['b', '$.and[1].or[0].segment'],
  ]);
  const saved = { a: VIEWED };
  expect(parseSaved('a', () => saved.a)).toBe(parseSaved('a', () => saved.a));
});
