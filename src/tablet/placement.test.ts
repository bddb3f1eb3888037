import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { bitOf, childrenOf, evenPrefixes, isHome, PrefixTree } from './placement.ts';

beforeAll(initHash);

test('every user is in one tablet, and users spread evenly', () => {
  const tree = PrefixTree.even(8);
  const counts = new Map<string, number>();
  for (let i = 0; i < 8000; i++) {
    const tablet = tree.tabletOf(`user-${i}`);
    expect(tree.leaves.filter((leaf) => isHome(leaf, `user-${i}`))).toEqual([tablet]);
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

test('a leaf splits by the next bit, down to the last one', () => {
  let [tree, leaf] = [PrefixTree.even(2), '0'];
  while (leaf.length < 32) {
    tree = tree.split(leaf);
    const children = childrenOf(leaf);
    expect([tree.has(leaf), tree.under(leaf)]).toEqual([false, children]);
    leaf = children[leaf.length % 2]!;
  }
  expect(tree.leaves.length).toBe(33);
  for (let i = 0; i < 100; i++) {
    const home = tree.tabletOf(`user-${i}`);
    const parent = home.slice(0, -1);
    expect(isHome(home, `user-${i}`)).toBe(true);
    expect(childrenOf(parent)[bitOf(`user-${i}`, parent.length)]).toBe(home);
  }
});

test('the heir of a tablet is the first that came of it, or what it is to come of', () => {
  const tree = new PrefixTree(['000', '001', '01', '1']);
  expect(['', '0', '00', '01', '10'].map((tablet) => tree.heirOf(tablet))).toEqual([
    '000',
    '000',
    '000',
    '01',
    '1',
  ]);
});
