import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { SECOND_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import type { JsonObject } from '../shape.ts';
import { type TestEvent, testView } from '../testView.ts';
import type { FlowResult } from './flow.ts';
import { analyze, iso, isVisible, randomTablet, randomView, testUsers } from './testAnalysis.ts';

beforeAll(initHash);

const EVENTS = ['A', 'B', 'C', 'D', 'E'];
const START_MS = Date.parse('2026-03-01T00:00:00Z');

interface Question {
  readonly isAnchor: (event: TestEvent) => boolean;
  readonly direction: 'start' | 'end';
  readonly steps: number;
  readonly windowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly top: number;
}

/** The events' names from the anchor on, and `(end)` where there are fewer than asked for. */
function pathOf(trail: readonly TestEvent[], question: Question): readonly string[] {
  const { isAnchor, direction, steps, windowMs, fromMs, toMs } = question;
  // Going back is going on in a trail that is turned round.
  const ordered = direction === 'start' ? trail : trail.toReversed();
  const anchor = ordered.findIndex((e) => isAnchor(e) && e.timeMs >= fromMs && e.timeMs < toMs);
  if (anchor === -1) return [];
  const near = ordered
    .slice(anchor)
    .filter(({ timeMs }) => Math.abs(timeMs - ordered[anchor]!.timeMs) <= windowMs)
    .slice(0, steps + 1)
    .map(({ event }) => event);
  return near.length > steps ? near : [...near, '(end)'];
}

function flowOf(paths: readonly (readonly string[])[], { steps, direction, top }: Question): FlowResult {
  const shown = paths.map((path) => [...path]);
  const order = Array.from({ length: steps + 1 }, (_, step) => {
    const names = paths.flatMap((path) => (path[step] === undefined ? [] : [path[step]]));
    const countOf = (name: string) => names.filter((other) => other === name).length;
    const kept = [...new Set(names)]
      .filter((name) => name !== '(end)')
      .sort((a, b) => countOf(b) - countOf(a) || (a < b ? -1 : 1))
      .slice(0, top);
    for (const path of shown) {
      if (path[step] !== undefined && path[step] !== '(end)' && !kept.includes(path[step]))
        path[step] = '(other)';
    }
    return [...kept, '(other)', '(end)'];
  });
  const stepOf = (step: number) => (direction === 'start' || step === 0 ? step : -step);
  const idOf = (step: number, event: string) => `${stepOf(step)}:${event}`;
  const nodes = order.map((events, step) =>
    events.flatMap((event) => {
      const users = shown.filter((path) => path[step] === event).length;
      return users === 0 ? [] : [{ id: idOf(step, event), step: stepOf(step), event, users }];
    }),
  );
  const links = order.slice(1).flatMap((farEvents, step) =>
    order[step]!.flatMap((near) =>
      farEvents.flatMap((far) => {
        const users = shown.filter((path) => path[step] === near && path[step + 1] === far).length;
        const [nearId, farId] = [idOf(step, near), idOf(step + 1, far)];
        const ends =
          direction === 'start' ? { source: nearId, target: farId } : { source: farId, target: nearId };
        return users === 0 ? [] : [{ ...ends, users }];
      }),
    ),
  );
  return { nodes: (direction === 'start' ? nodes : nodes.toReversed()).flat(), links };
}

test('flows are those of every user’s path, over several tablets, parts and merges', () => {
  let linkCount = 0;
  for (let seed = 0; seed < 120; seed++) {
    const random = new SeededRandom(seed);
    const settings = random.chance(0.3) ? { timezone: 'UTC', retentionMs: 30 * SECOND_MS } : undefined;
    const timeOf = () => START_MS + random.below(40) * SECOND_MS + (random.chance(0.3) ? 1 : 0);
    const tablets = Array.from({ length: 1 + random.below(3) }, () =>
      randomTablet(random, {
        events: random.chance(0.5) ? EVENTS : EVENTS.slice(0, 2),
        timeOf,
        eventsMax: 150,
        usersMax: 25,
        ...(settings === undefined ? {} : { settings }),
      }),
    );
    const moment = {
      atMs: START_MS + random.pick([20, 60]) * SECOND_MS,
      nowMs: START_MS + 40 * SECOND_MS,
      zone: 'UTC',
    };
    const range = random.chance(0.5)
      ? { fromMs: -Infinity, toMs: Infinity }
      : {
          fromMs: START_MS + random.below(20) * SECOND_MS,
          toMs: START_MS + (20 + random.below(20)) * SECOND_MS,
        };
    const names = [random.pick(EVENTS), ...EVENTS.filter(() => random.chance(0.2))];
    const n = random.below(3);
    const question: Question = {
      isAnchor: (e) => names.includes(e.event) && (e.properties.n as number) >= n,
      direction: random.pick(['start', 'end']),
      steps: 1 + random.below(4),
      windowMs: random.pick([0, 2, 10, 100]) * SECOND_MS,
      top: random.pick([1, 2, 8]),
      ...range,
    };
    const { direction, steps, windowMs, top } = question;
    const params = {
      [direction]: { event: ['Unknown', ...names], where: [{ prop: 'n', op: 'gte', value: n }] },
      steps,
      window: `${windowMs / SECOND_MS}s`,
      ...(top === 8 ? {} : { top }),
      ...(range.fromMs === -Infinity ? {} : { from: iso(range.fromMs), to: iso(range.toMs) }),
    };
    const paths = tablets.flatMap((tablet) =>
      [...testUsers(tablet).values()].flatMap(({ trail }) => {
        const path = pathOf(
          trail.filter((event) => isVisible(event, moment, settings)),
          question,
        );
        return path.length === 0 ? [] : [path];
      }),
    );
    const views = tablets.map((tablet) => randomView(tablet, random));
    const answer = analyze('flow', views, params, moment);
    const expected = flowOf(paths, question);
    expect(answer, `seed ${seed}`).toEqual(expected);
    linkCount += expected.links.length;
  }
  expect(linkCount).toBeGreaterThan(400);
});

/** Events of one user each, as `A@3`: its name and second. */
function flows(trails: readonly string[], params: JsonObject): FlowResult {
  const events = trails.flatMap((trail, ordinal) =>
    trail.split(' ').map((text) => {
      const [event, second] = text.split('@');
      return { ordinal, event: event!, timeMs: Number(second) * SECOND_MS, properties: {} };
    }),
  );
  const users = trails.map((_, i) => ({ known: true, id: `u${i}` }));
  const moment = { atMs: 100 * SECOND_MS, nowMs: 100 * SECOND_MS, zone: 'UTC' };
  const all = { steps: 2, window: '9s', ...params };
  return analyze('flow', [testView({ users, parts: [events] })], all, moment) as FlowResult;
}

test('from the first such event on', () => {
  expect(flows(['X@0 A@1 B@2 A@3 C@4', 'A@1 B@2', 'A@1 C@99'], { start: { event: 'A' } })).toEqual({
    nodes: [
      { id: '0:A', step: 0, event: 'A', users: 3 },
      { id: '1:B', step: 1, event: 'B', users: 2 },
      { id: '1:(end)', step: 1, event: '(end)', users: 1 },
      { id: '2:A', step: 2, event: 'A', users: 1 },
      { id: '2:(end)', step: 2, event: '(end)', users: 1 },
    ],
    links: [
      { source: '0:A', target: '1:B', users: 2 },
      { source: '0:A', target: '1:(end)', users: 1 },
      { source: '1:B', target: '2:A', users: 1 },
      { source: '1:B', target: '2:(end)', users: 1 },
    ],
  });
});

test('back from the last such event', () => {
  expect(flows(['A@1 B@2 A@3 C@4 A@5 X@6', 'A@1'], { end: { event: 'A' }, top: 1 })).toEqual({
    nodes: [
      { id: '-2:A', step: -2, event: 'A', users: 1 },
      { id: '-1:C', step: -1, event: 'C', users: 1 },
      { id: '-1:(end)', step: -1, event: '(end)', users: 1 },
      { id: '0:A', step: 0, event: 'A', users: 2 },
    ],
    links: [
      { source: '-1:C', target: '0:A', users: 1 },
      { source: '-1:(end)', target: '0:A', users: 1 },
      { source: '-2:A', target: '-1:C', users: 1 },
    ],
  });
});

test('events with the names of the others and the end have ids of their own', () => {
  const { nodes } = flows(['A@1 (end)@2', 'A@1', 'A@1 "(end)"@2', 'A@1 C@2'], {
    start: { event: 'A' },
    steps: 1,
    top: 2,
  });
  expect(nodes.map(({ id }) => id)).toEqual(['0:A', '1:"(end)"', '1:C', '1:(other)', '1:(end)']);
});

test('nobody has a path', () => {
  expect(flows(['A@1'], { start: { event: 'Unknown' } })).toEqual({ nodes: [], links: [] });
});

const START = { event: 'A' };
test.each<[path: string, params: JsonObject]>([
  ['start', { steps: 2, window: '1d' }],
  ['end', { start: START, end: START, steps: 2, window: '1d' }],
  ['start.event', { start: {}, steps: 2, window: '1d' }],
  ['end.event', { end: { event: 1 }, steps: 2, window: '1d' }],
  ['start.where[0].op', { start: { event: 'A', where: [{ prop: 'n' }] }, steps: 2, window: '1d' }],
  ['start.name', { start: { event: 'A', name: 'B' }, steps: 2, window: '1d' }],
  ['steps', { start: START, window: '1d' }],
  ['steps', { start: START, steps: 0, window: '1d' }],
  ['steps', { start: START, steps: 11, window: '1d' }],
  ['window', { start: START, steps: 2 }],
  ['window', { start: START, steps: 2, window: '1y' }],
  ['top', { start: START, steps: 2, window: '1d', top: 0 }],
  ['top', { start: START, steps: 2, window: '1d', top: 51 }],
  ['events', { start: START, steps: 2, window: '1d', events: ['A'] }],
])('an error is at %s', (path, params) => {
  expect(() => analyze('flow', [], params, { atMs: 0, nowMs: 0, zone: 'UTC' })).toThrow(
    expect.objectContaining({ code: 'bad_request', path }),
  );
});
