import { beforeAll, expect, test } from 'vitest';
import { initHash, userHash } from '../base/hash.ts';
import { evenPrefixes, PrefixTree, prefixOf } from './placement.ts';

beforeAll(initHash);

test('every user is in one tablet, and users spread evenly', () => {
  const tree = PrefixTree.even(8);
  const counts = new Map<string, number>();
  for (let i = 0; i < 8000; i++) {
    const tablet = tree.tabletOf(`user-${i}`);
    expect(prefixOf(userHash(`user-${i}`), tablet.length)).toBe(tablet);
    counts.set(tablet, (counts.get(tablet) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(evenPrefixes(8));
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('a tree may be uneven, but leaves must cover every hash once', () => {
  const tree = new PrefixTree(['0', '10', '11']);
  expect(tree.find({ hi: 0x7fffffff, lo: 0 })).toBe('0');
  expect(tree.find({ hi: 0xbfffffff, lo: 0 })).toBe('10');
  expect(tree.find({ hi: 0xffffffff, lo: 0 })).toBe('11');
  expect(() => new PrefixTree(['0', '10'])).toThrow('cover');
  expect(() => PrefixTree.even(3)).toThrow('power of two');
});
