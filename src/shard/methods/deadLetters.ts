import { z } from 'zod';
import { isoTime } from '../../base/time.ts';
import { replayItem } from '../../ingest/replay.ts';
import type { ShardApi } from '../shardApi.ts';
import { type Method, notFound, readParams } from './params.ts';

export const deadLetterMethods: Readonly<Record<string, Method>> = {
  async 'deadLetter.list'(api, { principal: { account }, params, signal }) {
    const { limit } = readParams(z.strictObject({ limit: z.int().min(1).max(1000).default(100) }), params);
    const args = { limit, ids: undefined };
    const parts = await api.gather.ask({ account, operation: 'deadLetters', args, signal });
    const letters = parts
      .flatMap(({ letters }) => letters)
      .sort((a, b) => b.receivedAtMs - a.receivedAtMs)
      .slice(0, limit)
      .map(({ receivedAtMs, ...letter }) => ({ ...letter, receivedAt: isoTime(receivedAtMs) }));
    return { letters, total: parts.reduce((sum, { total }) => sum + total, 0) };
  },

  /**
   * Collects the items again, as they were sent; those taken are dead letters no more. Each is one frame: its calls and
   * the word that it is done.
   */
  async 'deadLetter.replay'(api, { principal: { account }, params, signal }) {
    const { ids } = readParams(z.strictObject({ ids: z.array(z.string()).min(1).max(1000) }), params);
    return api.replays.write(() => replay(api, account, [...new Set(ids)], signal));
  },
};

async function replay(api: ShardApi, account: string, ids: readonly string[], signal: AbortSignal) {
  const args = { limit: 0, ids };
  const parts = await api.gather.ask({ account, operation: 'deadLetters', args, signal });
  const letters = parts.flatMap(({ letters }) => letters);
  const missing = ids.find((id) => !letters.some((letter) => letter.id === id));
  if (missing !== undefined) throw notFound('dead letter', missing);
  const failed: { id: string; reason: string }[] = [];
  for (const letter of letters) {
    signal.throwIfAborted();
    const { id } = letter;
    const accepted = replayItem(letter, api.shard.clock.now(), api.collecting(account));
    const [again] = accepted.letters;
    if (again !== undefined) failed.push({ id, reason: again.reason });
    else await api.accept(account, accepted, true, id);
  }
  return { replayed: letters.length - failed.length, failed };
}
