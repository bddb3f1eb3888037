import { z } from 'zod';
import { badRequest, MusterError } from '../../base/errors.ts';
import {
  EVALUATE_CRITERIA_MAX,
  EVALUATE_SEGMENTS_MAX,
  MEMBERS_PAGE_MAX,
  SEGMENTS_MAX,
} from '../../base/limits.ts';
import { isoTime } from '../../base/time.ts';
import type { CampaignValue } from '../../delivery/campaign.ts';
import { type Criterion, referencedSegments } from '../../query/criterion.ts';
import {
  decodeMembersCursor,
  encodeMembersCursor,
  type MembersPlace,
  placesFrom,
  placesLeft,
} from '../../query/members.ts';
import { parseSegment } from '../../query/parse.ts';
import { checkReferences } from '../../query/saved.ts';
import { newStats, type QueryStats } from '../../query/stats.ts';
import type { Member } from '../../tablet/operations.ts';
import type { Answer } from '../gather.ts';
import type { ShardApi } from '../shardApi.ts';
import { type Method, momentsOf, nameShape, notFound, queryShape, readParams, statsSince } from './params.ts';
import { locateUser } from './users.ts';

/** A definition, or the name of a saved one. */
export const segmentShape = z.unknown();

export const segmentMethods: Readonly<Record<string, Method>> = {
  async 'segment.count'(api, { principal: { account }, params, signal }) {
    const { segment, at } = readParams(z.strictObject({ segment: segmentShape, ...queryShape }), params);
    const segments = { it: checkedDefinition(api, account, segment) };
    const { counts, total, stats } = await countUsers(api, account, segments, at, signal);
    return { count: counts.it, total, stats };
  },

  async 'segment.evaluate'(api, { principal: { account }, params, signal }) {
    const shape = z.strictObject({ segments: z.record(z.string(), segmentShape), ...queryShape });
    const { segments, at } = readParams(shape, params);
    const checking = checkedDefinitionsSteps(api, account, segments);
    const definitions = await api.shard.work(checking, { account, signal });
    const { counts, stats } = await countUsers(api, account, definitions, at, signal);
    return { counts, stats };
  },

  async 'segment.members'(api, { principal: { account }, params, signal }) {
    const shape = z.strictObject({
      segment: segmentShape,
      limit: z.int().min(1).max(MEMBERS_PAGE_MAX).default(MEMBERS_PAGE_MAX),
      after: z.string().optional(),
      traits: z.array(z.string()).max(100).optional(),
      ...queryShape,
    });
    const { segment, limit, after, traits, at } = readParams(shape, params);
    const definition = checkedDefinition(api, account, segment);
    const moments = momentsOf(api, account, at);
    const cursor = after === undefined ? undefined : decodeMembersCursor(after);
    const { nowMs, atMs } = { ...moments, ...cursor };
    const places = cursor?.places ?? [];
    const startedMs = api.shard.clock.monotonicMs();
    let next: MembersPlace | undefined;
    const answers = await api.gather.whole(async (hold) => {
      const left = placesLeft(api.entry(account).state.tree.leaves, places);
      if (left === undefined) return undefined;
      const read: Answer<'members'>[] = [];
      let room = limit;
      next = left[0];
      while (next !== undefined && room > 0) {
        const place: MembersPlace = next;
        const args = { segment: definition, atMs, nowMs, from: place.ordinal, limit: room, traits };
        const { tablet } = place;
        const question = { account, tablet, operation: 'members', args, signal, ...hold } as const;
        const answer = await api.gather.askOne(question);
        if (answer === undefined) return undefined;
        read.push(answer);
        const { count, nextOrdinal } = answer.part;
        room -= count;
        next = nextOrdinal === undefined ? left[read.length] : { tablet, ordinal: nextOrdinal };
      }
      return read;
    });
    const pages = answers.flatMap(({ part }) => part.pages);
    const users = await api.shard.work(parsedSteps(pages), { account, signal });
    const scanned = answers.map(({ part }) => part.stats).reduce(addStats, newStats());
    const more = next && { next: encodeMembersCursor({ atMs, places: placesFrom(places, next) }) };
    return { users, ...more, stats: statsSince(api, startedMs, scanned, answers.length) };
  },

  async 'segment.contains'(api, { principal: { account }, params, signal }) {
    const shape = z.strictObject({ segment: segmentShape, userId: z.string(), ...queryShape });
    const { segment, userId, at } = readParams(shape, params);
    const segments = { it: checkedDefinition(api, account, segment) };
    const args = { userId, segments, ...momentsOf(api, account, at) };
    const { part, stats } = await locateUser(api, account, 'contains', args, signal);
    return { in: part.in.it, stats };
  },

  async 'segment.save'(api, { principal: { account }, params, signal }) {
    const shape = z.strictObject({
      name: nameShape,
      definition: z.unknown(),
      live: z.boolean().default(false),
    });
    const { name, definition, live } = readParams(shape, params);
    const { segments } = api.entry(account).state;
    const criterion = parseSegment(definition);
    if (!live) refuseWhileUsed(api, account, name, ['trigger']);
    checkReferences(name, criterion, (other) => segments.get(other)?.definition);
    if (!segments.has(name) && segments.size >= SEGMENTS_MAX) {
      throw new MusterError('too_large', `an account has at most ${SEGMENTS_MAX} segments`);
    }
    const atMs = api.shard.clock.now();
    await api.decide(account, { kind: 'control', atMs, what: 'segment', name, value: { definition, live } });
    return describeSegment(api, account, name, signal);
  },

  async 'segment.get'(api, { principal: { account }, params, signal }) {
    const { name } = readParams(z.strictObject({ name: nameShape }), params);
    return describeSegment(api, account, name, signal);
  },

  async 'segment.list'(api, { principal: { account }, params }) {
    readParams(z.strictObject({}), params);
    const { segments } = api.entry(account).state;
    return { segments: [...segments].map(([name, { definition, live }]) => ({ name, definition, live })) };
  },

  async 'segment.delete'(api, { principal: { account }, params }) {
    const { name } = readParams(z.strictObject({ name: nameShape }), params);
    const { segments } = api.entry(account).state;
    if (!segments.has(name)) throw notFound('segment', name);
    for (const [other, { definition }] of segments) {
      if (other === name) continue;
      if (referencedSegments(parseSegment(definition)).has(name))
        throw new MusterError('conflict', `segment ${other} refers to ${name}`);
    }
    refuseWhileUsed(api, account, name, ['trigger', 'audience']);
    await api.decide(account, {
      kind: 'control',
      atMs: api.shard.clock.now(),
      what: 'segment',
      name,
      value: null,
    });
    return {};
  },

  async 'segment.watch'(api, { principal: { account }, params, signal, notify }) {
    const { name } = readParams(z.strictObject({ name: nameShape }), params);
    const segment = api.entry(account).state.segments.get(name);
    if (segment === undefined) throw notFound('segment', name);
    if (!segment.live) throw new MusterError('conflict', `segment ${name} is not live`);
    if (notify === undefined) throw badRequest('segment.watch needs a WebSocket', 'name');
    const tell = (change: { user: { id: string }; change: string; atMs: number }) =>
      notify('segment.changed', {
        name,
        userId: change.user.id,
        change: change.change,
        at: isoTime(change.atMs),
      });
    api.watchers.watch(account, name, tell, signal);
    return {};
  },
};

/** A page at a time, so that many members hold up nobody. */
function* parsedSteps(pages: readonly string[]): Generator<void, Member[]> {
  const users: Member[] = [];
  for (const page of pages) {
    users.push(...(JSON.parse(page) as Member[]));
    yield;
  }
  return users;
}

/** The definition as JSON, checked; a text is the name of a saved one. */
export function checkedDefinition(api: ShardApi, account: string, segment: unknown): unknown {
  if (segment === undefined) throw badRequest('segment is missing', 'segment');
  checkDefinition(api, account, segment);
  return definitionOf(segment);
}

function definitionOf(segment: unknown): unknown {
  return typeof segment === 'string' ? { segment } : segment;
}

function checkDefinition(api: ShardApi, account: string, segment: unknown): Criterion {
  const { segments } = api.entry(account).state;
  if (typeof segment === 'string' && !segments.has(segment)) throw notFound('segment', segment);
  const criterion = parseSegment(definitionOf(segment));
  checkReferences(undefined, criterion, (name) => segments.get(name)?.definition);
  return criterion;
}

/** Those of one call, together within its limits; an error's path begins with the name of its segment. */
function* checkedDefinitionsSteps(
  api: ShardApi,
  account: string,
  segments: Readonly<Record<string, unknown>>,
): Generator<void, Readonly<Record<string, unknown>>> {
  const names = Object.keys(segments);
  if (names.length > EVALUATE_SEGMENTS_MAX)
    throw badRequest(`must be at most ${EVALUATE_SEGMENTS_MAX}`, 'segments');
  let criteria = 0;
  for (const name of names) {
    const check = () => checkDefinition(api, account, segments[name]);
    criteria += leafCount(withPath(`segments.${name}`, check));
    if (criteria > EVALUATE_CRITERIA_MAX)
      throw badRequest(`must have at most ${EVALUATE_CRITERIA_MAX} criteria together`, 'segments');
    yield;
  }
  return Object.fromEntries(names.map((name) => [name, definitionOf(segments[name])]));
}

/** Criteria other than and, or, not. */
function leafCount(criterion: Criterion): number {
  if (criterion.kind === 'not') return leafCount(criterion.criterion);
  if (criterion.kind !== 'and' && criterion.kind !== 'or') return 1;
  return criterion.criteria.reduce((sum, inner) => sum + leafCount(inner), 0);
}

/** Puts a path that begins at a definition, `$`, where the definition is. */
export function withPath<T>(place: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    const path = error.path?.startsWith('$') ? `${place}${error.path.slice(1)}` : place;
    throw new MusterError(error.code, error.message, { path });
  }
}

/** Throws `conflict` while a campaign's trigger or audience refers to the segment. */
function refuseWhileUsed(
  api: ShardApi,
  account: string,
  name: string,
  parts: readonly ('trigger' | 'audience')[],
): void {
  for (const [campaign, value] of api.entry(account).state.campaigns) {
    const { trigger, audience } = (value as CampaignValue).definition as {
      readonly trigger: { readonly segment?: unknown };
      readonly audience?: unknown;
    };
    const isUsed = {
      trigger: () => trigger.segment === name,
      audience: () => audience !== undefined && referencedSegments(parseSegment(audience)).has(name),
    };
    const part = parts.find((part) => isUsed[part]());
    if (part !== undefined)
      throw new MusterError('conflict', `the ${part} of campaign ${campaign} refers to segment ${name}`);
  }
}

async function countUsers(
  api: ShardApi,
  account: string,
  segments: Readonly<Record<string, unknown>>,
  at: string | undefined,
  signal: AbortSignal,
) {
  const startedMs = api.shard.clock.monotonicMs();
  const args = { segments, ...momentsOf(api, account, at) };
  const parts = await api.gather.ask({ account, operation: 'count', args, signal });
  const countOf = (name: string) => parts.reduce((sum, part) => sum + part.counts[name]!, 0);
  const scanned = parts.map((part) => part.stats).reduce(addStats);
  return {
    counts: Object.fromEntries(Object.keys(segments).map((name) => [name, countOf(name)])),
    total: parts.reduce((sum, part) => sum + part.total, 0),
    stats: statsSince(api, startedMs, scanned, parts.length),
  };
}

async function describeSegment(api: ShardApi, account: string, name: string, signal: AbortSignal) {
  const segment = api.entry(account).state.segments.get(name);
  if (segment === undefined) throw notFound('segment', name);
  const { definition, live } = segment;
  if (!live) return { name, definition, live };
  const parts = await api.gather.ask({ account, operation: 'liveSegments', args: null, signal });
  const own = parts.flatMap((part) => part[name] ?? []);
  // Another thread's tablets may know of a deletion before this thread does.
  if (own.length === 0) throw notFound('segment', name);
  return {
    name,
    definition,
    live,
    count: own.reduce((sum, { count }) => sum + count, 0),
    computedAt: isoTime(Math.min(...own.map(({ computedAtMs }) => computedAtMs))),
    memoryBytes: own.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    strategy: own[0]?.strategy,
  };
}

export function addStats(a: QueryStats, b: QueryStats): QueryStats {
  return {
    rowsScanned: a.rowsScanned + b.rowsScanned,
    bytesScanned: a.bytesScanned + b.bytesScanned,
    blocksSkipped: a.blocksSkipped + b.blocksSkipped,
  };
}
