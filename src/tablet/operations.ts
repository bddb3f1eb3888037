import { assert } from '../base/assert.ts';
import { Bitset } from '../base/bitset.ts';
import type { Clock } from '../base/clock.ts';
import type { Value } from '../base/value.ts';
import type { CampaignStats } from '../delivery/outbox.ts';
import { countBits, countCommon } from '../encoding/kernels/countBits.ts';
import type { DeadLetter, UserRef } from '../log/record.ts';
import { ANALYSES } from '../query/analytics/analyses.ts';
import type { AnalysisFrame } from '../query/analytics/analysis.ts';
import type { Criterion } from '../query/criterion.ts';
import { evaluate, evaluateMany } from '../query/evaluate.ts';
import { evaluateUser } from '../query/evaluateUser.ts';
import { type Explained, explain } from '../query/explain.ts';
import { membersPage } from '../query/members.ts';
import { parseSegment } from '../query/parse.ts';
import type { QueryTimes } from '../query/plan.ts';
import type { JsonObject } from '../query/shape.ts';
import { newStats, type QueryStats } from '../query/stats.ts';
import { readTimeline, type TimelineRequest, type TimelineRows } from '../query/timeline.ts';
import { isUser, ORDINALS_PER_STEP, usersOf } from '../query/users.ts';
import type { SchemaDescription } from '../store/schema.ts';
import type { UsersSnapshot } from '../store/users.ts';
import { type Memory, memoryBytes, memoryOf } from './memory.ts';
import { isHome } from './placement.ts';
import type { TabletSnapshot } from './snapshot.ts';
import type { Tablet } from './tablet.ts';

/** What may be asked of a tablet: each operation maps one tablet to a part, and whoever asked reduces the parts. */
export interface Operations {
  /** Users in each of the segments, and users in all. */
  count: {
    args: {
      readonly segments: Readonly<Record<string, unknown>>;
      readonly atMs: number;
      readonly nowMs: number;
    };
    part: {
      readonly counts: Readonly<Record<string, number>>;
      readonly total: number;
      readonly stats: QueryStats;
    };
  };
  /** What counting the segment takes. */
  explain: {
    args: { readonly segment: unknown; readonly atMs: number; readonly nowMs: number };
    part: {
      readonly explained: Explained;
      /** The most it took at once. */
      readonly memoryBytes: number;
    };
  };
  /** Members from ordinal `from` on, at most `limit`, in order of ordinal. */
  members: {
    args: {
      readonly segment: unknown;
      readonly atMs: number;
      readonly nowMs: number;
      readonly from: number;
      readonly limit: number;
      readonly traits: readonly string[] | undefined;
    };
    part: {
      /** JSON of lists of `Member`: between threads a text costs a tenth of what so many objects do. */
      readonly pages: readonly string[];
      readonly count: number;
      /** Where the next page begins, when there is one. */
      readonly nextOrdinal: number | undefined;
      readonly stats: QueryStats;
    };
  };
  /** Whether the user is in each of the segments. */
  contains: {
    args: {
      readonly userId: string;
      readonly segments: Readonly<Record<string, unknown>>;
      readonly atMs: number;
      readonly nowMs: number;
    };
    part: Located<{ readonly in: Readonly<Record<string, boolean>> }>;
  };
  /** Who is meant by an id, and all ids of that user: asked of every tablet, since any may forward some. */
  person: { args: { readonly userId: string }; part: PersonPart };
  profile: {
    args: { readonly userId: string; readonly nowMs: number };
    part: Located<{ readonly profile: UserProfile | undefined }>;
  };
  timeline: {
    args: { readonly userId: string; readonly request: TimelineRequest };
    part: Located<{ readonly page: TimelineRows | undefined }>;
  };
  /**
   * One of ANALYSES, about the segment's members if there is one, else about all users: its survey, or its map with what
   * was chosen by the survey.
   */
  analyze: {
    args: {
      readonly analysis: string;
      readonly params: JsonObject;
      readonly segment: unknown;
      readonly frame: AnalysisFrame;
      readonly step: AnalysisStep;
    };
    part: { readonly part: unknown; readonly stats: QueryStats };
  };
  schema: { args: null; part: SchemaDescription };
  stats: { args: { readonly nowMs: number }; part: TabletStats };
  memory: { args: null; part: Memory };
  liveSegments: { args: null; part: Readonly<Record<string, LiveStats>> };
  campaignStats: { args: { readonly campaign: string }; part: CampaignStats };
  deadLetters: {
    args: { readonly limit: number; readonly ids: readonly string[] | undefined };
    part: { readonly letters: readonly (DeadLetter & { readonly id: string })[]; readonly total: number };
  };
}

export type AnalysisStep = { readonly kind: 'survey' } | { readonly kind: 'map'; readonly choice: unknown };

export type OperationName = keyof Operations;

/** Found here, or forwarded to a known user's tablet since a merge. */
export type Located<T> = T | { readonly forward: string };

export interface PersonPart {
  /** Of the tablet in which the id is at home: the user it stands for, unless that lives in another tablet. */
  readonly found: Located<{ readonly user: UserRef | undefined }>;
  /** Merged into the known user of this id, as far as this tablet knows. */
  readonly anonymousIds: readonly string[];
}

export interface Member {
  readonly id: string;
  readonly traits?: Readonly<Record<string, Value>>;
}

export interface UserProfile {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly traits: Readonly<Record<string, Value>>;
}

export interface LiveStats {
  readonly count: number;
  readonly memoryBytes: number;
  readonly strategy: 'incremental' | 'recomputed';
  readonly computedAtMs: number;
}

export interface TabletStats {
  readonly tablet: string;
  readonly position: number;
  readonly events: number;
  readonly users: number;
  readonly totals: Tablet['totals'];
  readonly deadLetters: number;
  readonly memory: Memory;
  /** Of it, what holds events. */
  readonly eventBytes: number;
}

const MEMBERS_PER_STEP = 256;

/** The clock is for measuring only. */
type Implementations = {
  readonly [K in OperationName]: (
    tablet: TabletSnapshot,
    args: Operations[K]['args'],
    clock: Clock,
  ) => Generator<void, Operations[K]['part']>;
};

const implementations: Implementations = {
  *count(tablet, { segments, atMs, nowMs }) {
    const stats = newStats();
    const criteria = yield* parsedSteps(segments);
    const takenBytes = tablet.budget.bytes;
    const counts: [string, number][] = [];
    const { users } = yield* evaluateAll(tablet, criteria, { atMs, nowMs }, stats, (name, found, users) =>
      counts.push([name, countCommon(found.words, users.words)]),
    );
    tablet.budget.release(tablet.budget.bytes - takenBytes);
    return { counts: Object.fromEntries(counts), total: countBits(users.words), stats };
  },

  *explain(tablet, { segment, atMs, nowMs }, clock) {
    const explained = yield* explain(tablet, parseSegment(segment), { atMs, nowMs }, clock);
    return { explained, memoryBytes: tablet.budget.bytesPeak };
  },

  *members(tablet, { segment, atMs, nowMs, from, limit, traits }) {
    const stats = newStats();
    const { members: found } = yield* evaluate(tablet, parseSegment(segment), { atMs, nowMs }, stats);
    const { ordinals, nextOrdinal } = membersPage(found, from, limit);
    const pages: string[] = [];
    for (let from = 0; from < ordinals.length; from += MEMBERS_PER_STEP) {
      const step = ordinals.slice(from, from + MEMBERS_PER_STEP);
      pages.push(JSON.stringify(step.map((ordinal) => memberOf(tablet, ordinal, traits))));
      yield;
    }
    return { pages, count: ordinals.length, nextOrdinal, stats };
  },

  *contains(tablet, { userId, segments, atMs, nowMs }) {
    const located = locate(tablet.users, userId);
    if (typeof located === 'object') return located;
    const isIn: Record<string, boolean> = {};
    for (const [name, json] of Object.entries(segments)) {
      isIn[name] = located !== -1 && evaluateUser(tablet, parseSegment(json), located, { atMs, nowMs });
      yield;
    }
    return { in: isIn };
  },

  *person({ users, tablet: { bits, users: forwards } }, { userId }) {
    const anonymousIds = [...forwards.forwardedTo(userId)];
    if (!isHome(bits, userId)) return { found: { user: undefined }, anonymousIds };
    const located = locate(users, userId);
    if (typeof located === 'object') return { found: located, anonymousIds };
    if (located === -1) return { found: { user: undefined }, anonymousIds };
    for (const ordinal of users.mergedInto(located)) anonymousIds.push(users.refOf(ordinal).id);
    return { found: { user: users.refOf(located) }, anonymousIds };
  },

  *profile(tablet, { userId, nowMs }) {
    const located = locate(tablet.users, userId);
    if (typeof located === 'object') return located;
    if (located === -1 || !isUser(tablet, located, nowMs)) return { profile: undefined };
    const aliases = tablet.users.mergedInto(located).map((ordinal) => tablet.users.refOf(ordinal).id);
    return { profile: { id: tablet.users.refOf(located).id, aliases, traits: tablet.profiles.all(located) } };
  },

  *timeline(tablet, { userId, request }) {
    const located = locate(tablet.users, userId);
    if (typeof located === 'object') return located;
    return { page: located === -1 ? undefined : yield* readTimeline(tablet, located, request) };
  },

  *analyze(tablet, { analysis, params, segment, frame, step }) {
    const stats = newStats();
    const found =
      segment === undefined ? undefined : yield* evaluate(tablet, parseSegment(segment), frame, stats);
    const users = found === undefined ? yield* usersOf(tablet, frame.nowMs) : found.members;
    const { survey, map } = ANALYSES[analysis]!;
    const context = { view: tablet, frame, users, stats };
    if (step.kind === 'map') return { part: yield* map(context, params, step.choice), stats };
    assert(survey !== undefined, 'a survey is asked of those that have one');
    return { part: yield* survey.map(context, params), stats };
  },

  *schema(tablet) {
    return tablet.schema.describe();
  },

  *stats(snapshot, { nowMs }) {
    const { tablet } = snapshot;
    const { bits, position, totals, profiles, deadLetters } = tablet;
    const ofMoment = {
      position,
      totals: { ...totals, droppedValues: totals.droppedValues + profiles.droppedValues },
      deadLetters: deadLetters.size,
    };
    const users = yield* usersOf(snapshot, nowMs);
    return {
      tablet: bits,
      ...ofMoment,
      events: yield* visibleRows(snapshot),
      users: users.count(),
      memory: yield* memoryOf(tablet),
      eventBytes: memoryBytes(tablet.events.memory()),
    };
  },

  *memory({ tablet }) {
    return yield* memoryOf(tablet);
  },

  *liveSegments({ tablet }) {
    return Object.fromEntries(
      tablet.live.names().map((name) => [
        name,
        {
          count: tablet.live.count(name),
          memoryBytes: tablet.live.memoryBytes(name),
          strategy: tablet.live.strategyOf(name),
          computedAtMs: tablet.clockMs,
        },
      ]),
    );
  },

  *campaignStats({ tablet }, { campaign }) {
    return tablet.outbox.statsOf(campaign);
  },

  *deadLetters({ tablet: { deadLetters } }, { limit, ids }) {
    const letters =
      ids === undefined
        ? deadLetters.list(limit)
        : ids.flatMap((id) => {
            const letter = deadLetters.get(id);
            return letter === undefined ? [] : [{ id, ...letter }];
          });
    return { letters, total: deadLetters.size };
  },
};

/** Those that read little, however much the tablet has: they need not wait for others to end. */
const LOOK_UPS: ReadonlySet<OperationName> = new Set<OperationName>([
  'contains',
  'person',
  'profile',
  'timeline',
  'schema',
  'memory',
  'liveSegments',
  'campaignStats',
  'deadLetters',
]);

export function isLookUp(operation: OperationName): boolean {
  return LOOK_UPS.has(operation);
}

/** Runs an operation by its name, as it came from another thread. The snapshot must stay open until it has ended. */
export function runOperation(
  snapshot: TabletSnapshot,
  operation: OperationName,
  args: unknown,
  clock: Clock,
): Generator<void, unknown> {
  const run = implementations[operation] as (
    snapshot: TabletSnapshot,
    args: unknown,
    clock: Clock,
  ) => Generator<void, unknown>;
  return run(snapshot, args, clock);
}

/** By the object they come in, which is one for all tablets of a thread. */
const parsed = new WeakMap<object, ReadonlyMap<string, Criterion>>();

function* parsedSteps(
  segments: Readonly<Record<string, unknown>>,
): Generator<void, ReadonlyMap<string, Criterion>> {
  const found = parsed.get(segments);
  if (found !== undefined) return found;
  const criteria = new Map<string, Criterion>();
  for (const [name, json] of Object.entries(segments)) {
    criteria.set(name, parseSegment(json));
    yield;
  }
  parsed.set(segments, criteria);
  return criteria;
}

/** One by itself leaves out what no candidate is left for, several share what they have in common. See evaluateMany. */
function* evaluateAll(
  tablet: TabletSnapshot,
  criteria: ReadonlyMap<string, Criterion>,
  times: QueryTimes,
  stats: QueryStats,
  done: (name: string, found: Bitset, users: Bitset) => void,
): Generator<void, { readonly users: Bitset }> {
  const [first, ...others] = criteria;
  if (first === undefined || others.length > 0)
    return yield* evaluateMany(tablet, criteria, times, stats, done);
  const [name, criterion] = first;
  const { members, users } = yield* evaluate(tablet, criterion, times, stats);
  done(name, members, users);
  return { users };
}

/** Rows of users who are here; those of users who have left or were deleted stay until they are compacted away. */
function* visibleRows(tablet: TabletSnapshot): Generator<void, number> {
  const { users } = tablet;
  const counts = new Uint32Array(users.count);
  for (const part of tablet.events.parts()) {
    part.countByOrdinal(Bitset.full(part.rowCount), counts);
    yield;
  }
  let rows = 0;
  for (let ordinal = 0; ordinal < counts.length; ordinal++) {
    if (ordinal % ORDINALS_PER_STEP === 0) yield;
    if (counts[ordinal] !== 0 && !users.isGone(ordinal)) rows += counts[ordinal]!;
  }
  return rows;
}

/** The known user of this id, else the anonymous one; -1 when there is none. */
function locate(users: UsersSnapshot, userId: string): number | { readonly forward: string } {
  const known = users.find({ known: true, id: userId });
  if (known !== -1) return known;
  const forward = users.forwardOf(userId);
  if (forward !== undefined) return { forward };
  return users.find({ known: false, id: userId });
}

function memberOf(tablet: TabletSnapshot, ordinal: number, traits: readonly string[] | undefined): Member {
  const { id } = tablet.users.refOf(ordinal);
  if (traits === undefined) return { id };
  const values = traits.flatMap((trait) => {
    const value = tablet.profiles.get(ordinal, trait);
    return value === undefined ? [] : [[trait, value] as const];
  });
  return { id, traits: Object.fromEntries(values) };
}
