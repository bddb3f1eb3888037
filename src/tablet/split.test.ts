import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { HOUR_MS, SECOND_MS } from '../base/limits.ts';
import { MESSAGE_EVENTS } from '../delivery/campaign.ts';
import type { Call, LogRecord, SplitRecord } from '../log/record.ts';
import { applyRecords, applySplit } from './apply.ts';
import type { Effects } from './effects.ts';
import { childrenOf, isHome } from './placement.ts';
import { Tablet } from './tablet.ts';
import { finish, order, plan, T0, TestTablet } from './testTablet.ts';
import { epochsAgree } from './transfers.ts';

beforeAll(initHash);

const calls = (...some: Call[]): LogRecord => ({ kind: 'calls', atMs: T0 + 100, calls: some });
const alias = (anonymousId: string, userId: string): Call => {
  return { kind: 'alias', of: 'identify', anonymousId, userId, timeMs: T0 };
};
const splitOf = (tablet: string): SplitRecord => ({ kind: 'split', atMs: T0 + 100, tablet, tabletsMax: 64 });
/** The first id of this form that is at home in the tablet. */
const idIn = (bits: string, prefix: string) => {
  for (let i = 0; ; i++) if (isHome(bits, `${prefix}${i}`)) return `${prefix}${i}`;
};

let position = 100;
function apply(tablet: Tablet, records: readonly LogRecord[], writtenFor?: string): Effects {
  return finish(applyRecords(tablet, records, position++, writtenFor));
}

function split({ tablet }: { readonly tablet: Tablet }) {
  const [first, second] = childrenOf(tablet.bits).map((bits) => new Tablet('shop', bits)) as [Tablet, Tablet];
  const effects = finish(applySplit(tablet, [first, second], splitOf(tablet.bits), position++));
  return { children: [first, second] as const, effects };
}

/** `n` of every event of a user, in trail order; undefined where the id stands for nobody. */
function numbersOf(tablet: Tablet, id: string, known = true): unknown[] | undefined {
  const user = tablet.users.find({ known, id });
  if (user === -1) return undefined;
  const n = tablet.schema.propertyCode('n')!;
  return tablet.events.parts().flatMap((part) => {
    const rows = Array.from({ length: part.rowCount }, (_, row) => row);
    return rows
      .filter((row) => tablet.users.canonical[part.ordinalAt(row)] === user)
      .map((row) => part.valueAt(row, n));
  });
}

function campaign(trigger: object): LogRecord[] {
  const message = { url: 'https://sink.test/', body: {} };
  const definition = { name: 'c', trigger, channel: 'webhook', message };
  const value = { definition, status: 'active', version: 1, savedAtMs: T0 };
  return [
    { kind: 'declare', atMs: T0, events: MESSAGE_EVENTS, traits: [] },
    { kind: 'control', atMs: T0, what: 'campaign', name: 'c', value },
  ];
}

describe('users', () => {
  test('each is in the child that the id says, with events and traits', () => {
    const parent = new TestTablet();
    const ids = Array.from({ length: 500 }, (_, n) => `u${n}`);
    for (const [n, id] of ids.entries())
      parent.apply(calls(order(id, n), plan(id, `plan ${n}`), order(id, n)));
    const { children } = split(parent);
    for (const [n, id] of ids.entries()) {
      for (const child of children) {
        const isHere = isHome(child.bits, id);
        expect(numbersOf(child, id)).toEqual(isHere ? [n, n] : undefined);
        const traits = isHere && child.profiles.all(child.users.find({ known: true, id }));
        expect(traits).toEqual(isHere && { plan: `plan ${n}` });
      }
    }
    expect(children[0].users.hereCount + children[1].users.hereCount).toBe(500);
  });

  test('what is written afterwards is seen by one child only', () => {
    const parent = new TestTablet();
    const [here, there] = [idIn('0', 'u'), idIn('1', 'u')];
    parent.apply(calls(order(here, 1), order(there, 2)));
    const { children } = split(parent);
    apply(children[0], [calls(order(here, 3))]);
    expect(numbersOf(children[0], here)).toEqual([1, 3]);
    expect(numbersOf(children[1], there)).toEqual([2]);
    expect(children[1].events.rowCount).toBe(2);
  });

  test('an id merged into a user of the other child is forwarded there, its events stay with the user', () => {
    const parent = new TestTablet();
    const [anonymousId, userId] = [idIn('0', 'a'), idIn('1', 'u')];
    parent.apply(
      calls(order(anonymousId, 1, { known: false }), order(userId, 2), alias(anonymousId, userId)),
    );
    const { children } = split(parent);
    expect(numbersOf(children[1], userId)).toEqual([1, 2]);
    expect(numbersOf(children[0], anonymousId, false)).toBeUndefined();
    const { transfers } = apply(children[0], [calls(order(anonymousId, 3, { known: false }))]);
    expect(transfers).toMatchObject([{ target: '1', record: { source: '0', sequence: 1, userId } }]);
    apply(children[1], [transfers[0]!.record]);
    expect(numbersOf(children[1], userId)).toEqual([1, 2, 3]);
  });

  test('a tablet splits again and again, and refuses only when its account has too many', () => {
    const parent = new TestTablet();
    const id = idIn('0110', 'u');
    parent.apply(calls(order(id, 1)));
    let tablet = parent.tablet;
    for (const bit of [0, 1, 1, 0]) tablet = split({ tablet }).children[bit]!;
    expect([tablet.bits, numbersOf(tablet, id)]).toEqual(['0110', [1]]);
    expect(tablet.account.tree.leaves).toEqual(['00', '010', '0110', '0111', '1']);
    apply(tablet, [{ ...splitOf('1'), tabletsMax: 5 }]);
    expect(tablet.account.tree.has('1')).toBe(true);
  });
});

describe('what was written for the parent', () => {
  test('is taken by the child whose it is', () => {
    const { children } = split(new TestTablet());
    const [here, there] = [idIn('0', 'u'), idIn('1', 'u')];
    const frame = [calls(order(here, 1), order(there, 2), alias(idIn('1', 'a'), there))];
    const effects = children.map((child) => apply(child, frame, ''));
    expect(effects.map(({ accepted }) => accepted)).toEqual([1, 1]);
    expect([numbersOf(children[0], here), numbersOf(children[0], there)]).toEqual([[1], undefined]);
    expect([numbersOf(children[1], here), numbersOf(children[1], there)]).toEqual([undefined, [2]]);
  });

  test('is known to both by its message id', () => {
    const parent = new TestTablet();
    const call = order('u', 1, { messageId: 'm' });
    parent.apply(calls(call));
    const { children } = split(parent);
    expect(children.map((child) => apply(child, [calls(call)]).duplicate)).toEqual([1, 1]);
  });

  test('goes to the heir when it is nobody’s: letters, their end, totals', () => {
    const parent = new TestTablet();
    const letters = [{ reason: 'r', item: '{}', receivedAtMs: T0 }];
    parent.apply({ kind: 'deadLetters', atMs: T0, letters }, calls(order('u', 1)));
    const { children } = split(parent);
    for (const child of children) apply(child, [{ kind: 'deadLetters', atMs: T0, letters }], '');
    expect(children.map(({ deadLetters }) => deadLetters.size)).toEqual([2, 0]);
    expect(children.map(({ totals }) => totals.accepted)).toEqual([1, 0]);
    const counts = children.map(
      ({ schema }) => schema.describe().events.find((e) => e.event === 'Order')!.count,
    );
    expect(counts).toEqual([1, 0]);
    const ids = children[0].deadLetters.list(9).map(({ id }) => id);
    expect(ids.map((id) => children[0].account.tree.heirOf(id.slice(0, id.indexOf('-'))))).toEqual([
      '0',
      '0',
    ]);
    for (const child of children) apply(child, [{ kind: 'deadLetterDone', atMs: T0, ids }], '');
    expect(children[0].deadLetters.size).toBe(0);
  });
});

describe('time', () => {
  test('ends a live membership at its exact moment, in one child', () => {
    const parent = new TestTablet();
    const definition = { event: 'Order', within: { last: '1h' } };
    const value = { definition, live: true };
    parent.apply({ kind: 'control', atMs: T0, what: 'segment', name: 'recent', value });
    const ids = ['0', '1'].map((bits) => idIn(bits, 'u'));
    parent.apply(calls(...ids.map((id, n) => order(id, n))));
    const { children, effects } = split(parent);
    expect(effects.flatMap(({ changes }) => changes)).toEqual([]);
    expect(children.map(({ live }) => live.count('recent'))).toEqual([1, 1]);
    for (const [n, child] of children.entries()) {
      const { changes } = apply(child, [{ kind: 'tick', atMs: T0 + 2 * HOUR_MS }]);
      const user = { known: true, id: ids[n]! };
      expect(changes).toEqual([{ segment: 'recent', user, change: 'exit', atMs: T0 + n + HOUR_MS }]);
    }
  });

  test('makes a delayed message due in one child; one that was handed out is not handed out again', () => {
    const parent = new TestTablet();
    parent.apply(...campaign({ event: 'Order', delay: '1m' }));
    const [anonymousId, userId] = [idIn('0', 'a'), idIn('1', 'u')];
    const first = parent.apply(calls(order(anonymousId, 1, { known: false }), alias(anonymousId, userId)));
    const due = { kind: 'tick', atMs: T0 + 100 + 60 * SECOND_MS } as const;
    expect(first.sends).toEqual([]);
    const { children } = split(parent);
    const sends = children.map((child) => apply(child, [due]).sends);
    expect(sends).toMatchObject([[], [{ user: { known: true, id: userId } }]]);
    expect(children.map(({ outbox }) => outbox.statsOf('c').intended)).toEqual([0, 1]);

    const grandchildren = split({ tablet: children[1] });
    expect(grandchildren.effects.flatMap((effects) => effects.sends)).toEqual([]);
    const home = grandchildren.children.find(({ bits }) => isHome(bits, userId))!;
    expect([...home.outbox.messages()]).toEqual(sends[1]);
  });
});

describe('merges under way', () => {
  /** A user with so many events that they travel in pieces. */
  const EVENTS = 30_000;
  const setUp = () => {
    const [source, target] = [new TestTablet('0'), new TestTablet('1')];
    const [anonymousId, userId] = [idIn('00', 'a'), idIn('10', 'u')];
    const many = Array.from({ length: EVENTS }, (_, n) => order(anonymousId, n, { known: false }));
    target.apply(calls(order(userId, -1)));
    source.apply(calls(...many, alias(anonymousId, userId)));
    const [other, otherUser] = [idIn('01', 'b'), idIn('11', 'v')];
    source.apply(calls(order(other, 1, { known: false }), alias(other, otherUser)));
    return { source: source.tablet, target: target.tablet, anonymousId, userId };
  };
  /** Brings the oldest transfer of this tablet, to the log and to both tablets. */
  const bring = (tablets: readonly Tablet[], source: Tablet) => {
    const [{ target, record }] = source.transfers.pending() as [
      ReturnType<Tablet['transfers']['pending']>[0],
    ];
    apply(tablets.find(({ bits }) => bits === target)!, [record]);
    apply(source, [{ kind: 'transferDone', atMs: record.atMs, target, sequence: record.sequence }]);
  };
  const agree = (tablets: readonly Tablet[]) =>
    epochsAgree(new Map(tablets.map(({ bits, transfers }) => [bits, transfers.epochs()])));

  test.each(['source', 'target', 'both'] as const)('go on when the %s splits in the middle', (who) => {
    const { source, target, anonymousId, userId } = setUp();
    let tablets: readonly Tablet[] = [source, target];
    const splitTablet = (tablet: Tablet) => {
      const others = tablets.filter((other) => other !== tablet);
      const wasPending = others.map((other) => other.transfers.pending().length);
      const brought = others.map((other) => apply(other, [splitOf(tablet.bits)]).transfers.length);
      const isSource = tablet === source;
      expect(brought).toEqual(isSource ? brought.map(() => 0) : wasPending);
      tablets = [...others, ...split({ tablet }).children];
    };
    bring(tablets, source);
    expect(agree(tablets)).toBe(false);
    const [stale] = source.transfers.pending();
    const staleDone = {
      kind: 'transferDone',
      atMs: T0,
      target: '1',
      sequence: stale!.record.sequence,
    } as const;
    if (who !== 'target') splitTablet(source);
    if (who !== 'source') splitTablet(target);
    expect(agree(tablets)).toBe(false);

    // A frame that was on its way is void for both, whoever has split.
    const pending = () => tablets.map(({ transfers }) => transfers.pending().length);
    const before = pending();
    for (const tablet of tablets) {
      if (tablet.bits.startsWith('1')) apply(tablet, [stale!.record], '1');
      else apply(tablet, [staleDone], '0');
    }
    expect(pending()).toEqual(before);

    for (let i = 0; pending().some((count) => count > 0); i++) {
      bring(tablets, tablets.find(({ transfers }) => transfers.pending().length > 0)!);
      expect(i).toBeLessThan(100);
    }
    expect(agree(tablets)).toBe(true);
    const home = tablets.find(({ bits }) => isHome(bits, userId))!;
    const numbers = numbersOf(home, userId) as number[];
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: EVENTS + 1 }, (_, n) => n - 1));
    const left = tablets.filter(({ bits }) => bits.startsWith('0'));
    expect(left.map(({ users }) => users.hereCount)).toEqual(left.map(() => 0));
    expect(left.map(({ users }) => users.forwardOf(anonymousId) ?? '').join('')).toBe(userId);
  });
});
