import { z } from 'zod';
import { MusterError } from '../../base/errors.ts';
import { DELETED_IDS_MAX, TIMELINE_PAGE_MAX } from '../../base/limits.ts';
import type { UserRef } from '../../log/record.ts';
import { newStats } from '../../query/stats.ts';
import { timelinePage } from '../../query/timeline.ts';
import type { Located, Operations } from '../../tablet/operations.ts';
import type { ShardApi } from '../shardApi.ts';
import {
  type CallStats,
  type Method,
  momentsOf,
  notFound,
  queryShape,
  readParams,
  statsSince,
} from './params.ts';

export const userMethods: Readonly<Record<string, Method>> = {
  async 'user.profile'(api, { principal: { account }, params, signal }) {
    const { userId, at } = readParams(z.strictObject({ userId: z.string(), ...queryShape }), params);
    const { nowMs } = momentsOf(api, account, at);
    const args = { userId, nowMs };
    const { part, stats } = await locateUser(api, account, 'profile', args, signal);
    const { profile } = part;
    if (profile === undefined) throw notFound('user', userId);
    return { ...profile, devices: [], stats };
  },

  async 'user.timeline'(api, { principal: { account }, params, signal }) {
    const shape = z.strictObject({
      userId: z.string(),
      limit: z.int().min(1).max(TIMELINE_PAGE_MAX).default(100),
      before: z.string().optional(),
      events: z.array(z.string()).max(1000).optional(),
      ...queryShape,
    });
    const { userId, limit, before, events, at } = readParams(shape, params);
    const page_ = {
      limit,
      ...(before === undefined ? {} : { before }),
      ...(events === undefined ? {} : { events }),
    };
    const request = { ...page_, ...momentsOf(api, account, at) };
    const { part, stats } = await locateUser(api, account, 'timeline', { userId, request }, signal);
    if (part.page === undefined) throw notFound('user', userId);
    return { ...timelinePage(part.page), stats };
  },

  async 'user.segments'(api, { principal: { account }, params, signal }) {
    const { userId, at } = readParams(z.strictObject({ userId: z.string(), ...queryShape }), params);
    const saved = [...api.entry(account).state.segments.keys()];
    const segments = Object.fromEntries(saved.map((name) => [name, { segment: name }]));
    const args = { userId, segments, ...momentsOf(api, account, at) };
    const { part, stats } = await locateUser(api, account, 'contains', args, signal);
    return { segments: saved.filter((name) => part.in[name]), stats };
  },

  /**
   * Erases a user by any of its ids, durably, before it answers. Copies in the log stay for now, since nothing compacts
   * that yet, so nobody can say when the last of them is gone.
   */
  async 'user.delete'(api, { principal: { account }, params, signal }) {
    const { userId } = readParams(z.strictObject({ userId: z.string() }), params);
    for (let attempt = 0; attempt < DELETE_TRIES_MAX; attempt++) {
      const person = await findPerson(api, account, userId, signal);
      if (person === undefined) throw notFound('user', userId);
      const { user } = person;
      const anonymousIds = person.anonymousIds.slice(0, DELETED_IDS_MAX);
      const atMs = api.shard.clock.now();
      const { erased } = await api.decide(account, { kind: 'delete', atMs, user, anonymousIds });
      if (erased > 0) return { id: user.id, deleted: true, copiesGoneAt: null };
      // Merged, or deleted by another call, since it was found.
    }
    throw new MusterError('unavailable', `${userId} is being merged`, { retryAfterSeconds: 1 });
  },
};

const DELETE_TRIES_MAX = 3;

interface Person {
  readonly user: UserRef;
  readonly anonymousIds: readonly string[];
}

/** Whoever has the id, be it known in its own tablet or only to those that forward to it. */
async function findPerson(
  api: ShardApi,
  account: string,
  userId: string,
  signal: AbortSignal,
): Promise<Person | undefined> {
  const parts = await api.gather.ask({ account, operation: 'person', args: { userId }, signal });
  const anonymousIds = parts.flatMap((part) => part.anonymousIds);
  let user = anonymousIds.length > 0 ? { known: true, id: userId } : undefined;
  for (const { found } of parts) {
    // Merged: whoever that was is known, and stands for itself.
    const owner = isForward(found) ? found.forward : found.user?.id;
    if (owner !== undefined && owner !== userId) return findPerson(api, account, owner, signal);
    user ??= isForward(found) ? undefined : found.user;
  }
  return user && { user, anonymousIds };
}

type UserOperation = 'contains' | 'profile' | 'timeline';
type Found<T> = Exclude<T, { readonly forward: string }>;

/** Asks the tablet in which the user lives: the one of the id, or where a merge has brought the user since. */
export async function locateUser<K extends UserOperation>(
  api: ShardApi,
  account: string,
  operation: K,
  args: Operations[K]['args'],
  signal: AbortSignal,
): Promise<{ readonly part: Found<Operations[K]['part']>; readonly stats: CallStats }> {
  const startedMs = api.shard.clock.monotonicMs();
  const ask = async (userId: string): Promise<Located<unknown>> => {
    const asked = { account, userId, operation, args: { ...args, userId }, signal };
    const { part } = await api.gather.askHome(asked);
    return part;
  };
  let tablets = 1;
  let part = await ask(args.userId);
  if (isForward(part)) {
    tablets = 2;
    part = await ask(part.forward);
  }
  // One user's trail is read, not scanned.
  const stats = statsSince(api, startedMs, newStats(), tablets);
  return { part: part as Found<Operations[K]['part']>, stats };
}

function isForward(part: unknown): part is { readonly forward: string } {
  return typeof part === 'object' && part !== null && 'forward' in part;
}
