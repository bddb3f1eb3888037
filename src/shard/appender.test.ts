import { expect, it } from 'vitest';
import { realClock } from '../base/clock.ts';
import { Appender } from './appender.ts';
import type { ToHub } from './messages.ts';

it('small requests of a turn travel together, and a large one at once with those before it', async () => {
  const posted: number[] = [];
  const hub = {
    post(message: ToHub) {
      if (message.kind === 'append') posted.push(message.requests.length);
    },
    onMessage() {},
    drain() {},
  };
  const clock = { ...realClock, monotonicMs: () => 0 };
  const appender = new Appender(hub, clock);
  const append = (bytes: number) => {
    void appender.append([{ account: 'shop', tablet: '', records: new Uint8Array(bytes) }]);
  };
  append(100);
  append(100);
  expect(posted).toEqual([]);
  append(100_000);
  expect(posted).toEqual([3]);
  append(100);
  append(100);
  expect(posted).toEqual([3]);
  await realClock.yield();
  await realClock.yield();
  expect(posted).toEqual([3, 2]);
});
