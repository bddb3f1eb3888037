import { beforeAll, describe, expect, it } from 'vitest';
import { Bitset } from './bitset.ts';
import { initHash } from './hash.ts';
import { HashPages } from './hashPages.ts';
import { IdTable } from './idTable.ts';
import { SeededRandom } from './random.ts';

beforeAll(initHash);

describe('IdTable', () => {
  it('agrees with a Map while it grows past many splits', () => {
    const random = new SeededRandom(7);
    const ids: string[] = [];
    const table = new IdTable({ equals: (number, id) => ids[number] === id });
    const oracle = new Map<string, number>();
    let wrong = 0;
    for (let i = 0; i < 60_000; i++) {
      const id = `id-${random.below(40_000)}`;
      if (table.find(id) !== (oracle.get(id) ?? -1)) wrong++;
      ids.push(id);
      table.put(id, i);
      oracle.set(id, i);
    }
    for (const [id, number] of oracle) if (table.find(id) !== number) wrong++;
    expect(wrong).toBe(0);
    expect(table.memoryBytes).toBeLessThan(oracle.size * 8 * 2.5);
  });
});

describe('a child of an IdTable', () => {
  it('has the numbers that are here, in less memory, and grows on', () => {
    const ids = Array.from({ length: 30_000 }, (_, i) => `id-${i}`);
    const byNumber = { equals: (number: number, id: string) => ids[number] === id };
    const [table, child] = [0, 1].map(() => new IdTable(byNumber));
    const here = new Bitset(ids.length);
    for (const [number, id] of ids.slice(0, 20_000).entries()) {
      table!.put(id, number);
      if (number % 3 === 0) here.add(number);
    }
    for (const _ of child!.inherit(table!, here));
    expect(child!.memoryBytes).toBeLessThan(table!.memoryBytes * 0.6);
    for (const [number, id] of ids.entries()) {
      const isHere = number < 20_000 && number % 3 === 0;
      if (child!.find(id) !== (isHere ? number : -1)) expect([id, child!.find(id)]).toEqual([id, number]);
      if (!isHere) child!.put(id, number);
    }
    expect(ids.map((id) => child!.find(id))).toEqual([...ids.keys()]);
  });
});

describe('HashPages', () => {
  const collect = (pages: HashPages) => {
    const found: number[] = [];
    pages.forEach((words, at) => {
      found.push(words[at + 1]!);
    });
    return found.sort((a, b) => a - b);
  };
  const insert = (pages: HashPages, hash: number, value: number) => {
    const page = pages.pageOf(hash);
    let at = pages.start(page, hash);
    while (page.words[at + 1] !== 0) at = pages.next(page.words, at);
    page.words[at] = hash;
    page.words[at + 1] = value;
    pages.added(page);
  };
  const expected = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

  it.each([
    ['one hash', () => 0xfedcba98],
    ['hashes that differ in the last bit that picks a page', (i: number) => 0x12340000 + (i & 1) * 0x10000],
    ['hashes that differ in their slots only', (i: number) => i & 0xffff],
    ['hashes in a row', (i: number) => (i * 0x10000) >>> 0],
  ])('keeps every entry under %s', (_, hashOf) => {
    const pages = new HashPages(2);
    for (let i = 0; i < 5_000; i++) insert(pages, hashOf(i), i + 1);
    expect(pages.count).toBe(5_000);
    expect(collect(pages)).toEqual(expected(5_000));
    for (let i = 0; i < 5_000; i += 97) {
      const page = pages.pageOf(hashOf(i));
      let at = pages.start(page, hashOf(i));
      while (page.words[at + 1] !== i + 1 && page.words[at + 1] !== 0) at = pages.next(page.words, at);
      expect(page.words[at + 1]).toBe(i + 1);
    }
  });
});
