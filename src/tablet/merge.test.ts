import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import type { Call, LogRecord, TransferRecord } from '../log/record.ts';
import { encodeRecords } from '../log/sections.ts';
import { PrefixTree } from './placement.ts';
import { order, plan, T0, TestTablet } from './testTablet.ts';
import { epochsAgree, type OutgoingTransfer } from './transfers.ts';

beforeAll(initHash);

const tree = () => PrefixTree.even(2);
/** The first id of this form that lives in the tablet. */
const idIn = (bits: string, prefix: string) => {
  for (let i = 0; ; i++) if (tree().tabletOf(`${prefix}${i}`) === bits) return `${prefix}${i}`;
};
const calls = (...some: Call[]): LogRecord => ({ kind: 'calls', atMs: T0 + 100, calls: some });
const alias = (anonymousId: string, userId: string): Call => ({
  kind: 'alias',
  of: 'identify',
  anonymousId,
  userId,
  timeMs: T0,
});
const done = ({ target, record }: OutgoingTransfer): LogRecord => ({
  kind: 'transferDone',
  atMs: record.atMs,
  target,
  sequence: record.sequence,
});

describe('in one tablet', () => {
  test('the anonymous user becomes the known one, with events, traits and later calls', () => {
    const target = new TestTablet();
    target.apply(
      calls(order('a', 1, { known: false }), plan('a', 'gold', false), order('u', 2), alias('a', 'u')),
    );
    target.apply(calls(order('a', 3, { known: false })));
    expect(target.eventsOf('u')).toEqual([1, 2, 3]);
    expect(target.tablet.profiles.all(target.tablet.users.find({ known: true, id: 'u' }))).toEqual({
      plan: 'gold',
    });
  });

  test('an anonymous id stays with its first owner', () => {
    const target = new TestTablet();
    target.apply(calls(order('a', 1, { known: false }), alias('a', 'u'), alias('a', 'v')));
    expect(target.eventsOf('u')).toEqual([1]);
    expect(target.tablet.users.find({ known: true, id: 'v' })).toBe(-1);
  });
});

describe('between two tablets', () => {
  const setUp = () => {
    const [source, target] = [new TestTablet('0'), new TestTablet('1')];
    return { source, target, anonymousId: idIn('0', 'a'), userId: idIn('1', 'u') };
  };

  test('the user is in exactly one at any time, and moves with everything', () => {
    const { source, target, anonymousId, userId } = setUp();
    source.apply(calls(order(anonymousId, 1, { known: false }), plan(anonymousId, 'gold', false)));
    target.apply(calls(order(userId, 2)));
    const { transfers } = source.apply(calls(alias(anonymousId, userId)));
    expect(transfers).toMatchObject([
      { target: '1', record: { sequence: 1, content: { kind: 'user', last: true } } },
    ]);
    expect(source.eventsOf(anonymousId, false)).toEqual([1]);
    expect(target.eventsOf(userId)).toEqual([2]);

    target.apply(transfers[0]!.record);
    source.apply(done(transfers[0]!));
    expect(source.tablet.users.find({ known: false, id: anonymousId })).toBe(-1);
    expect(target.eventsOf(userId).sort()).toEqual([1, 2]);
    expect(target.tablet.profiles.all(target.tablet.users.find({ known: true, id: userId }))).toEqual({
      plan: 'gold',
    });
  });

  test('later calls of the anonymous id follow, each once', () => {
    const { source, target, anonymousId, userId } = setUp();
    source.apply(calls(alias(anonymousId, userId)));
    const call = order(anonymousId, 7, { known: false, messageId: 'm' });
    const { transfers, accepted, duplicate } = source.apply(calls(call, call));
    expect({ accepted, duplicate, transfers: transfers.length }).toEqual({
      accepted: 1,
      duplicate: 1,
      transfers: 1,
    });
    target.apply(transfers[0]!.record, transfers[0]!.record);
    target.apply(transfers[0]!.record);
    expect(target.eventsOf(userId)).toEqual([7]);
  });

  test('what was not done is pending again after a replay, in order; what comes out of order is not taken', () => {
    const { source, target, anonymousId, userId } = setUp();
    source.apply(calls(order(anonymousId, 1, { known: false }), alias(anonymousId, userId)));
    source.apply(calls(order(anonymousId, 2, { known: false })));
    const pending = source.tablet.transfers.pending();
    expect(pending.map(({ record }) => record.sequence)).toEqual([1, 2]);
    target.apply(pending[1]!.record);
    expect(target.eventsOf(userId)).toEqual([]);
    for (const { record } of pending) target.apply(record);
    expect(target.eventsOf(userId).sort()).toEqual([1, 2]);
    for (const transfer of pending) source.apply(done(transfer));
    expect(source.tablet.transfers.pending()).toEqual([]);
  });

  test('a long trail goes in pieces, seen by queries when whole, and the user leaves with the last', () => {
    const { source, target, anonymousId, userId } = setUp();
    const epochs = () =>
      new Map([source, target].map(({ tablet }) => [tablet.bits, tablet.transfers.epochs()]));
    const many = Array.from({ length: 50_000 }, (_, n) => order(anonymousId, n, { known: false }));
    source.apply(calls(...many, alias(anonymousId, userId)));
    const pending = source.tablet.transfers.pending();
    expect(pending.length).toBeGreaterThan(2);
    for (const [i, transfer] of pending.entries()) {
      expect(encodeRecords([transfer.record]).length).toBeLessThan(2 << 20);
      expect(epochsAgree(epochs())).toBe(i === 0);
      expect(source.tablet.users.find({ known: false, id: anonymousId })).not.toBe(-1);
      target.apply(transfer.record as TransferRecord);
      source.apply(done(transfer));
    }
    expect(source.tablet.users.find({ known: false, id: anonymousId })).toBe(-1);
    expect(epochsAgree(epochs())).toBe(true);
    expect(target.eventsOf(userId)).toHaveLength(50_000);
  });

  test('a query notices a merge that it saw by half', () => {
    const { source, target, anonymousId, userId } = setUp();
    const epochs = () =>
      new Map([source, target].map(({ tablet }) => [tablet.bits, tablet.transfers.epochs()]));
    source.apply(calls(order(anonymousId, 1, { known: false }), alias(anonymousId, userId)));
    expect(epochsAgree(epochs())).toBe(true);
    const [transfer] = source.tablet.transfers.pending();
    target.apply(transfer!.record);
    expect(epochsAgree(epochs())).toBe(false);
    source.apply(done(transfer!));
    expect(epochsAgree(epochs())).toBe(true);
  });
});
