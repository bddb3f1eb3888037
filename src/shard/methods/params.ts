import { z } from 'zod';
import { badRequest, MusterError } from '../../base/errors.ts';
import { parseTime } from '../../base/time.ts';
import type { QueryStats } from '../../query/stats.ts';
import type { MethodCall } from '../api.ts';
import type { ShardApi } from '../shardApi.ts';

export type Method = (api: ShardApi, request: MethodCall) => Promise<unknown>;

/** Checks params against a shape; an error's path names the param (`limit`, `definition.live`). */
export function readParams<Shape extends z.ZodType>(shape: Shape, params: unknown): z.infer<Shape> {
  const result = shape.safeParse(params ?? {}, {
    error: ({ input }) => (input === undefined ? 'is missing' : undefined),
  });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknownKey = issue?.code === 'unrecognized_keys' ? [issue.keys[0]!] : [];
  const path = [...(issue?.path ?? []), ...unknownKey].join('.');
  throw badRequest(unknownKey.length > 0 ? `unknown key ${path}` : `${path}: ${issue?.message}`, path);
}

/** What every query takes; `timeoutMs` is the carrier's. */
export const queryShape = { at: z.string().optional() };

export const nameShape = z.string().min(1).max(200);

/** The moments of a query: `at` as asked, and now. */
export function momentsOf(
  api: ShardApi,
  account: string,
  at: string | undefined,
): { atMs: number; nowMs: number } {
  const nowMs = api.shard.clock.now();
  if (at === undefined) return { atMs: nowMs, nowMs };
  const atMs = parseTime(at, api.entry(account).state.settings.timezone);
  if (atMs === undefined) throw badRequest('at is not an ISO-8601 time', 'at');
  return { atMs, nowMs };
}

/** What every query says of its own cost. */
export interface CallStats extends QueryStats {
  readonly ms: number;
  /** Asked. */
  readonly tablets: number;
}

export function statsSince(
  api: ShardApi,
  startedMs: number,
  scanned: QueryStats,
  tablets: number,
): CallStats {
  return { ms: api.shard.clock.monotonicMs() - startedMs, ...scanned, tablets };
}

export function notFound(what: string, name: string): MusterError {
  return new MusterError('not_found', `no ${what} ${name}`);
}
