import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { SECOND_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import { isArray, type Value } from '../../base/value.ts';
import type { JsonObject } from '../shape.ts';
import { type TestEvent, testView } from '../testView.ts';
import type { FunnelResult, FunnelStep } from './funnel.ts';
import {
  analyze,
  iso,
  isVisible,
  randomTablet,
  randomView,
  type TestUser,
  testUsers,
} from './testAnalysis.ts';

beforeAll(initHash);

const EVENTS = ['A', 'B', 'C'];
const START_MS = Date.parse('2026-03-01T00:00:00Z');

interface Step {
  readonly json: JsonObject;
  readonly isTaken: (event: TestEvent) => boolean;
}

interface Question {
  readonly steps: readonly Step[];
  readonly windowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

function randomStep(random: SeededRandom): Step {
  const names = random.chance(0.7) ? [random.pick(EVENTS)] : EVENTS.filter(() => random.chance(0.6));
  const event = names.length === 1 ? names[0]! : [...names, 'Unknown'];
  if (random.chance(0.7)) return { json: { event }, isTaken: (e) => names.includes(e.event) };
  const n = random.below(4);
  return {
    json: { event, where: [{ prop: 'n', op: 'gte', value: n }] },
    isTaken: (e) => names.includes(e.event) && (e.properties.n as number) >= n,
  };
}

/** Every chain there is, each event in it once. */
function* chainsOf(
  trail: readonly TestEvent[],
  { steps, windowMs, fromMs, toMs }: Question,
  chain: readonly number[] = [],
): Generator<readonly number[]> {
  const step = steps[chain.length];
  if (chain.length > 0) yield chain;
  if (step === undefined) return;
  for (const [i, event] of trail.entries()) {
    if (chain.includes(i) || !step.isTaken(event)) continue;
    if (chain.length === 0 ? event.timeMs < fromMs || event.timeMs >= toMs : false) continue;
    if (chain.length > 0) {
      if (event.timeMs < trail[chain.at(-1)!]!.timeMs) continue;
      if (event.timeMs > trail[chain[0]!]!.timeMs + windowMs) continue;
    }
    yield* chainsOf(trail, { steps, windowMs, fromMs, toMs }, [...chain, i]);
  }
}

/** The longest; of those the one completed first; then that which starts last; then each step as early as can be. */
function longestChain(trail: readonly TestEvent[], question: Question): readonly TestEvent[] {
  let best: { readonly chain: readonly number[]; readonly rank: readonly number[] } | undefined;
  for (const chain of chainsOf(trail, question)) {
    const times = chain.map((i) => trail[i]!.timeMs);
    const rank = [-chain.length, times.at(-1)!, -times[0]!, ...times.slice(1), chain[0]!];
    if (best === undefined || isLess(rank, best.rank)) best = { chain, rank };
  }
  return (best?.chain ?? []).map((i) => trail[i]!);
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const differing = a.findIndex((n, i) => n !== b[i]);
  return differing !== -1 && a[differing]! < b[differing]!;
}

function stepsOf(chains: readonly (readonly TestEvent[])[], stepCount: number): readonly FunnelStep[] {
  const usersAt = (step: number) => chains.filter(({ length }) => length > step).length;
  return Array.from({ length: stepCount }, (_, step) => {
    const times = chains
      .filter(({ length }) => step > 0 && length > step)
      .map((chain) => chain[step]!.timeMs - chain[step - 1]!.timeMs)
      .sort((a, b) => a - b);
    const [low, high] = [times[Math.floor((times.length - 1) / 2)], times[Math.floor(times.length / 2)]];
    const share = (of: number) => (of === 0 ? 0 : usersAt(step) / of);
    return {
      users: usersAt(step),
      fromStart: share(usersAt(0)),
      fromPrevious: share(usersAt(Math.max(0, step - 1))),
      medianMs: times.length === 0 ? null : (low! + high!) / 2,
    };
  });
}

function breakdownOf(
  chains: readonly { readonly chain: readonly TestEvent[]; readonly value: Value | undefined }[],
  stepCount: number,
  top: number,
): FunnelResult['breakdown'] {
  const entered = chains.filter(({ chain }) => chain.length > 0);
  const texts = entered.flatMap(({ value }) => (value === undefined ? [] : [JSON.stringify(value)]));
  const countOf = (text: string) => texts.filter((other) => other === text).length;
  const kept = [...new Set(texts)].sort((a, b) => countOf(b) - countOf(a) || (a < b ? -1 : 1)).slice(0, top);
  const keyOf = (value: Value | undefined) => {
    if (value === undefined) return '(none)';
    if (!kept.includes(JSON.stringify(value))) return '(other)';
    return isArray(value) ? JSON.stringify(value) : value;
  };
  const keys = [...kept.map((text) => keyOf(JSON.parse(text) as Value)), '(other)', '(none)'];
  return keys.flatMap((key) => {
    const own = entered.filter(({ value }) => keyOf(value) === key).map(({ chain }) => chain);
    return own.length === 0 ? [] : [{ key, steps: stepsOf(own, stepCount) }];
  });
}

test('funnels are those of a look at every chain, over several tablets, parts and merges', () => {
  let longest = 0;
  for (let seed = 0; seed < 250; seed++) {
    const random = new SeededRandom(seed);
    const settings = random.chance(0.3) ? { timezone: 'UTC', retentionMs: 12 * SECOND_MS } : undefined;
    // Mostly whole seconds, of which few: many events have one time.
    const timeOf = () => START_MS + random.below(15) * SECOND_MS + (random.chance(0.2) ? 1 : 0);
    const eventsMax = random.pick([20, 60, 120]);
    const tablets = Array.from({ length: 1 + random.below(3) }, () =>
      randomTablet(random, {
        events: EVENTS,
        timeOf,
        eventsMax,
        usersMax: eventsMax / 5,
        ...(settings === undefined ? {} : { settings }),
      }),
    );
    const atMs = START_MS + random.pick([8, 14, 30]) * SECOND_MS;
    const moment = { atMs, nowMs: START_MS + 16 * SECOND_MS, zone: 'UTC' };
    const range = random.chance(0.5)
      ? { fromMs: -Infinity, toMs: Infinity }
      : {
          fromMs: START_MS + random.below(8) * SECOND_MS,
          toMs: START_MS + (8 + random.below(7)) * SECOND_MS,
        };
    const windowMs = random.pick([0, 1, 3, 10, 60]) * SECOND_MS;
    const steps = Array.from({ length: 2 + random.below(3) }, () => randomStep(random));
    const breakdown = random.pick([
      undefined,
      { prop: 'value' },
      { profile: 'plan', top: 2 },
      { prop: 'no', top: 1 },
    ]);
    const params = {
      steps: steps.map(({ json }) => json),
      window: `${windowMs / SECOND_MS}s`,
      ...(range.fromMs === -Infinity ? {} : { from: iso(range.fromMs), to: iso(range.toMs) }),
      ...(breakdown === undefined ? {} : { breakdown }),
    };
    const leavesOut = random.chance(0.3);
    const isWanted = (ordinal: number) => !leavesOut || ordinal % 4 !== 0;

    const users = tablets.flatMap((tablet): TestUser[] =>
      [...testUsers(tablet)].flatMap(([ordinal, user]) => (isWanted(ordinal) ? [user] : [])),
    );
    const found = users.map(({ trail, traits }) => {
      const visible = trail.filter((event) => isVisible(event, moment, settings));
      const chain = longestChain(visible, { steps, windowMs, ...range });
      const value = breakdown?.profile ? traits.plan : chain[0]?.properties[breakdown?.prop ?? ''];
      longest = Math.max(longest, chain.length);
      return { chain, value };
    });
    const expected = {
      steps: stepsOf(
        found.map(({ chain }) => chain),
        steps.length,
      ),
      ...(breakdown === undefined
        ? {}
        : { breakdown: breakdownOf(found, steps.length, breakdown.top ?? 10) }),
    };
    const views = tablets.map((tablet) => randomView(tablet, random));
    const answer = analyze('funnel', views, params, moment, (_, ordinal) => isWanted(ordinal));
    expect(answer, `seed ${seed}`).toEqual(expected);
  }
  expect(longest).toBe(4);
});

/** One user's events, each as `A@3`: its name and second. */
function levelsOf(
  trail: string,
  steps: readonly (string | readonly string[])[],
  window: string,
): readonly number[] {
  const events = trail.split(' ').map((text) => {
    const [event, second] = text.split('@');
    return { ordinal: 0, event: event!, timeMs: Number(second) * SECOND_MS, properties: {} };
  });
  const view = testView({ users: [{ known: true, id: 'u' }], parts: [events] });
  const moment = { atMs: 100 * SECOND_MS, nowMs: 100 * SECOND_MS, zone: 'UTC' };
  const params = { steps: steps.map((event) => ({ event })), window };
  return (analyze('funnel', [view], params, moment) as FunnelResult).steps.map(({ users }) => users);
}

test.each<
  [
    what: string,
    trail: string,
    steps: readonly (string | readonly string[])[],
    window: string,
    users: number[],
  ]
>([
  ['a later start leaves time for the rest', 'A@0 A@5 B@6 C@11', ['A', 'B', 'C'], '6s', [1, 1, 1]],
  ['also when an earlier one got further before', 'A@0 B@1 A@5 B@6 C@11', ['A', 'B', 'C'], '6s', [1, 1, 1]],
  ['the window includes its end', 'A@0 B@3', ['A', 'B'], '3s', [1, 1]],
  ['and nothing after', 'A@0 B@4', ['A', 'B'], '3s', [1, 0]],
  ['of one time, whatever arrived first', 'B@1 A@1', ['A', 'B'], '0s', [1, 1]],
  ['an event serves one step', 'A@1', ['A', 'A'], '9s', [1, 0]],
  ['two events serve two', 'A@1 A@1', ['A', 'A'], '9s', [1, 1]],
  ['each the one that leaves the other', 'A@1 B@1', [['A', 'B'], 'A'], '9s', [1, 1]],
  ['steps in another order do not count', 'B@1 A@2', ['A', 'B'], '9s', [1, 0]],
  ['other events between do not matter', 'A@1 X@2 B@3', ['A', 'B'], '9s', [1, 1]],
])('%s', (_, trail, steps, window, users) => {
  expect(levelsOf(trail, steps, window)).toEqual(users);
});

test('the walk of a user with very many events may be interrupted', () => {
  const events = Array.from({ length: 40_000 }, (_, i) => ({
    ordinal: 0,
    event: i === 39_999 ? 'B' : 'A',
    timeMs: i >> 1,
    properties: {},
  }));
  const view = testView({ users: [{ known: true, id: 'u' }], parts: [events] });
  const moment = { atMs: 100_000, nowMs: 100_000, zone: 'UTC' };
  const params = { steps: [{ event: 'A' }, { event: 'B' }], window: '1s' };
  expect(analyze('funnel', [view], params, moment)).toEqual({
    steps: [
      { users: 1, fromStart: 1, fromPrevious: 1, medianMs: null },
      { users: 1, fromStart: 1, fromPrevious: 1, medianMs: 0 },
    ],
  });
});

const STEPS = [{ event: 'A' }, { event: 'B' }];
test.each<[path: string, params: JsonObject]>([
  ['steps', { window: '1d' }],
  ['steps', { window: '1d', steps: 'A' }],
  ['steps', { window: '1d', steps: [{ event: 'A' }] }],
  ['steps', { window: '1d', steps: new Array(13).fill({ event: 'A' }) }],
  ['steps[1]', { window: '1d', steps: [{ event: 'A' }, 'B'] }],
  ['steps[1].event', { window: '1d', steps: [{ event: 'A' }, {}] }],
  ['steps[1].event', { window: '1d', steps: [{ event: 'A' }, { event: '' }] }],
  ['steps[0].event[1]', { window: '1d', steps: [{ event: ['A', 1] }, { event: 'B' }] }],
  ['steps[0].within', { window: '1d', steps: [{ event: 'A', within: '1d' }, { event: 'B' }] }],
  [
    'steps[1].where[0].op',
    { window: '1d', steps: [{ event: 'A' }, { event: 'B', where: [{ prop: 'n', op: 'is' }] }] },
  ],
  ['window', { steps: STEPS }],
  ['window', { steps: STEPS, window: 3600 }],
  ['window', { steps: STEPS, window: 'a day' }],
  ['windows', { steps: STEPS, window: '1d', windows: '1d' }],
  ['breakdown', { steps: STEPS, window: '1d', breakdown: 'city' }],
  ['breakdown', { steps: STEPS, window: '1d', breakdown: {} }],
  ['breakdown', { steps: STEPS, window: '1d', breakdown: { prop: 'city', profile: 'city' } }],
  ['breakdown.prop', { steps: STEPS, window: '1d', breakdown: { prop: 1 } }],
  ['breakdown.profile', { steps: STEPS, window: '1d', breakdown: { profile: '' } }],
  ['breakdown.top', { steps: STEPS, window: '1d', breakdown: { prop: 'city', top: 0 } }],
  ['breakdown.top', { steps: STEPS, window: '1d', breakdown: { prop: 'city', top: 1.5 } }],
  ['breakdown.top', { steps: STEPS, window: '1d', breakdown: { prop: 'city', top: 1001 } }],
  ['breakdown.by', { steps: STEPS, window: '1d', breakdown: { prop: 'city', by: 1 } }],
])('an error is at %s', (path, params) => {
  expect(() => analyze('funnel', [], params, { atMs: 0, nowMs: 0, zone: 'UTC' })).toThrow(
    expect.objectContaining({ code: 'bad_request', path }),
  );
});
