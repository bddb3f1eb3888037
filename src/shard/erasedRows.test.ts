import { beforeAll, expect, test } from 'vitest';
import { type Clock, realClock } from '../base/clock.ts';
import { initHash } from '../base/hash.ts';
import { ERASED_ROWS_MS_MAX } from '../base/limits.ts';
import { storeJobOptions } from '../tablet/storeJobs.ts';
import { finish, order, T0, TestTablet } from '../tablet/testTablet.ts';
import { ErasedRows } from './erasedRows.ts';

beforeAll(initHash);

/** A tablet with a block and a head, in which one of many users is deleted; the clock is the test's. */
function setUp() {
  let nowMs = 0;
  const clock: Clock = { ...realClock, monotonicMs: () => nowMs };
  const target = new TestTablet('', { headRowsMax: 50, windowRowsMax: 1000 });
  const { tablet } = target;
  const calls = Array.from({ length: 80 }, (_, n) => order(`u${n % 40}`, n));
  target.apply({ kind: 'calls', atMs: T0, calls });
  finish(tablet.events.writeSteps(storeJobOptions(tablet, false)));
  const erased = new ErasedRows(tablet, clock);
  const write = (isQuiet: boolean) => {
    while (finish(tablet.events.writeSteps(storeJobOptions(tablet, false, erased.goneDue(isQuiet)))));
  };
  const remove = (id: string) => {
    const user = { known: true, id };
    target.apply({ kind: 'delete', atMs: T0, user, anonymousIds: [] });
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { tablet, write, remove, pass };
}

test('rows of a deleted user are written out when it is quiet, from the head too', () => {
  const { tablet, write, remove } = setUp();
  write(true);
  expect([tablet.events.rowCount, tablet.events.headRowCount]).toEqual([80, 30]);
  remove('u5');
  write(true);
  expect([tablet.events.rowCount, tablet.events.headRowCount]).toEqual([78, 0]);
});

test('where it is never quiet, within a day of the first deletion', () => {
  const { tablet, write, remove, pass } = setUp();
  remove('u5');
  write(false);
  pass(ERASED_ROWS_MS_MAX - 1);
  remove('u6');
  write(false);
  expect(tablet.events.rowCount).toBe(80);
  pass(1);
  write(false);
  expect(tablet.events.rowCount).toBe(76);
  remove('u7');
  write(false);
  expect(tablet.events.rowCount).toBe(76);
});
