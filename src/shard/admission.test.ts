import { expect, test } from 'vitest';
import { QUERIES_RUNNING_MAX, QUERIES_WAITING_MAX } from '../base/limits.ts';
import { Admission } from './admission.ts';

/** Work that goes on until it is told to end. */
function gated() {
  const admission = new Admission();
  const running: (() => void)[] = [];
  const run = (account: string, signal = new AbortController().signal) =>
    admission.run(account, signal, () => new Promise<void>((resolve) => running.push(resolve)));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { running, run, settle };
}

test('so many run, so many wait in order, and more are told to come again', async () => {
  const { running, run, settle } = gated();
  const all = Array.from({ length: QUERIES_RUNNING_MAX + QUERIES_WAITING_MAX }, () => run('shop'));
  expect(running).toHaveLength(QUERIES_RUNNING_MAX);
  await expect(run('shop')).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
  for (let ended = 0; ended < all.length; ended++) {
    running[ended]!();
    await settle();
    expect(running).toHaveLength(Math.min(all.length, QUERIES_RUNNING_MAX + ended + 1));
  }
  await Promise.all(all);
});

test('another account is not affected', async () => {
  const { running, run } = gated();
  const all = Array.from({ length: QUERIES_RUNNING_MAX + 1 }, () => run('shop'));
  const other = run('other');
  expect(running).toHaveLength(QUERIES_RUNNING_MAX + 1);
  running.at(-1)!();
  await other;
  expect(all).toHaveLength(QUERIES_RUNNING_MAX + 1);
});

test('who gives up while waiting leaves the queue', async () => {
  const { running, run, settle } = gated();
  const first = Array.from({ length: QUERIES_RUNNING_MAX }, () => run('shop'));
  const gone = new AbortController();
  const aborted = run('shop', gone.signal);
  const last = run('shop');
  gone.abort(new Error('gone'));
  await expect(aborted).rejects.toThrow('gone');
  running[0]!();
  await settle();
  expect(running).toHaveLength(QUERIES_RUNNING_MAX + 1);
  for (const end of running) end();
  await Promise.all([...first, last]);
});
