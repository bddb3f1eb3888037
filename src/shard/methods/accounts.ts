import { z } from 'zod';
import { MusterError } from '../../base/errors.ts';
import { isoTime } from '../../base/time.ts';
import { newStats } from '../../query/stats.ts';
import { mergeDescriptions } from '../../store/schema.ts';
import type { KeyValue } from '../../tablet/account.ts';
import { bytesByName, bytesByPart, memoryBytes, sumOfMemory } from '../../tablet/memory.ts';
import { keyId, newKey, sha256Hex } from '../keys.ts';
import type { ShardApi } from '../shardApi.ts';
import { type Method, momentsOf, nameShape, notFound, queryShape, readParams, statsSince } from './params.ts';

const KEYS_MAX = 1000;

export const accountMethods: Readonly<Record<string, Method>> = {
  async 'schema.get'(api, { principal: { account }, params, signal }) {
    readNow(api, account, params);
    const startedMs = api.shard.clock.monotonicMs();
    const parts = await api.gather.ask({ account, operation: 'schema', args: null, signal });
    const stats = statsSince(api, startedMs, newStats(), parts.length);
    return { ...parts.reduce(mergeDescriptions), stats };
  },

  async 'account.stats'(api, { principal: { account }, params, signal }) {
    const args = { nowMs: readNow(api, account, params) };
    const startedMs = api.shard.clock.monotonicMs();
    const tablets = await api.gather.ask({ account, operation: 'stats', args, signal });
    const sum = (of: (tablet: (typeof tablets)[number]) => number) =>
      tablets.reduce((total, tablet) => total + of(tablet), 0);
    const memory = sumOfMemory(tablets.map((tablet) => tablet.memory));
    const events = sum((tablet) => tablet.events);
    return {
      events,
      users: sum((tablet) => tablet.users),
      memoryBytes: memoryBytes(memory),
      bytesPerEvent: events === 0 ? 0 : sum(({ eventBytes }) => eventBytes) / events,
      memory: bytesByPart(memory),
      memoryByName: bytesByName(memory),
      accepted: sum(({ totals }) => totals.accepted),
      duplicate: sum(({ totals }) => totals.duplicate),
      rejected: sum(({ totals }) => totals.rejected),
      droppedValues: sum(({ totals }) => totals.droppedValues),
      deadLetters: sum((tablet) => tablet.deadLetters),
      tablets: tablets.map(({ tablet, events, users, position }) => ({ tablet, events, users, position })),
      stats: statsSince(api, startedMs, newStats(), tablets.length),
    };
  },

  async 'key.create'(api, { principal: { account }, params }) {
    const shape = z.strictObject({ role: z.enum(['write', 'read', 'admin']), label: nameShape.optional() });
    const { role, label } = readParams(shape, params);
    if (api.entry(account).state.keys.size >= KEYS_MAX) {
      throw new MusterError('too_large', `an account has at most ${KEYS_MAX} keys`);
    }
    const key = newKey(role, api.shard.random.bytes(24));
    const value: KeyValue = { role, sha256: sha256Hex(key), ...(label === undefined ? {} : { label }) };
    const id = keyId(value);
    await api.decide(account, { kind: 'control', atMs: api.shard.clock.now(), what: 'key', name: id, value });
    return { id, key, role };
  },

  async 'key.list'(api, { principal: { account }, params }) {
    readParams(z.strictObject({}), params);
    const keys = [...api.entry(account).state.keys].map(([id, { role, label, configured }]) => ({
      id,
      role,
      ...(label === undefined ? {} : { label }),
      configured: configured ?? false,
    }));
    return { keys };
  },

  async 'key.revoke'(api, { principal: { account }, params }) {
    const { id } = readParams(z.strictObject({ id: z.string() }), params);
    const key = api.entry(account).state.keys.get(id);
    if (key === undefined) throw notFound('key', id);
    if (key.configured === true) {
      throw new MusterError('conflict', `key ${id} comes from the configuration: take it out there`);
    }
    await api.decide(account, {
      kind: 'control',
      atMs: api.shard.clock.now(),
      what: 'key',
      name: id,
      value: null,
    });
    return {};
  },

  async 'import.status'(api, { principal: { account }, params }) {
    const { id } = readParams(z.strictObject({ id: z.string().regex(/^[0-9a-f]{64}$/) }), params);
    return api.entry(account).state.imports.get(id) ?? { lines: 0, finished: false };
  },

  async 'server.stats'(api, { signal }) {
    const { shard } = api;
    const accounts = [...shard.directory.accounts].map(({ state }) => state.name);
    const ask = (account: string) => api.gather.ask({ account, operation: 'memory', args: null, signal });
    const tablets = sumOfMemory((await Promise.all(accounts.map(ask))).flat());
    const memory = { ...tablets, ...(await shard.hostMemory()) };
    return {
      threads: shard.shards,
      time: isoTime(shard.clock.now()),
      accounts: accounts.length,
      memoryBytes: memoryBytes(memory),
      memory: bytesByPart(memory),
    };
  },
};

/** Of a query about the account as it is now, whatever its `at`. */
function readNow(api: ShardApi, account: string, params: unknown): number {
  const { at } = readParams(z.strictObject(queryShape), params);
  return momentsOf(api, account, at).nowMs;
}
