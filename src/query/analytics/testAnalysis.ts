import type { SeededRandom } from '../../base/random.ts';
import type { Value } from '../../base/value.ts';
import type { TabletView } from '../../store/view.ts';
import type { JsonObject } from '../shape.ts';
import { newStats } from '../stats.ts';
import { run, testStore } from '../testStore.ts';
import { type TestEvent, type TestTablet, testView } from '../testView.ts';
import { usersOf } from '../users.ts';
import { ANALYSES, frameOf } from './analyses.ts';

/** For tests of analyses: tablets, what their users did in plain lists, and an analysis of all of them. */

export interface TestUser {
  /** In trail order. */
  readonly trail: readonly TestEvent[];
  readonly traits: Readonly<Record<string, Value>>;
}

export interface TestMoment {
  readonly atMs: number;
  readonly nowMs: number;
  readonly zone: string;
}

/** Runs an analysis as the methods do, each part going between threads. `wanted` leaves users out. */
export function analyze(
  name: string,
  views: readonly TabletView[],
  params: JsonObject,
  moment: TestMoment,
  wanted: (view: TabletView, ordinal: number) => boolean = () => true,
): object {
  const { check, survey, map, reduce } = ANALYSES[name]!;
  check(params);
  const frame = structuredClone(frameOf(params, moment, moment.nowMs));
  const contexts = views.map((view) => {
    const users = run(usersOf(view, moment.nowMs));
    for (const user of users) if (!wanted(view, user)) users.delete(user);
    return { view, frame, users, stats: newStats() };
  });
  let choice: unknown;
  if (survey !== undefined) {
    const asked = survey.isNeeded(params, frame) ? contexts : [];
    const sketches = asked.map((context) => structuredClone(run(survey.map(context, params))));
    choice = structuredClone(run(survey.choose(sketches, params, frame)));
    if (survey.isEnough(choice)) return run(reduce([], params, frame, choice));
  }
  const parts = contexts.map((context) => structuredClone(run(map(context, params, choice))));
  return run(reduce(parts, params, frame, choice));
}

/** The users whom a tablet's canonical ordinals stand for. */
export function testUsers(tablet: TestTablet): ReadonlyMap<number, TestUser> {
  const { users, merges = [], traits = new Map(), deleted = new Set(), parts } = tablet;
  const target = new Map(merges);
  const rankOf = new Map(merges.map(([source], rank) => [source, rank]));
  const rows = parts.flat();
  const canonical = users.flatMap((_, ordinal) =>
    target.has(ordinal) || deleted.has(ordinal) ? [] : [ordinal],
  );
  const trailOf = (user: number) =>
    rows
      .filter(({ ordinal }) => (target.get(ordinal) ?? ordinal) === user)
      .map((row) => ({ row, rank: rankOf.get(row.ordinal) ?? Infinity }))
      .sort((a, b) => a.row.timeMs - b.row.timeMs || (a.rank === b.rank ? 0 : a.rank - b.rank))
      .map(({ row }) => row);
  return new Map(canonical.map((user) => [user, { trail: trailOf(user), traits: traits.get(user) ?? {} }]));
}

/** A view of plain arrays, or one of the real store with its many small blocks. */
export function randomView(tablet: TestTablet, random: SeededRandom): TabletView {
  return random.chance(0.4) ? testView(tablet) : testStore(tablet);
}

export interface RandomTabletOptions {
  readonly events: readonly string[];
  /** Whole seconds, mostly: few enough that many events are of one time. */
  readonly timeOf: (random: SeededRandom) => number;
  /** Of all users together, at the most. */
  readonly eventsMax: number;
  readonly usersMax: number;
  readonly settings?: TestTablet['settings'];
  /** Few are merged, and events come in the order of their times. */
  readonly areInOrder?: boolean;
}

const NUMBERS = 5;
const VALUES: readonly (Value | undefined)[] = [undefined, 'x', 'x', 'y', 'z', 1, '1', true, ['x', 1]];

const TEXTS = [undefined, 'x', 'x', 'y', 'z', 'zz'];

/** Events with a property `n`, 0 to 4, and perhaps `value`, or `text`, which is one; users with a trait `plan`, or none. */
export function randomTablet(random: SeededRandom, options: RandomTabletOptions): TestTablet {
  const { events, timeOf, eventsMax, usersMax, settings, areInOrder = false } = options;
  const userCount = 1 + random.below(usersMax);
  const users = Array.from({ length: userCount }, (_, i) => ({ known: i % 2 === 0, id: `u${i}` }));
  const merges: [number, number][] = [];
  for (let anonymous = 1; anonymous < userCount; anonymous += 2) {
    if (random.chance(areInOrder ? 0.2 : 0.5))
      merges.push([anonymous, 2 * random.below((userCount + 1) >> 1)]);
  }
  const merged = new Set(merges.map(([source]) => source));
  const deleted = new Set([...users.keys()].filter((user) => !merged.has(user) && random.chance(0.15)));
  const traits = new Map<number, Record<string, Value>>();
  for (let user = 0; user < userCount; user++) {
    const plan = random.pick(VALUES);
    if (!merged.has(user) && plan !== undefined) traits.set(user, { plan });
  }
  const parts = Array.from({ length: 1 + random.below(4) }, () =>
    Array.from({ length: random.below(eventsMax / 4) }, () => {
      const value = random.pick(VALUES);
      const text = random.pick(TEXTS);
      const properties = {
        n: random.below(NUMBERS),
        ...(value !== undefined && { value }),
        ...(text !== undefined && { text }),
      };
      return {
        ordinal: random.below(userCount),
        event: random.pick(events),
        timeMs: timeOf(random),
        properties,
      };
    }),
  );
  if (areInOrder)
    parts.splice(
      0,
      Infinity,
      parts.flat().sort((one, other) => one.timeMs - other.timeMs),
    );
  return { users, merges, traits, deleted, parts, ...(settings === undefined ? {} : { settings }) };
}

/** Which events of a trail exist for an analysis. */
export function isVisible(
  { timeMs }: TestEvent,
  { atMs, nowMs }: TestMoment,
  settings: TestTablet['settings'],
): boolean {
  const { retentionMs = Infinity } = settings ?? {};
  return timeMs <= atMs && timeMs > nowMs - retentionMs;
}

export function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
