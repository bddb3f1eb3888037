import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { MESSAGE_EVENTS } from '../delivery/campaign.ts';
import type { Call, LogRecord } from '../log/record.ts';
import { decodeRecords, encodeRecords } from '../log/sections.ts';
import { pendingEffects } from './apply.ts';
import { logicalHash } from './logicalHash.ts';
import { storeJobOptions } from './storeJobs.ts';
import { finish, order, plan, T0, TestTablet } from './testTablet.ts';

beforeAll(initHash);

const calls = (atMs: number, ...calls: Call[]): LogRecord => ({ kind: 'calls', atMs, calls });

const LIVE: LogRecord = {
  kind: 'control',
  atMs: T0,
  what: 'segment',
  name: 'recent',
  value: { definition: { event: 'Order', within: { last: '1h' } }, live: true },
};

function campaign(trigger: unknown): LogRecord[] {
  const definition = {
    name: 'c',
    trigger,
    channel: 'webhook',
    message: { url: 'https://sink.test/', body: {} },
  };
  const value = { definition, status: 'active', version: 1, savedAtMs: T0 };
  return [
    { kind: 'declare', atMs: T0, events: MESSAGE_EVENTS, traits: [] },
    { kind: 'control', atMs: T0, what: 'campaign', name: 'c', value },
  ];
}

describe('state follows from the records alone', () => {
  test.each([1, 2, 3])('however they are encoded, sealed and stepped (seed %i)', (seed) => {
    const random = new SeededRandom(seed);
    const records = randomRecords(random, 300);
    const plain = new TestTablet();
    const other = new TestTablet('', { headRowsMax: 7 });
    for (const record of records) {
      plain.apply(record);
      other.apply(...decodeRecords(encodeRecords([record])));
      if (random.chance(0.3)) while (finish(other.tablet.events.writeSteps()));
    }
    expect(other.tablet.events.parts().length).toBeGreaterThan(1);
    expect(logicalHash(other.tablet)).toBe(logicalHash(plain.tablet));
  });

  test('every record that changes something changes the hash', () => {
    const target = new TestTablet();
    const hashes = [logicalHash(target.tablet)];
    const records: LogRecord[] = [
      calls(T0 + 1, order('u', 1)),
      calls(T0 + 1, plan('u', 'gold')),
      { kind: 'tick', atMs: T0 + SECOND_MS },
      LIVE,
      ...campaign({ event: 'Order' }),
      { kind: 'deadLetters', atMs: T0, letters: [{ reason: 'r', item: '{}', receivedAtMs: T0 }] },
      calls(T0 + 1, { kind: 'alias', of: 'alias', anonymousId: 'a', userId: 'u', timeMs: T0 }),
    ];
    for (const record of records) {
      target.apply(record);
      hashes.push(logicalHash(target.tablet));
    }
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('calls', () => {
  test('a known messageId counts as a duplicate and does nothing else', () => {
    const target = new TestTablet();
    const call = order('u', 1, { messageId: 'm' });
    expect(target.apply(calls(T0 + 1, call, call))).toMatchObject({ accepted: 1, duplicate: 1 });
    expect(target.apply(calls(T0 + 2, call))).toMatchObject({ accepted: 0, duplicate: 1 });
    expect(target.eventsOf('u')).toEqual([1]);
  });

  test('a messageId is new again when the window has long passed', () => {
    const target = new TestTablet();
    const call = order('u', 1, { messageId: 'm' });
    target.apply(calls(T0, call));
    target.apply(calls(T0 + DAY_MS - 1, order('u', 2)));
    expect(target.apply(calls(T0 + DAY_MS, call))).toMatchObject({ duplicate: 1 });
    expect(target.apply(calls(T0 + 3 * DAY_MS, order('u', 3)), calls(T0 + 6 * DAY_MS, call))).toMatchObject({
      duplicate: 0,
    });
  });

  test('names that were not declared are dropped and counted', () => {
    const target = new TestTablet();
    target.apply(
      calls(T0, order('u', 1, { properties: { n: 1, colour: 'red' } }), order('u', 2, { event: 'Else' })),
    );
    expect(target.eventsOf('u')).toEqual([1]);
    expect(target.tablet.totals).toMatchObject({ accepted: 1, droppedValues: 1, rejected: 1 });
    expect(target.tablet.deadLetters.list(1)).toMatchObject([{ reason: 'too_many_event_names' }]);
  });

  test('the clock is the largest stamp, and steps back for none', () => {
    const target = new TestTablet();
    target.apply({ kind: 'tick', atMs: T0 + 5 }, { kind: 'tick', atMs: T0 + 3 });
    expect(target.tablet.clockMs).toBe(T0 + 5);
  });
});

describe('time', () => {
  test('ends a live membership at its exact moment, whenever the tick comes', () => {
    const target = new TestTablet();
    const entered = target.apply(LIVE, calls(T0 + 1, order('u', 1)));
    expect(entered.changes).toMatchObject([{ segment: 'recent', change: 'enter' }]);
    expect(target.tablet.nextDeadlineMs()).toBeLessThanOrEqual(T0 + 1 + HOUR_MS);
    const { changes } = target.apply({ kind: 'tick', atMs: T0 + 2 * HOUR_MS });
    expect(changes).toEqual([
      { segment: 'recent', user: { known: true, id: 'u' }, change: 'exit', atMs: T0 + 1 + HOUR_MS },
    ]);
  });

  test('drops what is past retention, a window at a time', () => {
    const target = new TestTablet('', { headRowsMax: 2 }, 100 * DAY_MS);
    target.apply(calls(T0, order('u', 1), order('u', 2)));
    finish(target.tablet.events.writeSteps(storeJobOptions(target.tablet, false)));
    target.apply({ kind: 'tick', atMs: T0 + 300 * DAY_MS });
    expect(target.tablet.events.rowCount).toBe(0);
  });
});

describe('messages', () => {
  test('an event sends, the outcome becomes an event, and a second outcome says nothing', () => {
    const target = new TestTablet();
    target.apply(...campaign({ event: 'Order' }));
    const { sends } = target.apply(calls(T0 + 1, order('u', 1)));
    expect(sends).toHaveLength(1);
    const { messageId, user } = sends[0]!;
    const outcome: LogRecord = { kind: 'outcome', atMs: T0 + 2, messageId, user, result: { kind: 'sent' } };
    target.apply(outcome, outcome);
    const sent = target.tablet.schema.eventCode('Message Sent')!;
    const [head] = target.tablet.events.parts();
    expect(head!.selectEvents([sent]).count()).toBe(1);
  });

  test('are asked for again after a replay, under the same ids', () => {
    const records = [...campaign({ event: 'Order' }), calls(T0 + 1, order('u', 1), order('v', 2))];
    const [before, after] = [new TestTablet(), new TestTablet()];
    const sends = records.flatMap((record) => before.apply(record).sends);
    for (const record of records) after.apply(record);
    expect(
      pendingEffects(after.tablet)
        .sends.map(({ messageId }) => messageId)
        .sort(),
    ).toEqual(sends.map(({ messageId }) => messageId).sort());
  });

  test('a live segment triggers on enter, not on those who were in when it was saved', () => {
    const target = new TestTablet();
    target.apply(calls(T0 + 1, order('early', 1)), LIVE, ...campaign({ segment: 'recent', on: 'enter' }));
    expect(target.apply(calls(T0 + 2, order('early', 2))).sends).toEqual([]);
    expect(target.apply(calls(T0 + 3, order('late', 3))).sends).toMatchObject([{ user: { id: 'late' } }]);
  });
});

function randomRecords(random: SeededRandom, count: number): LogRecord[] {
  let atMs = T0;
  const records: LogRecord[] = [LIVE, ...campaign({ segment: 'recent', on: 'enter' })];
  for (let n = 0; n < count; n++) {
    atMs += random.below(10 * 60 * SECOND_MS);
    const id = `u${random.below(9)}`;
    const anonymousId = `a${random.below(9)}`;
    const timeMs = atMs - random.below(DAY_MS);
    const some: Call[] = [
      order(id, n, { timeMs, messageId: `m${random.below(count)}` }),
      order(anonymousId, n, { timeMs, known: false }),
      plan(id, random.pick(['gold', 'silver'])),
      { kind: 'alias', of: 'alias', anonymousId, userId: id, timeMs },
    ];
    records.push(
      random.chance(0.1) ? { kind: 'tick', atMs } : calls(atMs, random.pick(some), random.pick(some)),
    );
  }
  return records;
}
