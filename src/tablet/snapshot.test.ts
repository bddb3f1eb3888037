import { beforeAll, describe, expect, test } from 'vitest';
import { realClock } from '../base/clock.ts';
import { initHash } from '../base/hash.ts';
import { DAY_MS, SECOND_MS } from '../base/limits.ts';
import { MemoryBudget } from '../base/memoryBudget.ts';
import { SeededRandom } from '../base/random.ts';
import type { Call, LogRecord } from '../log/record.ts';
import { applyRecords } from './apply.ts';
import { type OperationName, type Operations, runOperation } from './operations.ts';
import { isHome } from './placement.ts';
import { TabletSnapshot } from './snapshot.ts';
import { storeJobOptions } from './storeJobs.ts';
import { finish, order, plan, T0, TestTablet } from './testTablet.ts';

beforeAll(initHash);

/** One of two, so that some merges move a user away. */
const BITS = '0';
const RETENTION_MS = 20 * DAY_MS;
const SEGMENTS = {
  twice: { event: 'Order', count: { gte: 2 } },
  'not lately': { not: { event: 'Order', within: { last: '2d' } } },
  gold: { and: [{ profile: 'plan', op: 'eq', value: 'gold' }, { segment: 'saved' }] },
  'not silver': { profile: 'plan', op: 'neq', value: 'silver' },
};

describe('a snapshot answers as it did when it was taken', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'whatever is applied, sealed, merged and deleted between any two steps (seed %i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const target = new TestTablet(BITS, { headRowsMax: 16, windowRowsMax: 60 }, RETENTION_MS);
      const { tablet } = target;
      const changes = endlessChanges(target, random);
      const open: { readonly snapshot: TabletSnapshot; readonly expected: readonly unknown[] }[] = [];
      for (let round = 0; round < 60; round++) {
        for (let frames = 0; frames < 5; ) if (changes.next().value === true) frames++;
        if (round % 3 === 0) {
          const snapshot = new TabletSnapshot(tablet, new MemoryBudget(2 ** 20));
          open.push({ snapshot, expected: questions(tablet.clockMs).map((ask) => finish(ask(snapshot))) });
        }
        if (open.length > 4) open.splice(random.below(open.length), 1)[0]!.snapshot.close();
        const { snapshot, expected } = random.pick(open);
        const asked = questions(snapshot.clockMs);
        const which = random.below(asked.length);
        const steps = asked[which]!(snapshot);
        for (;;) {
          const { done, value } = steps.next();
          if (done === true) {
            expect(value).toEqual(expected[which]);
            break;
          }
          for (let n = random.below(4); n > 0; n--) changes.next();
        }
      }
      for (const { snapshot, expected } of open)
        expect(questions(snapshot.clockMs).map((ask) => finish(ask(snapshot)))).toEqual(expected);
    },
  );
});

test('counting leaves the budget to the next tablet', () => {
  const { tablet } = new TestTablet(BITS);
  const calls = Array.from({ length: 100 }, (_, n) => order(`u${n}`, n));
  finish(applyRecords(tablet, [{ kind: 'calls', atMs: T0, calls }], 0));
  const budget = new MemoryBudget(2 ** 20);
  const snapshot = new TabletSnapshot(tablet, budget);
  const args = {
    segments: { twice: SEGMENTS.twice, 'not silver': SEGMENTS['not silver'] },
    atMs: T0,
    nowMs: T0,
  };
  finish(runOperation(snapshot, 'count', args, realClock));
  snapshot.close();
  expect(budget.bytesPeak).toBeGreaterThan(0);
  expect(budget.bytes).toBe(0);
});

type Ask = (snapshot: TabletSnapshot) => Generator<void, unknown>;

function questions(nowMs: number): Ask[] {
  const ask =
    <K extends OperationName>(operation: K, args: Operations[K]['args']): Ask =>
    (snapshot) =>
      runOperation(snapshot, operation, args, realClock);
  const members = { segment: SEGMENTS.twice, from: 0, limit: 100, traits: ['plan'] };
  const request = { atMs: nowMs, nowMs, limit: 100 };
  return [
    ask('count', { segments: SEGMENTS, atMs: nowMs, nowMs }),
    ask('members', { ...members, atMs: nowMs, nowMs }),
    ...['u0', 'u3', 'u6'].flatMap((userId) => [
      ask('contains', { userId, segments: SEGMENTS, atMs: nowMs, nowMs }),
      ask('profile', { userId, nowMs }),
      ask('timeline', { userId, request }),
    ]),
  ];
}

/** Frames and blocks, in steps; true after each frame. */
function* endlessChanges({ tablet }: TestTablet, random: SeededRandom): Generator<boolean, never> {
  let atMs = T0;
  for (let position = 100; ; position++) {
    atMs += random.below(3 * 60 * 60 * SECOND_MS);
    for (const _ of applyRecords(tablet, [randomRecord(random, position, atMs)], position)) yield false;
    const [pending] = tablet.transfers.pending();
    if (pending !== undefined && random.chance(0.5)) {
      const { target, record } = pending;
      const done: LogRecord = { kind: 'transferDone', atMs, target, sequence: record.sequence };
      for (const _ of applyRecords(tablet, [done], ++position)) yield false;
    }
    yield true;
    if (tablet.events.isBehind || random.chance(0.1))
      for (const _ of tablet.events.writeSteps(storeJobOptions(tablet, random.chance(0.5)))) yield false;
  }
}

function randomRecord(random: SeededRandom, n: number, atMs: number): LogRecord {
  const here = (prefix: string) => {
    for (;;) {
      const id = `${prefix}${random.below(20)}`;
      if (isHome(BITS, id)) return id;
    }
  };
  const timeMs = atMs - random.below(DAY_MS);
  const definition = { event: 'Order', within: { last: `${1 + random.below(30)}d` } };
  const saved: LogRecord = {
    kind: 'control',
    atMs,
    what: 'segment',
    name: 'saved',
    value: { definition, live: false },
  };
  if (n === 100 || random.chance(0.05)) return saved;
  if (random.chance(0.1)) {
    const user = random.chance(0.7)
      ? { known: true, id: `u${random.below(20)}` }
      : { known: false, id: here('a') };
    return { kind: 'delete', atMs, user, anonymousIds: [] };
  }
  const some = (): Call =>
    random.pick<Call>([
      order(here('u'), n, { timeMs }),
      order(here('u'), n, { timeMs }),
      order(here('a'), n, { timeMs, known: false }),
      plan(here('u'), random.pick(['gold', 'silver', 'none'])),
      plan(here('a'), 'gold', false),
      { kind: 'alias', of: 'alias', anonymousId: here('a'), userId: `u${random.below(20)}`, timeMs },
    ]);
  return { kind: 'calls', atMs, calls: Array.from({ length: 1 + random.below(8) }, some) };
}
