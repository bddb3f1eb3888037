import { beforeAll, describe, expect, it } from 'vitest';
import { initHash } from '../base/hash.ts';
import { SeededRandom } from '../base/random.ts';
import { Dedupe } from './dedupe.ts';
import { StateHash } from './stateHash.ts';

beforeAll(initHash);

describe('Dedupe', () => {
  it('knows an id for the window at least, for two at most', () => {
    const dedupe = new Dedupe({ windowMs: 100, idsMax: 1000 });
    expect(dedupe.seen('a', 0)).toBe(false);
    expect(dedupe.seen('b', 99)).toBe(false);
    expect(dedupe.seen('a', 100)).toBe(true);
    expect(dedupe.seen('b', 199)).toBe(true);
    expect(dedupe.seen('b', 200)).toBe(false);
    expect(dedupe.seen('a', 200)).toBe(false);
    expect(() => dedupe.seen('a', 199)).toThrow('does not go back');
  });

  it('forgets the oldest when more ids come than it may hold', () => {
    const dedupe = new Dedupe({ windowMs: 1e9, idsMax: 10 });
    for (let i = 0; i < 20; i++) expect(dedupe.seen(`id${i}`, i)).toBe(false);
    expect(dedupe.count).toBe(20);
    expect(dedupe.seen('id10', 20)).toBe(true);
    expect(dedupe.seen('id0', 20)).toBe(false);
    expect(dedupe.count).toBe(11);
  });

  it('answers exactly as a map of times does, within the window', () => {
    const random = new SeededRandom(3);
    const windowMs = 10_000;
    const dedupe = new Dedupe({ windowMs, idsMax: 1e6 });
    const seenAt = new Map<string, number>();
    let nowMs = 0;
    for (let i = 0; i < 60_000; i++) {
      if (random.chance(0.5)) nowMs++;
      const id = `message-${random.below(20_000)}`;
      const seen = dedupe.seen(id, nowMs);
      const before = seenAt.get(id);
      if (before === undefined) expect(seen).toBe(false);
      else if (nowMs - before < windowMs) expect(seen).toBe(true);
      if (!seen) seenAt.set(id, nowMs);
    }
  });

  it('hands what it knows to both that come of it, which then go their own ways', () => {
    const windowMs = 100;
    const parent = new Dedupe({ windowMs, idsMax: 1e6 });
    parent.seen('old', 0);
    parent.seen('young', windowMs);
    const children = [0, 1].map(() => new Dedupe({ windowMs, idsMax: 1e6 }));
    for (const child of children) child.inherit(parent);
    const [one, other] = children as [Dedupe, Dedupe];
    expect(one.seen('own', windowMs)).toBe(false);
    expect(children.map((child) => child.seen('own', windowMs + 1))).toEqual([true, false]);
    expect(['old', 'young'].map((id) => other.seen(id, windowMs + 1))).toEqual([true, true]);
    // The old generation goes first, the one that the split cut in two after it, whole.
    expect(['young', 'own', 'old'].map((id) => one.seen(id, 2 * windowMs))).toEqual([true, true, false]);
    expect(['young', 'own', 'old'].map((id) => one.seen(id, 3 * windowMs))).toEqual([false, false, true]);
  });

  it('hashes to the same in whatever order the ids came, to another for other ids', () => {
    const hashOf = (ids: readonly string[]) => {
      const dedupe = new Dedupe();
      for (const id of ids) dedupe.seen(id, 5);
      const hash = new StateHash();
      dedupe.hashInto(hash);
      return hash.digest();
    };
    const ids = Array.from({ length: 100 }, (_, i) => `id${i}`);
    expect(hashOf(ids)).toEqual(hashOf([...ids].reverse()));
    expect(hashOf(ids)).not.toEqual(hashOf(ids.slice(1)));
  });
});
