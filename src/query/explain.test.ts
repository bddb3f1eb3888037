import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { DAY_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import { explanationOf } from './explainText.ts';
import { parseSegment } from './parse.ts';
import { newStats } from './stats.ts';
import { run, testStore } from './testStore.ts';
import type { TestEvent } from './testView.ts';

beforeAll(initHash);

const START_MS = Date.UTC(2026, 0, 1);
const DAYS = 200;
const NOW = { atMs: START_MS + DAYS * DAY_MS, nowMs: START_MS + DAYS * DAY_MS };
const clock = { monotonicMs: () => 0 };

/** Orders on all days, visits in the first half only. */
function tablet(random: SeededRandom) {
  const users = Array.from({ length: 40 }, (_, i) => ({ known: true, id: `u${i}` }));
  const rows = Array.from({ length: 1200 }, (_, i): TestEvent => {
    const day = (i * DAYS) / 1200;
    const event = day < DAYS / 2 && random.chance(0.5) ? 'Visit' : 'Order';
    return {
      ordinal: random.below(users.length),
      event,
      timeMs: Math.floor(START_MS + day * DAY_MS),
      properties: { sku: `sku ${i}` },
    };
  });
  const traits = new Map(users.map((_, ordinal) => [ordinal, { plan: ordinal % 2 === 0 ? 'pro' : 'free' }]));
  return testStore({ users, traits, parts: [rows], saved: { buyers: { event: 'Order' } } });
}

const explained = (definition: unknown, seed = 1) => {
  const view = tablet(new SeededRandom(seed));
  const criterion = parseSegment(definition);
  const real = run(evaluate(view, criterion, NOW, newStats()));
  const found = run(explain(view, criterion, NOW, clock));
  expect(found.real.users).toBe(real.members.count());
  expect(found.total).toBe(real.users.count());
  return explanationOf(definition, [found]);
};

describe('explain', () => {
  test('says of each criterion what is scanned, what is skipped and why, and who is found', () => {
    const { plan, estimate, real } = explained({
      and: [
        { event: 'Order', within: { last: '20d' } },
        { profile: 'plan', op: 'eq', value: 'pro' },
        { not: { event: 'Visit' } },
      ],
    });
    expect(plan.map(({ path, order }) => [path, order])).toEqual([
      ['$', undefined],
      ['$.and[0]', 2],
      ['$.and[1]', 1],
      ['$.and[2]', 3],
      ['$.and[2].not', undefined],
    ]);
    const [, orders, pro, , visits] = plan;
    expect(orders!.scan!.skippedByTime).toBeGreaterThan(orders!.scan!.blocks / 2);
    expect(orders!.estimate!.share).toBeLessThan(0.3);
    expect(orders!.estimate!.rows).toBe(orders!.real!.rows);
    expect(pro!.real!.users).toBe(20);
    expect(pro!.scan).toBeUndefined();
    expect(visits!.scan!.skippedByEvents).toBeGreaterThan(0);
    expect(visits!.estimate!.rows).toBe(visits!.real!.rows);
    expect(estimate.rows).toBe(orders!.estimate!.rows + visits!.estimate!.rows);
    expect(real.rows).toBeLessThanOrEqual(estimate.rows);
  });

  test('estimates how many rows match by names and time', () => {
    const { plan } = explained({ event: 'Order', within: { last: '100d' } });
    const { matches } = plan[0]!.estimate!;
    expect(matches).toBeGreaterThan(0.8 * 600);
    expect(matches).toBeLessThan(1.2 * 600);
  });

  test.each([
    [{ event: 'Ordr' }, 'no event "Ordr" is known: check the spelling'],
    [
      { event: 'Order', where: [{ prop: 'colour', op: 'exists' }] },
      'no event has a property "colour": check the spelling',
    ],
    [{ profile: 'plann', op: 'exists' }, 'no user has a trait "plann": check the spelling'],
    [{ event: 'Visit', within: { last: '30d' } }, 'nobody satisfies it'],
  ])('%j: %s', (definition, advice) => {
    const { plan, text } = explained(definition);
    expect(plan[0]!.advice).toEqual([advice]);
    expect(text).toContain(`→ ${advice}`);
  });

  test('advises against what is slow in many rows, and only there', () => {
    const definition = { event: 'Order', where: [{ prop: 'sku', op: 'contains', value: '7' }] };
    const view = tablet(new SeededRandom(1));
    const one = run(explain(view, parseSegment(definition), NOW, clock));
    expect(explanationOf(definition, [one]).plan[0]!.advice).toEqual([]);
    const many = Array.from({ length: 200 }, () => one);
    const { plan, real, text } = explanationOf(definition, many);
    expect(plan[0]!.advice).toMatchObject([
      expect.stringContaining('"within"'),
      expect.stringMatching(/"sku" has about .* different texts/),
    ]);
    expect(real.users).toBe(200 * one.real.users);
    expect(text.split('\n')).toContain('$');
  });

  test('scans for each kind of event of a sequence', () => {
    const { plan } = explained({ sequence: [{ event: 'Visit' }, { event: 'Ordr' }], window: '5d' });
    expect(plan[0]!.advice[0]).toBe('no event "Ordr" is known: check the spelling');
    expect(plan[0]!.scan!.skippedByEvents).toBeGreaterThan(0);
  });

  test('a saved segment is one criterion', () => {
    const { plan } = explained({ or: [{ segment: 'buyers' }, { all: true }] });
    expect(plan.map(({ criterion }) => criterion).slice(1)).toEqual(['{"segment":"buyers"}', '{"all":true}']);
  });
});
