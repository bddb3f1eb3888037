import { beforeAll, describe, expect, it } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { SeededRandom } from '../../base/random.ts';
import type { Value } from '../../base/value.ts';
import type { TraitOperation } from '../../log/record.ts';
import { StateHash } from '../stateHash.ts';
import { Profiles } from './profiles.ts';

beforeAll(initHash);

const set = (trait: string, value: Value): TraitOperation => ({ op: 'set', trait, value });
const unset = (trait: string): TraitOperation => ({ op: 'unset', trait });

describe('Profiles', () => {
  it('agrees with maps under random sets, unsets and drops, over several pages', () => {
    const random = new SeededRandom(5);
    const profiles = new Profiles();
    const oracle = new Map<number, Map<string, Value>>();
    const setAt = new Map<number, Map<string, number>>();
    const values = ['x', 'y', 1.5, 2, true, ['x', 2]] as const;
    for (let i = 0; i < 30_000; i++) {
      const ordinal = random.below(3000);
      const trait = random.pick(['dense', 'dense', 'dense', 'other', 'rare']);
      if (trait === 'rare' && ordinal % 500 !== 0) continue;
      const traits = oracle.get(ordinal) ?? new Map<string, Value>();
      oracle.set(ordinal, traits);
      const times = setAt.get(ordinal) ?? new Map<string, number>();
      setAt.set(ordinal, times.set(trait, i));
      if (random.chance(0.02)) {
        profiles.drop(ordinal);
        traits.clear();
        times.clear();
      } else if (random.chance(0.2)) {
        profiles.apply(ordinal, unset(trait), i);
        traits.delete(trait);
      } else {
        const value = random.pick<Value>(values);
        profiles.apply(ordinal, set(trait, value), i);
        traits.set(trait, value);
      }
    }
    for (let ordinal = 0; ordinal < 3000; ordinal++) {
      const expected = Object.fromEntries(oracle.get(ordinal) ?? []);
      expect(profiles.all(ordinal)).toEqual(expected);
      expect(profiles.has(ordinal)).toBe(Object.keys(expected).length > 0);
    }
    for (const [ordinal, times] of setAt) {
      for (const [trait, timeMs] of times) {
        const before = profiles.get(ordinal, trait);
        profiles.apply(ordinal, set(trait, 'late'), timeMs - 1);
        expect(profiles.get(ordinal, trait)).toEqual(before);
        profiles.apply(ordinal, set(trait, 'x'), timeMs);
        expect(profiles.get(ordinal, trait)).toBe('x');
        oracle.get(ordinal)!.set(trait, 'x');
        if (ordinal % 2 === 0) continue;
        profiles.apply(ordinal, unset(trait), timeMs);
        oracle.get(ordinal)!.delete(trait);
      }
    }

    const having = (trait: string, test: (value: Value | undefined) => boolean) =>
      [...oracle]
        .flatMap(([ordinal, traits]) => (test(traits.get(trait)) ? [ordinal] : []))
        .sort((a, b) => a - b);
    const isX = (value: Value) => value === 'x';
    for (const trait of ['dense', 'rare']) {
      expect([...profiles.select(trait, { missing: false, test: isX }, 3000)]).toEqual(
        having(trait, (value) => value === 'x'),
      );
      const orMissing = profiles.select(trait, { missing: true, test: isX }, 3000);
      expect([...orMissing].filter((ordinal) => oracle.has(ordinal))).toEqual(
        having(trait, (value) => value === undefined || value === 'x'),
      );
    }
    expect([...profiles.select('dense', { missing: false, test: () => true }, 100)].at(-1)).toBeLessThan(100);
    expect(profiles.select('never', { missing: true, test: isX }, 70).count()).toBe(70);
  });

  it('asks once about a text that repeats', () => {
    const profiles = new Profiles();
    for (let ordinal = 0; ordinal < 100; ordinal++)
      profiles.apply(ordinal, set('plan', `p${ordinal % 3}`), 1);
    const asked: Value[] = [];
    const predicate = { missing: false, test: (value: Value) => asked.push(value) > 0 };
    expect(profiles.select('plan', predicate, 100).count()).toBe(100);
    expect(asked).toEqual(['p0', 'p1', 'p2']);
  });

  it('hands a user on with all that later operations need', () => {
    const source = new Profiles();
    source.apply(7, set('visits', 1), 10);
    source.apply(7, { op: 'increment', trait: 'visits', by: 5 }, 20);
    source.apply(7, { op: 'add', trait: '__proto__', elements: ['a'] }, 20);
    source.apply(7, unset('email'), 30);
    const traits: unknown = JSON.parse(JSON.stringify(source.extract(7)));
    source.drop(7);
    expect(source.extract(7)).toBe(undefined);
    expect(source.has(7)).toBe(false);

    const target = new Profiles();
    target.apply(3, set('visits', 100), 5);
    target.mergeFrom(traits, 3);
    expect(Object.entries(target.all(3))).toEqual([
      ['visits', 105],
      ['__proto__', ['a']],
    ]);
    target.apply(3, set('email', 'late@example.com'), 29);
    expect(target.get(3, 'email')).toBe(undefined);
    target.apply(3, set('visits', 0), 20);
    expect(target.get(3, 'visits')).toBe(0);
  });

  it('hashes by user and state, not by ordinal', () => {
    const hashOf = (order: readonly string[], change: (profiles: Profiles, a: number) => void = () => {}) => {
      const profiles = new Profiles();
      for (const [ordinal, id] of order.entries()) profiles.apply(ordinal, set('name', id), 1);
      change(profiles, order.indexOf('a'));
      const hash = new StateHash();
      profiles.hashInto(hash, { refOf: (ordinal) => ({ known: true, id: order[ordinal]! }) });
      return JSON.stringify(hash.digest());
    };
    expect(hashOf(['a', 'b'])).toBe(hashOf(['b', 'a']));
    const changes: ((profiles: Profiles, a: number) => void)[] = [
      () => {},
      (profiles, a) => profiles.apply(a, set('name', 'a'), 2),
      (profiles, a) => profiles.apply(a, unset('name'), 2),
      (profiles, a) => profiles.apply(a, unset('other'), 2),
      (profiles, a) => profiles.apply(a, { op: 'increment', trait: 'n', by: 1 }, 2),
      (profiles, a) => profiles.apply(a, { op: 'setOnce', trait: 'n', value: 1 }, 2),
      (profiles, a) => profiles.apply(a, { op: 'add', trait: 'n', elements: [1] }, 2),
      (profiles, a) => profiles.apply(a, { op: 'remove', trait: 'n', elements: [1] }, 2),
      (profiles, a) => profiles.drop(a),
    ];
    expect(new Set(changes.map((change) => hashOf(['b', 'a'], change))).size).toBe(changes.length);
  });
});
