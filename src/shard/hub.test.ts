import { expect, test } from 'vitest';
import { realClock } from '../base/clock.ts';
import { UNAPPLIED_BYTES_MAX } from '../base/limits.ts';
import { Hub } from './hub.ts';
import type { AppendRequest, FromHub, ToHub } from './messages.ts';
import { accountSection } from './shard.ts';
import { MemoryLog, refusal } from './testHost.ts';

const ACCOUNT = 'shop';
const FRAME_BYTES = UNAPPLIED_BYTES_MAX / 4;

test('appends wait while a shard is behind, and go on in order when it has caught up', async () => {
  const { log, post, acknowledged } = await hubOfOneShard();
  const tokens = Array.from({ length: 12 }, (_, i) => i);
  post({ kind: 'append', requests: tokens.map(request) });
  await settled();
  expect(acknowledged).toEqual(tokens.slice(0, 5));
  expect(log.frames).toHaveLength(1 + 5);
  post({ kind: 'consumed', bytes: 2 * FRAME_BYTES });
  await settled();
  expect(acknowledged).toEqual(tokens.slice(0, 7));
  for (let i = 0; i < 6; i++) {
    post({ kind: 'consumed', bytes: FRAME_BYTES });
    await settled();
  }
  expect(acknowledged).toEqual(tokens);
});

test('when too much waits, more is refused, and what waits is not lost', async () => {
  const { log, post, acknowledged, refused } = await hubOfOneShard();
  const tokens = Array.from({ length: 60 }, (_, i) => i);
  post({ kind: 'append', requests: tokens.map(request) });
  await settled();
  expect(refused.length).toBeGreaterThan(0);
  for (let i = 0; i < 60 - refused.length; i++) {
    post({ kind: 'consumed', bytes: FRAME_BYTES });
    await settled();
  }
  expect([...acknowledged, ...refused].sort((a, b) => a - b)).toEqual(tokens);
  expect(log.frames).toHaveLength(1 + acknowledged.length);
});

test('a log that refuses does not leave others waiting', async () => {
  const { log, post, acknowledged, refused } = await hubOfOneShard();
  const append = log.append.bind(log);
  let left = 5;
  log.append = async (...args) => {
    const position = await append(...args);
    if (left-- > 0) throw refusal(1);
    return position;
  };
  const tokens = Array.from({ length: 8 }, (_, i) => i);
  post({ kind: 'append', requests: tokens.map(request) });
  await settled();
  expect(refused).toEqual(tokens.slice(0, 5));
  expect(acknowledged).toEqual(tokens.slice(5));
});

function request(token: number): AppendRequest {
  const records = new Uint8Array(FRAME_BYTES);
  return { token, sections: [{ account: ACCOUNT, tablet: '', records }], tellApplied: false };
}

/** A hub with an account of one tablet, whose only shard says what it has consumed when the test does. */
async function hubOfOneShard() {
  const log = new MemoryLog();
  const acknowledged: number[] = [];
  const refused: number[] = [];
  let post: (message: ToHub) => void = () => {};
  const failed = (error: unknown) => {
    throw error;
  };
  const link = {
    post: (message: FromHub) => {
      if (message.kind !== 'appended') return;
      for (const result of message.results) ('error' in result ? refused : acknowledged).push(result.token);
    },
    onMessage: (handle: (message: ToHub) => void) => {
      post = handle;
    },
    drain: () => {},
  };
  const hub = new Hub({ log, clock: realClock, shards: [link], failed });
  const value = { timezone: 'UTC', tablets: 1 };
  const made = accountSection(ACCOUNT, { kind: 'control', atMs: 0, what: 'account', name: ACCOUNT, value });
  await hub.append([made]);
  post({ kind: 'consumed', bytes: made.records.byteLength });
  return { log, acknowledged, refused, post };
}

/** When everything that can go on has. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await realClock.yield();
}
