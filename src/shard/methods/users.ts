import { z } from 'zod';
import { TIMELINE_PAGE_MAX } from '../../base/limits.ts';
import { newStats } from '../../query/stats.ts';
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
    return { ...part.page, stats };
  },

  async 'user.segments'(api, { principal: { account }, params, signal }) {
    const { userId, at } = readParams(z.strictObject({ userId: z.string(), ...queryShape }), params);
    const saved = [...api.entry(account).state.segments.keys()];
    const segments = Object.fromEntries(saved.map((name) => [name, { segment: name }]));
    const args = { userId, segments, ...momentsOf(api, account, at) };
    const { part, stats } = await locateUser(api, account, 'contains', args, signal);
    return { segments: saved.filter((name) => part.in[name]), stats };
  },
};

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
