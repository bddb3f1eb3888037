import { beforeAll, describe, expect, it } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { initHash } from '../base/hash.ts';
import { SeededRandom } from '../base/random.ts';
import type { UserRef } from '../log/record.ts';
import { StateHash } from './stateHash.ts';
import { Users } from './users.ts';

beforeAll(initHash);

const known = (id: string): UserRef => ({ known: true, id });
const anonymous = (id: string): UserRef => ({ known: false, id });

function hashOf(users: Users) {
  const hash = new StateHash();
  users.hashInto(hash);
  return hash.digest();
}

describe('Users', () => {
  it('numbers users densely and keeps the two name spaces apart', () => {
    const users = new Users();
    expect(users.find(known('a'))).toBe(-1);
    expect(users.ensure(known('a'))).toBe(0);
    expect(users.ensure(anonymous('a'))).toBe(1);
    expect(users.ensure(known('a'))).toBe(0);
    expect(users.count).toBe(2);
    expect([0, 1].map((ordinal) => users.refOf(ordinal))).toEqual([known('a'), anonymous('a')]);
  });

  it('moves along what was merged earlier, in the order of the merges', () => {
    const users = new Users();
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((id) => users.ensure(anonymous(id)));
    users.noteEvent(a!, 70);
    users.noteEvent(c!, 50);
    users.merge(a!, b!);
    users.merge(d!, c!);
    users.merge(e!, c!);
    expect(users.mergedInto(c!)).toEqual([d, e]);
    users.merge(b!, c!);
    expect(users.mergedInto(c!)).toEqual([d, e, a, b]);
    expect(users.mergedInto(b!)).toEqual([]);
    for (const id of ['a', 'b', 'c', 'd', 'e']) expect(users.find(anonymous(id))).toBe(c);
    expect(users.latestEventMs(c!)).toBe(70);
    users.noteEvent(a!, 90);
    expect(users.latestEventMs(c!)).toBe(90);
    expect(() => users.merge(a!, c!)).toThrow('canonical');
    expect(() => users.merge(c!, c!)).toThrow('itself');
  });

  it('gives a foreign user one ordinal of its own, however often it is added', () => {
    const users = new Users();
    const home = users.ensure(known('k'));
    const foreign = users.addForeign('f', home);
    expect(foreign).not.toBe(home);
    expect(users.addForeign('f', home)).toBe(foreign);
    expect(users.find(anonymous('f'))).toBe(home);
    expect(users.mergedInto(home)).toEqual([foreign]);
    // Who owns an anonymous id once owns it for ever.
    expect(users.addForeign('f', users.ensure(known('other')))).toBe(foreign);
    expect(users.find(anonymous('f'))).toBe(home);
  });

  it('forwards an id for ever, also when its user has left', () => {
    const users = new Users();
    const ordinal = users.ensure(anonymous('f'));
    users.noteEvent(ordinal, 5);
    expect(users.forward('f', 'elsewhere')).toBe(true);
    users.forward('f', 'too late');
    expect(users.find(anonymous('f'))).toBe(ordinal);
    users.drop(ordinal);
    expect(users.forwardOf('f')).toBe('elsewhere');
    expect(users.forwardOf('g')).toBe(undefined);
    expect(users.find(anonymous('f'))).toBe(-1);
    expect(users.isGone(ordinal)).toBe(true);
    expect(users.canonical[ordinal]).toBe(ordinal);
    expect(users.retained(ordinal, 0, undefined, false)).toBe(false);
    expect(users.ensure(anonymous('f'))).toBe(ordinal + 1);
  });

  it('erases a user with its ids, of which it knows nothing but in snapshots from before', () => {
    const users = new Users();
    const [a, u] = [users.ensure(anonymous('a')), users.ensure(known('u'))];
    users.noteEvent(u, 5);
    users.merge(a, u);
    const snapshot = users.snapshot();
    for (const _ of users.erase(u));
    expect(users.ensure(known('u'))).toBe(2);
    for (const user of [known('u'), anonymous('a')]) expect(snapshot.find(user)).toBe(u);
    expect([snapshot.refOf(a), snapshot.mergedInto(u), snapshot.isGone(u)]).toEqual([
      anonymous('a'),
      [a],
      false,
    ]);
    snapshot.close();
    expect([users.idOf(a), users.idOf(u), users.idOf(2)]).toEqual(['\0', '\0', 'u']);
    expect(users.find(known('u'))).toBe(2);
    expect(users.find(anonymous('a'))).toBe(-1);
    expect(users.ensure(anonymous('a'))).toBe(3);
    expect([users.goneCount, users.erasedCount]).toEqual([2, 1]);
  });

  it('knows who is forwarded to whom, until that user is erased', () => {
    const random = new SeededRandom(13);
    const users = new Users();
    const model = new Map<string, string>();
    for (let i = 0; i < 5000; i++) {
      const [id, target] = [`a${random.below(300)}`, `u${random.below(40)}`];
      if (random.chance(0.95)) {
        users.forward(id, target);
        if (!model.has(id)) model.set(id, target);
      } else {
        const expected = [...model.keys()].filter((each) => model.get(each) === target);
        expect([...users.forwardedTo(target)].reverse()).toEqual(expected);
        users.eraseForwardsTo(target);
        for (const each of expected) model.delete(each);
      }
    }
    const child = new Users();
    for (const _ of child.inherit(users, new Bitset(0), () => true));
    for (const of of [users, child]) {
      for (let i = 0; i < 300; i++) expect(of.forwardOf(`a${i}`)).toBe(model.get(`a${i}`));
    }
    expect(hashOf(child)).toEqual(hashOf(users));
  });

  it('retains users with an event after now − retention, or with a trait', () => {
    const users = new Users();
    const ordinal = users.ensure(known('a'));
    expect(users.retained(ordinal, 100, undefined, false)).toBe(false);
    expect(users.retained(ordinal, 100, 10, true)).toBe(true);
    users.noteEvent(ordinal, 90);
    expect(users.retained(ordinal, 100, undefined, false)).toBe(true);
    expect(users.retained(ordinal, 100, 10, false)).toBe(false);
    expect(users.retained(ordinal, 99, 10, false)).toBe(true);
    users.merge(ordinal, users.ensure(known('b')));
    expect(users.retained(ordinal, 99, 10, false)).toBe(false);
  });

  it('agrees with an oracle of maps under random operations', () => {
    const random = new SeededRandom(11);
    const users = new Users();
    const groupOf = new Map<string, Set<string>>();
    const name = (user: UserRef) => `${user.known}${user.id}`;
    const add = (user: UserRef) => {
      users.ensure(user);
      if (!groupOf.has(name(user))) groupOf.set(name(user), new Set([name(user)]));
    };
    for (let i = 0; i < 20_000; i++) {
      const a = anonymous(`u${random.below(6000)}`);
      const b = known(`u${random.below(3000)}`);
      add(a);
      add(b);
      const from = users.find(a);
      const to = users.find(b);
      if (random.chance(0.3) && from !== to && !users.refOf(from).known) {
        users.merge(from, to);
        const group = groupOf.get(name(b))!;
        for (const member of groupOf.get(name(a))!) group.add(member);
        for (const member of group) groupOf.set(member, group);
      }
    }
    expect(users.count).toBe(groupOf.size);
    for (let ordinal = 0; ordinal < users.count; ordinal++) {
      const canonical = users.canonical[ordinal]!;
      const group = [canonical, ...users.mergedInto(canonical)].map((member) => name(users.refOf(member)));
      expect(new Set(group)).toEqual(groupOf.get(name(users.refOf(ordinal))));
    }
  });

  it('knows who has events of those who stand for themselves, also after a split', () => {
    const random = new SeededRandom(12);
    const users = new Users();
    const expectBits = (of: Users) => {
      for (let ordinal = 0; ordinal < of.withEvents.length * 32; ordinal++) {
        const isHere = ordinal < of.count && of.canonical[ordinal] === ordinal && !of.isGone(ordinal);
        const expected = isHere && of.latestEventMs(ordinal) !== Number.NEGATIVE_INFINITY;
        expect(((of.withEvents[ordinal >>> 5]! >>> (ordinal & 31)) & 1) === 1).toBe(expected);
      }
    };
    const pick = () => users.canonical[random.below(users.count)]!;
    for (let i = 0; i < 2000; i++) {
      const user = users.ensure(anonymous(`u${random.below(700)}`));
      if (random.chance(0.5)) users.noteEvent(user, random.below(1000));
      const [source, target] = [pick(), pick()];
      if (source !== target && !users.isGone(source) && !users.isGone(target) && random.chance(0.1)) {
        users.merge(source, target);
      }
      if (random.chance(0.05) && !users.isGone(target)) users.drop(target);
    }
    expectBits(users);
    const here = new Bitset(users.count);
    for (let ordinal = 0; ordinal < users.count; ordinal++) {
      if (!users.isGone(ordinal) && users.canonical[ordinal]! % 3 === 0) here.add(ordinal);
    }
    const child = new Users();
    for (const _ of child.inherit(users, here, () => true));
    expectBits(child);
    expect(here.count()).toBeGreaterThan(50);
  });

  it('hashes to the same in another numbering, to another for another state', () => {
    const build = (ids: readonly string[], change: (users: Users) => void = () => {}) => {
      const users = new Users();
      for (const id of ids) users.noteEvent(users.ensure(known(id)), id.charCodeAt(0));
      users.ensure(anonymous('x'));
      change(users);
      return hashOf(users);
    };
    const original = build(['a', 'b', 'c']);
    expect(build(['c', 'a', 'b'])).toEqual(original);
    const changes: ((users: Users) => void)[] = [
      (users) => users.ensure(anonymous('a')),
      (users) => users.noteEvent(users.find(known('a')), 1000),
      (users) => users.merge(users.find(anonymous('x')), users.find(known('a'))),
      (users) => users.merge(users.find(anonymous('x')), users.find(known('b'))),
      (users) => users.drop(users.find(anonymous('x'))),
      (users) => users.forward('x', 'a'),
      (users) => users.forward('x', 'b'),
    ];
    const hashes = changes.map((change) => JSON.stringify(build(['a', 'b', 'c'], change)));
    expect(new Set([...hashes, JSON.stringify(original)]).size).toBe(changes.length + 1);
  });
});
