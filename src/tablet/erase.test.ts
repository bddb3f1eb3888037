import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { MINUTE_MS } from '../base/limits.ts';
import { MESSAGE_EVENTS } from '../delivery/campaign.ts';
import type { Call, DeleteRecord, LogRecord, SplitRecord, UserRef } from '../log/record.ts';
import { applyRecords, applySplit } from './apply.ts';
import { logicalHash } from './logicalHash.ts';
import { childrenOf, isHome } from './placement.ts';
import { storeJobOptions } from './storeJobs.ts';
import { Tablet } from './tablet.ts';
import { finish, order, plan, T0, TestTablet } from './testTablet.ts';
import { epochsAgree, type OutgoingTransfer } from './transfers.ts';

beforeAll(initHash);

const known = (id: string): UserRef => ({ known: true, id });
const anonymous = (id: string): UserRef => ({ known: false, id });
const calls = (...some: Call[]): LogRecord => ({ kind: 'calls', atMs: T0 + 100, calls: some });
const alias = (anonymousId: string, userId: string): Call => {
  return { kind: 'alias', of: 'alias', anonymousId, userId, timeMs: T0 };
};
const deletion = (user: UserRef, ...anonymousIds: string[]): DeleteRecord => {
  return { kind: 'delete', atMs: T0 + 200, user, anonymousIds };
};
const doneOf = ({ target, record: { atMs, sequence } }: OutgoingTransfer): LogRecord => {
  return { kind: 'transferDone', atMs, target, sequence };
};
/** The first id of this form that is at home in the tablet. */
const idIn = (bits: string, prefix: string) => {
  for (let i = 0; ; i++) if (isHome(bits, `${prefix}${i}`)) return `${prefix}${i}`;
};
const visit = (id: string, n: number) => order(id, n, { known: false });

describe('in the tablet of the user', () => {
  test('nothing is left of the user and the ids that were merged into it', () => {
    const target = new TestTablet();
    target.apply(
      calls(visit('a', 1), plan('a', 'gold', false), order('u', 2), alias('a', 'u'), order('v', 3)),
    );
    const { erased } = target.apply(deletion(known('u')));
    expect(erased).toBe(1);
    const { users, profiles } = target.tablet;
    for (const user of [known('u'), anonymous('a')]) expect(users.find(user)).toBe(-1);
    for (let ordinal = 0; ordinal < users.count; ordinal++) expect(profiles.all(ordinal)).toEqual({});
    expect(target.eventsOf('v')).toEqual([3]);
    expect(target.apply(deletion(known('u'))).erased).toBe(0);
  });

  test('a later call of any of its ids makes a new user from nothing', () => {
    const target = new TestTablet();
    target.apply(calls(visit('a', 1), order('u', 2), plan('u', 'gold'), alias('a', 'u')));
    target.apply(deletion(known('u')), calls(visit('a', 3), order('u', 4)));
    expect(target.eventsOf('a', false)).toEqual([3]);
    expect(target.eventsOf('u')).toEqual([4]);
    target.apply(calls(alias('a', 'u')));
    expect(target.eventsOf('u')).toEqual([3, 4]);
    expect(target.tablet.profiles.all(target.tablet.users.find(known('u')))).toEqual({});
  });

  test('an event that is repeated afterwards is known by its message id', () => {
    const target = new TestTablet();
    const call = order('u', 1, { messageId: 'm' });
    target.apply(calls(call));
    target.apply(deletion(known('u')));
    expect(target.apply(calls(call)).duplicate).toBe(1);
    expect(target.tablet.users.find(known('u'))).toBe(-1);
  });

  test('live segments tell of an exit, and time brings no other', () => {
    const target = new TestTablet();
    const save = (name: string, definition: object): LogRecord => {
      return { kind: 'control', atMs: T0, what: 'segment', name, value: { definition, live: true } };
    };
    target.apply(save('recent', { event: 'Order', within: { last: '10m' } }));
    target.apply(save('not gold', { not: { profile: 'plan', op: 'eq', value: 'gold' } }));
    target.apply(calls(order('u', 1)));
    const { changes } = target.apply(deletion(known('u')));
    const exit = { user: known('u'), change: 'exit', atMs: T0 + 200 };
    expect(changes).toEqual([
      { segment: 'not gold', ...exit },
      { segment: 'recent', ...exit },
    ]);
    const { live } = target.tablet;
    expect([live.count('recent'), live.count('not gold'), live.nextDeadlineMs()]).toEqual([0, 0, undefined]);
    expect(target.apply({ kind: 'tick', atMs: T0 + 60 * MINUTE_MS }).changes).toEqual([]);
  });

  test('messages are taken back, an exit makes none, and an outcome that comes later is nothing', () => {
    const target = new TestTablet();
    const campaign = (name: string, trigger: object): LogRecord => {
      const message = { url: 'https://sink.test/', body: {} };
      const definition = { name, trigger, channel: 'webhook', message };
      const value = { definition, status: 'active', version: 1, savedAtMs: T0 };
      return { kind: 'control', atMs: T0, what: 'campaign', name, value };
    };
    const buyers = { definition: { event: 'Order' }, live: true };
    target.apply(
      { kind: 'declare', atMs: T0, events: MESSAGE_EVENTS, traits: [] },
      { kind: 'control', atMs: T0, what: 'segment', name: 'buyers', value: buyers },
      campaign('now', { event: 'Order' }),
      campaign('later', { event: 'Order', delay: '1h' }),
      campaign('leaving', { segment: 'buyers', on: 'exit' }),
    );
    const { sends } = target.apply(calls(order('u', 1), order('v', 2)));
    expect(sends).toHaveLength(2);
    expect(target.apply(deletion(known('u'))).sends).toEqual([]);
    const { outbox } = target.tablet;
    expect([...outbox.messages()].map(({ user }) => user)).toEqual([known('v'), known('v')]);
    expect(outbox.statsOf('now')).toMatchObject({ intended: 2, cancelled: 1, pending: 1 });
    const { messageId } = sends[0]!;
    const outcome = { messageId, user: known('u'), result: { kind: 'sent' } } as const;
    target.apply({ kind: 'outcome', atMs: T0 + 300, ...outcome });
    expect(target.tablet.users.find(known('u'))).toBe(-1);
    expect(target.apply({ kind: 'tick', atMs: T0 + 120 * MINUTE_MS }).sends.map(({ user }) => user)).toEqual([
      known('v'),
    ]);
  });

  test('dead letters that name the user or a merged id go, whole or cut', () => {
    const target = new TestTablet();
    const letter = (item: string) => ({ reason: 'r', item, receivedAtMs: T0 });
    const items = [
      '{"type":"track","userId":"u","event":1}',
      '{"anonymousId": "a", "properties":{"x":"y',
      '{"userId":"\\u0075"}',
      '{"userId":7}',
      '{"anonymousId":"u"}',
      '{"userId":"a"}',
      '{"userId":"other","properties":{"name":"u"}}',
    ];
    target.apply({ kind: 'deadLetters', atMs: T0, letters: items.map(letter) });
    target.apply(deletion(known('u'), 'a'), deletion(known('7')));
    const left = target.tablet.deadLetters.list(10).map(({ item }) => item);
    expect(left).toEqual(items.slice(4).reverse());
  });

  test('an anonymous user is deleted, unless it is someone else by now', () => {
    const target = new TestTablet();
    target.apply(calls(visit('a', 1), visit('b', 2), alias('b', 'u')));
    expect(target.apply(deletion(anonymous('a'))).erased).toBe(1);
    expect(target.apply(deletion(anonymous('b'))).erased).toBe(0);
    expect(target.tablet.users.find(anonymous('a'))).toBe(-1);
    expect(target.eventsOf('u')).toEqual([2]);
  });

  test('compaction drops the rows, whether they were in a block, a full head or the head', () => {
    const target = new TestTablet('', { headRowsMax: 8, windowRowsMax: 100 });
    const { tablet } = target;
    const write = () => finish(tablet.events.writeSteps(storeJobOptions(tablet, true)));
    const one = (n: number) => calls(order(n % 2 === 0 ? 'u' : 'v', n));
    for (let n = 0; n < 20; n++) {
      target.apply(one(n));
      if (n === 7) while (write());
    }
    target.apply(deletion(known('u')));
    tablet.events.freeze();
    const before = logicalHash(tablet);
    while (write());
    expect(logicalHash(tablet)).toBe(before);
    expect(tablet.events.rowCount).toBe(10);
    expect(target.eventsOf('v').sort()).toEqual([1, 11, 13, 15, 17, 19, 3, 5, 7, 9]);
  });
});

describe('between tablets', () => {
  const setUp = () => {
    const [source, target] = [new TestTablet('0'), new TestTablet('1')];
    const both = (record: LogRecord) => [source, target].map((tablet) => tablet.apply(record));
    const bring = (transfer: OutgoingTransfer) => {
      target.apply(transfer.record);
      source.apply(doneOf(transfer));
    };
    const agree = () =>
      epochsAgree(new Map([source, target].map(({ tablet }) => [tablet.bits, tablet.transfers.epochs()])));
    const isQuiet = () => source.tablet.transfers.pending().length === 0 && agree();
    return { source, target, both, bring, isQuiet, anonymousId: idIn('0', 'a'), userId: idIn('1', 'u') };
  };

  test('what was brought before is erased, and the id is forwarded no more', () => {
    const { source, target, both, bring, isQuiet, anonymousId, userId } = setUp();
    source.apply(calls(visit(anonymousId, 1)));
    source.apply(calls(alias(anonymousId, userId))).transfers.forEach(bring);
    expect(target.eventsOf(userId)).toEqual([1]);
    expect(both(deletion(known(userId))).map(({ erased }) => erased)).toEqual([1, 1]);
    expect(source.apply(calls(visit(anonymousId, 2))).transfers).toEqual([]);
    expect(source.eventsOf(anonymousId, false)).toEqual([2]);
    expect(target.tablet.users.find(known(userId))).toBe(-1);
    expect(target.tablet.users.find(anonymous(anonymousId))).toBe(-1);
    expect(isQuiet()).toBe(true);
  });

  test('what is on its way is void, as it was made or as it is brought again, and the numbers go on', () => {
    for (const isBroughtAgain of [false, true]) {
      const { source, target, both, bring, isQuiet, anonymousId, userId } = setUp();
      source.apply(calls(visit(anonymousId, 1), plan(anonymousId, 'gold', false)));
      const made = source.apply(calls(alias(anonymousId, userId), visit(anonymousId, 2))).transfers;
      expect(made).toHaveLength(2);
      both(deletion(known(userId)));
      expect(source.tablet.users.find(anonymous(anonymousId))).toBe(-1);
      source.apply(calls(visit(anonymousId, 3)));
      const pending = source.tablet.transfers.pending();
      expect(pending.map(({ record }) => record.content)).toEqual([{ kind: 'erased' }, { kind: 'erased' }]);
      (isBroughtAgain ? pending : made).forEach(bring);
      expect(target.tablet.users.find(known(userId))).toBe(-1);
      expect(source.eventsOf(anonymousId, false)).toEqual([3]);
      expect(isQuiet()).toBe(true);

      source.apply(calls(alias(anonymousId, userId))).transfers.forEach(bring);
      expect(target.eventsOf(userId)).toEqual([3]);
      expect(source.tablet.users.find(anonymous(anonymousId))).toBe(-1);
      expect(isQuiet()).toBe(true);
    }
  });

  test('a user who has come by half goes whole', () => {
    const { source, target, both, bring, isQuiet, anonymousId, userId } = setUp();
    const many = Array.from({ length: 50_000 }, (_, n) => visit(anonymousId, n));
    const made = source.apply(calls(...many, alias(anonymousId, userId))).transfers;
    expect(made.length).toBeGreaterThan(2);
    bring(made[0]!);
    both(deletion(known(userId)));
    made.slice(1).forEach(bring);
    for (const { tablet } of [source, target]) expect(tablet.users.hereCount).toBe(0);
    expect(isQuiet()).toBe(true);
  });

  test('an id that was merged before it had any data is forwarded no more', () => {
    const { source, both, anonymousId, userId } = setUp();
    source.apply(calls(alias(anonymousId, userId)));
    expect(both(deletion(known(userId))).map(({ erased }) => erased)).toEqual([1, 0]);
    expect(source.tablet.users.forwardOf(anonymousId)).toBeUndefined();
    source.apply(calls(alias(anonymousId, idIn('1', 'v'))));
    expect(source.tablet.users.forwardOf(anonymousId)).toBe(idIn('1', 'v'));
  });

  test('forwards to others stay', () => {
    const { source, both, userId } = setUp();
    const [a, b, c] = Array.from({ length: 200 }, (_, i) => `a${i}`).filter((id) => isHome('0', id));
    const other = idIn('1', 'v');
    source.apply(calls(alias(a!, userId), alias(b!, other), alias(c!, userId)));
    both(deletion(known(userId)));
    const { users } = source.tablet;
    expect([a, b, c].map((id) => users.forwardOf(id!))).toEqual([undefined, other, undefined]);
    expect(users.forwardedTo(other)).toEqual([b]);
  });
});

describe('around a split', () => {
  let position = 1000;
  const apply = (tablet: Tablet, record: LogRecord, writtenFor?: string) =>
    finish(applyRecords(tablet, [record], position++, writtenFor));
  const split = ({ tablet }: TestTablet): readonly [Tablet, Tablet] => {
    const record: SplitRecord = { kind: 'split', atMs: T0 + 150, tablet: tablet.bits, tabletsMax: 64 };
    const [first, second] = childrenOf(tablet.bits).map((bits) => new Tablet('shop', bits));
    finish(applySplit(tablet, [first!, second!], record, position++));
    return [first!, second!];
  };
  const [anonymousId, userId] = [() => idIn('0', 'a'), () => idIn('1', 'u')];

  test('a user with an id at home in the other child is erased in both', () => {
    const parent = new TestTablet();
    parent.apply(calls(visit(anonymousId(), 1), order(userId(), 2), alias(anonymousId(), userId())));
    const children = split(parent);
    expect(children[0].users.forwardOf(anonymousId())).toBe(userId());
    for (const child of children) expect(apply(child, deletion(known(userId()))).erased).toBe(1);
    expect(children[0].users.forwardOf(anonymousId())).toBeUndefined();
    expect(children[1].users.hereCount).toBe(0);
  });

  test('a forward that was erased is not inherited, and what was on its way stays void', () => {
    const [source, target] = [new TestTablet('0'), new TestTablet('1')];
    source.apply(calls(visit(anonymousId(), 1)));
    const [made] = source.apply(calls(alias(anonymousId(), userId()))).transfers;
    for (const tablet of [source, target]) tablet.apply(deletion(known(userId())));
    const targets = split(target);
    for (const child of targets) apply(child, made!.record, '1');
    source.apply({ kind: 'split', atMs: T0 + 150, tablet: '1', tabletsMax: 64 });
    const pending = source.tablet.transfers.pending();
    expect(pending.map(({ record }) => record.content)).toEqual([{ kind: 'erased' }]);
    for (const { target, record } of pending) apply(targets.find(({ bits }) => bits === target)!, record);
    for (const { users } of targets) expect(users.find(known(userId()))).toBe(-1);
    for (const { users } of split(source)) expect(users.forwardOf(anonymousId())).toBeUndefined();
  });
});
