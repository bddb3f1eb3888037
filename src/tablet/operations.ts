import { Bitset } from '../base/bitset.ts';
import type { Value } from '../base/value.ts';
import type { CampaignStats } from '../delivery/outbox.ts';
import type { DeadLetter } from '../log/record.ts';
import { ANALYSES } from '../query/analytics/analyses.ts';
import type { AnalysisFrame } from '../query/analytics/analysis.ts';
import { evaluate, evaluateMany } from '../query/evaluate.ts';
import { evaluateUser } from '../query/evaluateUser.ts';
import { membersPage } from '../query/members.ts';
import { parseSegment } from '../query/parse.ts';
import type { JsonObject } from '../query/shape.ts';
import { newStats, type QueryStats } from '../query/stats.ts';
import { readTimeline, type TimelinePage, type TimelineRequest } from '../query/timeline.ts';
import { isUser, usersOf } from '../query/users.ts';
import type { SchemaDescription } from '../store/schema.ts';
import { type Memory, memoryBytes, memoryOf } from './memory.ts';
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
      readonly members: readonly Member[];
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
  profile: {
    args: { readonly userId: string; readonly nowMs: number };
    part: Located<{ readonly profile: UserProfile | undefined }>;
  };
  timeline: {
    args: { readonly userId: string; readonly request: TimelineRequest };
    part: Located<{ readonly page: TimelinePage | undefined }>;
  };
  /** One of ANALYSES, about the segment's members if there is one, else about all users. */
  analyze: {
    args: {
      readonly analysis: string;
      readonly params: JsonObject;
      readonly segment: unknown;
      readonly frame: AnalysisFrame;
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

export type OperationName = keyof Operations;

/** Found here, or forwarded to a known user's tablet since a merge. */
export type Located<T> = T | { readonly forward: string };

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

type Implementations = {
  readonly [K in OperationName]: (
    tablet: Tablet,
    args: Operations[K]['args'],
  ) => Generator<void, Operations[K]['part']>;
};

const implementations: Implementations = {
  *count(tablet, { segments, atMs, nowMs }) {
    const stats = newStats();
    const criteria = new Map(Object.entries(segments).map(([name, json]) => [name, parseSegment(json)]));
    const { members, users } = yield* evaluateMany(tablet, criteria, { atMs, nowMs }, stats);
    const counts = Object.fromEntries([...members].map(([name, found]) => [name, found.count()]));
    return { counts, total: users.count(), stats };
  },

  *members(tablet, { segment, atMs, nowMs, from, limit, traits }) {
    const stats = newStats();
    const { members: found } = yield* evaluate(tablet, parseSegment(segment), { atMs, nowMs }, stats);
    const { ordinals, nextOrdinal } = membersPage(found, from, limit);
    const members: Member[] = [];
    for (const ordinal of ordinals) {
      members.push(memberOf(tablet, ordinal, traits));
      if (members.length % 256 === 0) yield;
    }
    return { members, nextOrdinal, stats };
  },

  *contains(tablet, { userId, segments, atMs, nowMs }) {
    const located = locate(tablet, userId);
    if (typeof located === 'object') return located;
    const isIn: Record<string, boolean> = {};
    for (const [name, json] of Object.entries(segments)) {
      isIn[name] = located !== -1 && evaluateUser(tablet, parseSegment(json), located, { atMs, nowMs });
      yield;
    }
    return { in: isIn };
  },

  *profile(tablet, { userId, nowMs }) {
    const located = locate(tablet, userId);
    if (typeof located === 'object') return located;
    if (located === -1 || !isUser(tablet, located, nowMs)) return { profile: undefined };
    const aliases = tablet.users.mergedInto(located).map((ordinal) => tablet.users.refOf(ordinal).id);
    return { profile: { id: tablet.users.refOf(located).id, aliases, traits: tablet.profiles.all(located) } };
  },

  *timeline(tablet, { userId, request }) {
    const located = locate(tablet, userId);
    if (typeof located === 'object') return located;
    return { page: located === -1 ? undefined : yield* readTimeline(tablet, located, request) };
  },

  *analyze(tablet, { analysis, params, segment, frame }) {
    const stats = newStats();
    const found =
      segment === undefined ? undefined : yield* evaluate(tablet, parseSegment(segment), frame, stats);
    const users = found === undefined ? yield* usersOf(tablet, frame.nowMs) : found.members;
    const part = yield* ANALYSES[analysis]!.map({ view: tablet, frame, users, stats }, params);
    return { part, stats };
  },

  *schema(tablet) {
    return tablet.schema.describe();
  },

  *stats(tablet, { nowMs }) {
    const users = yield* usersOf(tablet, nowMs);
    return {
      tablet: tablet.bits,
      position: tablet.position,
      events: yield* visibleRows(tablet),
      users: users.count(),
      totals: {
        ...tablet.totals,
        droppedValues: tablet.totals.droppedValues + tablet.profiles.droppedValues,
      },
      deadLetters: tablet.deadLetters.size,
      memory: yield* memoryOf(tablet),
      eventBytes: memoryBytes(tablet.events.memory()),
    };
  },

  *memory(tablet) {
    return yield* memoryOf(tablet);
  },

  *liveSegments(tablet) {
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

  *campaignStats(tablet, { campaign }) {
    return tablet.outbox.statsOf(campaign);
  },

  *deadLetters(tablet, { limit, ids }) {
    const { deadLetters } = tablet;
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

/** Runs an operation by its name, as it came from another thread. */
export function runOperation(
  tablet: Tablet,
  operation: OperationName,
  args: unknown,
): Generator<void, unknown> {
  const run = implementations[operation] as (tablet: Tablet, args: unknown) => Generator<void, unknown>;
  return run(tablet, args);
}

/** Rows of users who are here; those of users who have moved away stay until their window goes. */
function* visibleRows(tablet: Tablet): Generator<void, number> {
  const { users } = tablet;
  const counts = new Uint32Array(users.count);
  for (const part of tablet.events.parts()) {
    part.countByOrdinal(Bitset.full(part.rowCount), counts);
    yield;
  }
  return counts.reduce((sum, count, ordinal) => (users.isGone(ordinal) ? sum : sum + count), 0);
}

/** The known user of this id, else the anonymous one; -1 when there is none. */
function locate(tablet: Tablet, userId: string): number | { readonly forward: string } {
  const known = tablet.users.find({ known: true, id: userId });
  if (known !== -1) return known;
  const forward = tablet.users.forwardOf(userId);
  if (forward !== undefined) return { forward };
  return tablet.users.find({ known: false, id: userId });
}

function memberOf(tablet: Tablet, ordinal: number, traits: readonly string[] | undefined): Member {
  const { id } = tablet.users.refOf(ordinal);
  if (traits === undefined) return { id };
  const values = traits.flatMap((trait) => {
    const value = tablet.profiles.get(ordinal, trait);
    return value === undefined ? [] : [[trait, value] as const];
  });
  return { id, traits: Object.fromEntries(values) };
}
