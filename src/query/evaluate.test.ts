import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import { evaluate } from './evaluate.ts';
import { evaluateUser } from './evaluateUser.ts';
import { parseSegment } from './parse.ts';
import { newStats } from './stats.ts';
import { run } from './testStore.ts';
import { type TestEvent, testView } from './testView.ts';

const AT_MS = Date.parse('2026-03-08T18:00:00Z');

beforeAll(initHash);

test('evaluation goes in steps, and parts out of reach are passed over', () => {
  const day = (n: number): TestEvent[] => [
    { ordinal: 0, event: 'Viewed', timeMs: AT_MS - n * DAY_MS, properties: { a: n } },
  ];
  const view = testView({
    users: [{ known: true, id: 'u' }],
    parts: [day(9), day(2), day(1), []],
  });
  const stats = newStats();
  const criterion = parseSegment({ event: 'Viewed', within: { last: '3d' }, count: { eq: 2 } });
  const steps = evaluate(view, criterion, { atMs: AT_MS, nowMs: AT_MS }, stats);
  let stepCount = 0;
  while (!steps.next().done) stepCount++;
  expect(stepCount).toBeGreaterThan(5);
  expect(stats).toMatchObject({ rowsScanned: 2, blocksSkipped: 2 });
});

test('the first and the last moment of a window, at the edges of a part', () => {
  const times = [-2, -1, 0, 1].map((hours) => AT_MS + hours * HOUR_MS);
  const part = times.map((timeMs, ordinal) => ({ ordinal, event: 'Viewed', timeMs, properties: {} }));
  const users = times.map((_, i) => ({ known: true, id: `${i}` }));
  const membersOf = (rows: TestEvent[], within: unknown): number[] => {
    const criterion = parseSegment({ event: 'Viewed', within });
    const queryTimes = { atMs: AT_MS + DAY_MS, nowMs: AT_MS + DAY_MS };
    return [
      ...run(evaluate(testView({ users, parts: [rows, []] }), criterion, queryTimes, newStats())).members,
    ];
  };
  const iso = (timeMs: number): string => new Date(timeMs).toISOString();
  for (const [i, from] of times.entries()) {
    for (const [j, to] of times.entries()) {
      const expected = [0, 1, 2, 3].filter((ordinal) => ordinal >= i && ordinal < j);
      expect(membersOf(part, { from: iso(from), to: iso(to) })).toEqual(expected);
      expect(membersOf(part.slice(i, j + 1), { from: iso(from), to: iso(to) })).toEqual(expected);
    }
  }
});

test('a scan that cannot change the result does not run', () => {
  const view = testView({
    users: [{ known: true, id: 'u' }],
    parts: [[{ ordinal: 0, event: 'Viewed', timeMs: AT_MS, properties: {} }], []],
  });
  const rowsScanned = (json: unknown): number => {
    const stats = newStats();
    run(evaluate(view, parseSegment(json), { atMs: AT_MS, nowMs: AT_MS }, stats));
    return stats.rowsScanned;
  };
  const viewed = { event: 'Viewed' };
  expect(rowsScanned({ and: [viewed, { profile: 'a', op: 'exists' }] })).toBe(0);
  expect(rowsScanned({ or: [viewed, { profile: 'a', op: 'notExists' }] })).toBe(0);
  expect(rowsScanned({ and: [viewed, { event: 'Viewed', count: { lt: 3 } }] })).toBe(1);
});

test('saved segments that share others take no exponential time', () => {
  const saved: Record<string, unknown> = { s0: { event: 'Viewed' } };
  for (let i = 1; i < 16; i++) {
    saved[`s${i}`] = { and: Array.from({ length: 20 }, () => ({ segment: `s${i - 1}` })) };
  }
  const view = testView({
    users: [{ known: true, id: 'u' }],
    parts: [[{ ordinal: 0, event: 'Viewed', timeMs: AT_MS, properties: {} }]],
    saved,
  });
  const times = { atMs: AT_MS, nowMs: AT_MS };
  const criterion = parseSegment({ segment: 's15' });
  expect(run(evaluate(view, criterion, times, newStats())).members.count()).toBe(1);
  expect(evaluateUser(view, criterion, 0, times)).toBe(true);
});
