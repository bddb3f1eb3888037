import { beforeAll, describe, expect, it } from 'vitest';
import { initHash } from '../base/hash.ts';
import { SetHash, StateHash } from './stateHash.ts';

beforeAll(initHash);

describe('StateHash', () => {
  it('tells apart kinds, bits, order and nesting', () => {
    const different = [
      new StateHash(),
      new StateHash().text(''),
      new StateHash().text('1'),
      new StateHash().number(1),
      new StateHash().boolean(true),
      new StateHash().boolean(false),
      new StateHash().number(0),
      new StateHash().number(-0),
      new StateHash().number(Number.NEGATIVE_INFINITY),
      new StateHash().text('a').text('b'),
      new StateHash().text('b').text('a'),
      new StateHash().text('ab'),
      new StateHash().value(['a', 'b']),
      new StateHash().value(['a']).value('b'),
      new StateHash().value([]),
      new StateHash().set(new SetHash()),
    ].map((hash) => JSON.stringify(hash.digest()));
    expect(new Set(different).size).toBe(different.length);
    expect(new StateHash().value(['x', 1, true]).digest()).toEqual(
      new StateHash().value(['x', 1, true]).digest(),
    );
  });

  it('takes any number of items, each of which counts', () => {
    const hashOf = (count: number, changed: number) => {
      const hash = new StateHash();
      for (let i = 0; i < count; i++) hash.number(i === changed ? -1 : i);
      return JSON.stringify(hash.digest());
    };
    const digests = new Set([hashOf(999, -1), hashOf(1000, -1)]);
    for (let changed = 0; changed < 1000; changed += 9) digests.add(hashOf(1000, changed));
    expect(digests.size).toBe(2 + Math.ceil(1000 / 9));
    expect(hashOf(1000, 5)).toBe(hashOf(1000, 5));
  });
});

describe('SetHash', () => {
  const hashOf = (texts: readonly string[]) => {
    const set = new SetHash();
    const member = new StateHash();
    for (const text of texts) set.add(member.text(text));
    return new StateHash().set(set).digest();
  };

  it('does not see the order, but sees how often', () => {
    const texts = Array.from({ length: 100 }, (_, i) => `t${i}`);
    expect(hashOf(texts)).toEqual(hashOf([...texts].reverse()));
    expect(hashOf(['a', 'a'])).not.toEqual(hashOf([]));
    expect(hashOf(['a', 'a', 'b'])).not.toEqual(hashOf(['a', 'b', 'b']));
  });

  it('adds with carry', () => {
    const set = new SetHash();
    set.addHash({ hi: 1, lo: 0xffffffff });
    set.addHash({ hi: 0xffffffff, lo: 2 });
    expect([set.hi, set.lo]).toEqual([1, 1]);
  });
});
