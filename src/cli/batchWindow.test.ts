import { expect, test } from 'vitest';
import type { Clock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { IMPORT_PATIENCE_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import type { ImportBatch } from '../ingest/importFile.ts';
import { BatchWindow } from './batchWindow.ts';

/** Every sleep is over at once. */
class QuickClock implements Clock {
  nowMs = 0;
  now = () => this.nowMs;
  monotonicMs = () => this.nowMs;
  yield = () => new Promise<void>((resolve) => setImmediate(resolve));

  schedule(delayMs: number, run: () => void): () => void {
    const timer = setImmediate(() => {
      this.nowMs += delayMs;
      run();
    });
    return () => clearImmediate(timer);
  }
}

const BATCHES: readonly ImportBatch[] = Array.from({ length: 12 }, (_, i) => ({
  from: i * 10 + 1,
  to: i * 10 + 11,
  finished: i === 11,
  calls: Array.from({ length: 10 }, (_, k) => ({ messageId: `${i * 10 + k}` })),
  rejects: [],
  skipped: 0,
}));
const never = new AbortController().signal;

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'every batch is taken once, in order, whatever fails (seed %i)',
  async (seed) => {
    const random = new SeededRandom(seed);
    const clock = new QuickClock();
    const seen = new Set<unknown>();
    let lines = 0;
    let underWay = 0;
    const window = new BatchWindow({
      clock,
      stopped: never,
      send: async ({ from, to, calls, finished }) => {
        if (finished) expect([underWay, lines >= from - 1]).toEqual([0, true]);
        expect(++underWay).toBeLessThanOrEqual(4);
        const isLostBefore = random.chance(0.2);
        const isLostAfter = random.chance(0.1);
        const counts = { accepted: 0, duplicate: 0, rejected: 0 };
        if (!isLostBefore) {
          if (from <= lines + 1) lines = Math.max(lines, to - 1);
          for (const { messageId } of calls) {
            if (seen.has(messageId)) counts.duplicate++;
            else counts.accepted++;
            seen.add(messageId);
          }
        }
        for (let turns = random.below(4); turns > 0; turns--) await clock.yield();
        underWay--;
        if (isLostBefore || isLostAfter) throw new MusterError('unavailable', 'lost');
        return counts;
      },
    });
    for (const batch of BATCHES) await window.add(batch);
    const { accepted, duplicate } = await window.finish();
    expect([seen.size, lines, accepted + duplicate]).toEqual([120, 120, 120]);
  },
);

test('what is refused for good, or for too long, or after an end was asked for, is an error', async () => {
  const refused = (code: 'forbidden' | 'rate_limited', stopped = never) => {
    const clock = new QuickClock();
    const send = () => Promise.reject(new MusterError(code, 'no'));
    const window = new BatchWindow({ clock, stopped, send });
    return window
      .add(BATCHES[11]!)
      .then(() => window.finish())
      .then(
        () => 'taken',
        (error: Error) => [error.message, clock.nowMs > IMPORT_PATIENCE_MS],
      );
  };
  expect(await refused('forbidden')).toEqual(['no', false]);
  expect(await refused('rate_limited')).toEqual(['no', true]);
  expect(await refused('rate_limited', AbortSignal.abort(new Error('enough')))).toEqual(['enough', false]);
});
