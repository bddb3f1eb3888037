import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import { isoTime } from '../base/time.ts';
import type { Value } from '../base/value.ts';
import { MOMENTS_END_MS } from '../store/profiles/moments.ts';
import { compilePropertyTest, passesTest } from './filter.ts';
import { parseSegment } from './parse.ts';
import { compileTest, windowSpan } from './predicate.ts';

const NEW_YORK = { atMs: Date.parse('2026-03-09T12:00:00Z'), zone: 'America/New_York' };

function predicate(op: string, value?: unknown) {
  const criterion = parseSegment({ profile: 'p', op, value });
  if (criterion.kind !== 'profile' || criterion.test.op === 'near')
    throw new Error('not a profile criterion');
  return compileTest(criterion.test, NEW_YORK);
}

/** What satisfies the operator; '(missing)' stands for no value at all. */
function satisfying(op: string, operand: unknown, values: readonly Value[]): readonly Value[] {
  const { missing, test } = predicate(op, operand);
  return [...values.filter((value) => test(value)), ...(missing ? ['(missing)'] : [])];
}

test('types never convert', () => {
  const values: Value[] = [1, '1', true, 'true', 0, '', false];
  expect(satisfying('eq', 1, values)).toEqual([1]);
  expect(satisfying('eq', 'true', values)).toEqual(['true']);
  expect(satisfying('in', [1, 'true', false], values)).toEqual([1, 'true', false]);
  expect(satisfying('gte', 0, values)).toEqual([1, 0]);
  expect(satisfying('gt', '', values)).toEqual(['1', 'true']);
  expect(satisfying('lt', true, values)).toEqual([false]);
  expect(satisfying('contains', '1', [...values, 210, '210'])).toEqual(['1', '210']);
  expect(satisfying('before', '2026-03-09', [0, '0', '2026-03-08'])).toEqual(['2026-03-08']);
});

test('negations are exact: other types and missing values satisfy them', () => {
  const values: Value[] = ['x', 'xy', 1, ['x'], ['y'], []];
  expect(satisfying('neq', 'x', values)).toEqual(['xy', 1, ['y'], [], '(missing)']);
  expect(satisfying('notIn', ['x', 1], values)).toEqual(['xy', ['y'], [], '(missing)']);
  expect(satisfying('notContains', 'x', values)).toEqual([1, ['y'], [], '(missing)']);
  expect(satisfying('notExists', undefined, values)).toEqual(['(missing)']);
  expect(satisfying('exists', undefined, values)).toEqual(values);
});

test('an operator holds of an array when it holds of an element', () => {
  const values: Value[] = [[1, 5], [5], ['ab', 1], [], ['b']];
  expect(satisfying('lt', 3, values)).toEqual([
    [1, 5],
    ['ab', 1],
  ]);
  expect(satisfying('between', [2, 5], values)).toEqual([[1, 5], [5]]);
  expect(satisfying('startsWith', 'a', values)).toEqual([['ab', 1]]);
  expect(satisfying('endsWith', 'b', values)).toEqual([['ab', 1], ['b']]);
  // Of an element, not within one.
  expect(satisfying('contains', 'b', values)).toEqual([['b']]);
  expect(satisfying('contains', 5, values)).toEqual([[1, 5], [5]]);
});

test('text is ordered by code point, not by code unit', () => {
  const [beyond, below] = ['\u{1f600}', '\uffee'];
  expect(satisfying('gt', below, ['', 'a', below, `${below}a`, beyond])).toEqual([`${below}a`, beyond]);
  expect(satisfying('lte', beyond, ['', below, beyond, `${beyond}a`])).toEqual(['', below, beyond]);
});

test('times are read in the zone, before and after are strict, spans are open at the past end', () => {
  expect(satisfying('before', '2026-03-09', ['2026-03-09T03:59:59Z', '2026-03-09T04:00:00Z'])).toEqual([
    '2026-03-09T03:59:59Z',
  ]);
  expect(satisfying('after', '-12h', ['2026-03-08T20:00', '2026-03-08T20:00:00.001'])).toEqual([
    '2026-03-08T20:00:00.001',
  ]);
  const values = ['2026-03-08T12:00:00Z', '2026-03-08T12:00:00.001Z', '2026-03-09T12:00:00Z'];
  const later = ['2026-03-09T12:00:00.001Z', '2026-03-10T12:00:00Z', '2026-03-10T12:00:00.001Z'];
  expect(satisfying('withinLast', '1d', [...values, ...later])).toEqual(values.slice(1));
  expect(satisfying('withinNext', '1d', [...values, ...later])).toEqual(later.slice(0, 2));
});

test('patterns are unanchored RE2, and linear', () => {
  const values: Value[] = ['abc', 'ABC', 'b', '', 'a\nc', 1, true, ['x', 'abc'], []];
  expect(satisfying('matches', 'b', values)).toEqual(['abc', 'b', ['x', 'abc']]);
  expect(satisfying('matches', '^b$', values)).toEqual(['b']);
  expect(satisfying('matches', '(?i)^a.*c$', values)).toEqual(['abc', 'ABC', ['x', 'abc']]);
  expect(satisfying('matches', '(?s)a.c', values)).toEqual(['abc', 'a\nc', ['x', 'abc']]);
  expect(satisfying('matches', '\\p{Lu}', values)).toEqual(['ABC']);
  expect(satisfying('matches', '\\x{2013}', ['2013', 'a – b'])).toEqual(['a – b']);
  expect(satisfying('matches', '', values)).toEqual(['abc', 'ABC', 'b', '', 'a\nc', ['x', 'abc']]);
  // Takes exponential time where a pattern is tried by going back.
  expect(satisfying('matches', '^(a+)+$', [`${'a'.repeat(1023)}!`])).toEqual([]);
});

test('anniversaries go by month and day, of the moment and the value in the zone', () => {
  // In New York it is 8 a.m. on 9 March.
  const values = [
    '1990-03-09',
    '2030-03-09',
    '1990-03-10',
    '1990-03-02',
    '1990-03-03',
    '1990-03-16',
    '1990-03-17',
  ];
  expect(satisfying('anniversary', { on: 'today' }, values)).toEqual(['1990-03-09', '2030-03-09']);
  expect(satisfying('anniversary', { last: '7d' }, values)).toEqual([
    '1990-03-09',
    '2030-03-09',
    '1990-03-03',
  ]);
  expect(satisfying('anniversary', { next: '7d' }, values)).toEqual(['1990-03-10', '1990-03-16']);
  expect(satisfying('anniversary', { last: '0d' }, values)).toEqual([]);
  expect(satisfying('anniversary', { last: '366d' }, values)).toEqual(values);
  expect(satisfying('anniversary', { next: '8h' }, values)).toEqual([]);
  expect(satisfying('anniversary', { next: '16h' }, values)).toEqual(['1990-03-10']);
  const moments = [
    '1990-03-10T04:59:59Z',
    '1990-03-09T05:00:00Z',
    '1990-03-09T04:59:59Z',
    '1990-03-09T23:00',
  ];
  expect(satisfying('anniversary', { on: 'today' }, moments)).toEqual([moments[0], moments[1], moments[3]]);
  expect(satisfying('anniversary', { on: 'today' }, [309, '03-09', true, ['x', '1990-03-09']])).toEqual([
    ['x', '1990-03-09'],
  ]);
});

test('29 February counts as 1 March in years that have none', () => {
  const on = (date: string, test: object) => {
    const criterion = parseSegment({ profile: 'p', op: 'anniversary', value: test });
    if (criterion.kind !== 'profile' || criterion.test.op === 'near') throw new Error('no such test');
    const { test: holds } = compileTest(criterion.test, {
      atMs: Date.parse(`${date}T12:00:00Z`),
      zone: 'UTC',
    });
    return ['2000-02-28', '2000-02-29', '2000-03-01'].filter(holds);
  };
  expect(on('2024-02-29', { on: 'today' })).toEqual(['2000-02-29']);
  expect(on('2024-03-01', { on: 'today' })).toEqual(['2000-03-01']);
  expect(on('2026-03-01', { on: 'today' })).toEqual(['2000-02-29', '2000-03-01']);
  expect(on('2026-02-28', { on: 'today' })).toEqual(['2000-02-28']);
  expect(on('2026-02-28', { next: '1d' })).toEqual(['2000-02-29', '2000-03-01']);
  expect(on('2024-02-28', { next: '1d' })).toEqual(['2000-02-29']);
  expect(on('2026-03-02', { last: '2d' })).toEqual(['2000-02-29', '2000-03-01']);
});

test('near is a circle on a sphere of 6371.0088 km, its edge included', () => {
  const isNear = (circle: object, lat: Value | undefined, lon: Value | undefined) => {
    const criterion = parseSegment({ profile: 'home', op: 'near', value: circle });
    if (criterion.kind !== 'profile') throw new Error('not a profile criterion');
    const values: Readonly<Record<string, Value | undefined>> = { 'home.lat': lat, 'home.lon': lon };
    return passesTest(compilePropertyTest('home', criterion.test, NEW_YORK), (name) => values[name]);
  };
  // A degree of a meridian is 111.195 km.
  const degreeKm = (6371.0088 * Math.PI) / 180;
  expect(isNear({ lat: 0, lon: 0, km: degreeKm + 1e-6 }, 1, 0)).toBe(true);
  expect(isNear({ lat: 0, lon: 0, km: degreeKm - 1e-6 }, 1, 0)).toBe(false);
  expect(isNear({ lat: 52.5, lon: 13.4, km: 0 }, 52.5, 13.4)).toBe(true);
  // Berlin to Paris, 878 km.
  expect(isNear({ lat: 52.52, lon: 13.405, km: 870 }, 48.8566, 2.3522)).toBe(false);
  expect(isNear({ lat: 52.52, lon: 13.405, km: 880 }, 48.8566, 2.3522)).toBe(true);
  expect(isNear({ lat: 0, lon: 179.9, km: 30 }, 0, -179.9)).toBe(true);
  expect(isNear({ lat: 89.9, lon: 0, km: 30 }, 89.9, 180)).toBe(true);
  expect(isNear({ lat: -10, lon: 20, km: 20_016 }, 10, -160)).toBe(true);
  expect(isNear({ lat: 0, lon: 0, km: 1 }, '0', 0)).toBe(false);
  expect(isNear({ lat: 0, lon: 0, km: 1 }, 0, undefined)).toBe(false);
  expect(isNear({ lat: 0, lon: 0, km: 1 }, [50, 0], ['x', 0])).toBe(true);
  expect(isNear({ lat: 80, lon: 180, km: 1 }, 100, 0)).toBe(false);
});

test('windows end at the moment, whatever they say', () => {
  const { atMs } = NEW_YORK;
  const span = (json: unknown) => {
    const criterion = parseSegment({ event: 'e', within: json });
    return windowSpan(criterion.kind === 'event' ? criterion.within : undefined, NEW_YORK);
  };
  const end = atMs + 1;
  expect(span(undefined)).toEqual({ fromMs: -Infinity, toMs: end });
  expect(span({ last: '1d' })).toEqual({ fromMs: end - DAY_MS, toMs: end });
  expect(span({ from: '-2d', to: '-1d' })).toEqual({ fromMs: atMs - 2 * DAY_MS, toMs: atMs - DAY_MS });
  expect(span({ from: '2026-03-08', to: '2027-01-01' })).toEqual({
    fromMs: Date.parse('2026-03-08T05:00:00Z'),
    toMs: end,
  });
  const skipped = span({ on: '2026-03-08' });
  expect(skipped.toMs - skipped.fromMs).toBe(23 * HOUR_MS);
});

test('the range of a comparison says the same of every number', () => {
  const numbers = [-Number.MAX_VALUE, -1, -5e-324, -0, 0, 5e-324, 0.1, 1, 2 ** 53, Number.MAX_VALUE];
  const neighbours = numbers
    .flatMap((n) => [n, n * (1 + 2 ** -52), n * (1 - 2 ** -53)])
    .filter(Number.isFinite);
  for (const operand of numbers) {
    for (const op of ['gt', 'gte', 'lt', 'lte', 'between']) {
      const { range, test } = predicate(op, op === 'between' ? [operand, 0.1] : operand);
      for (const n of neighbours)
        expect(n >= range!.from && n < range!.to, `${n} ${op} ${operand}`).toBe(test(n));
    }
  }
  expect(predicate('gt', 'a').range).toBeUndefined();
});

test('a span says of moments what the test says of their texts', () => {
  const atMs = NEW_YORK.atMs;
  const texts = [
    ...['', '0', '1970', '2026-03', '2026-03-09', '2026-03-09T12', '2026-03-09T12:00:00.000Z', '2026-03-0:'],
    ...['2026-03-09T12:00:00.001Z', '2026-03-09T12:00:00Z', '2026-02-30T00:00', '9999-12-31T24', 'x'],
  ];
  const predicates = [
    ...['gt', 'gte', 'lt', 'lte'].flatMap((op) => texts.map((text) => predicate(op, text))),
    ...texts.map((text) => predicate('between', [text, '2026-03-09T12:00:00.000Z'])),
    ...['before', 'after'].flatMap((op) => ['2026-03-09', '-1d'].map((time) => predicate(op, time))),
    ...['withinLast', 'withinNext'].map((op) => predicate(op, '1h')),
  ];
  const steps = [
    0,
    1,
    2,
    HOUR_MS - 1,
    HOUR_MS,
    HOUR_MS + 1,
    20 * HOUR_MS,
    DAY_MS,
    9 * DAY_MS,
    10_000 * DAY_MS,
  ];
  const moments = [0, 1, ...steps.flatMap((step) => [atMs - step, atMs + step]), MOMENTS_END_MS - 1];
  for (const { test, span } of predicates) {
    for (const moment of moments) {
      const isIn = moment >= span!.fromMs && moment < span!.toMs;
      expect(test(isoTime(moment)), `${isoTime(moment)} in ${JSON.stringify(span)}`).toBe(isIn);
    }
  }
  expect(predicate('gt', 5).span).toBe(undefined);
});
