import { expect, it } from 'vitest';
import { Bitset } from './bitset.ts';
import { IdList } from './idList.ts';
import { SeededRandom } from './random.ts';

const ODD = [
  '',
  'ÿ',
  'ä'.repeat(126),
  'ä'.repeat(127),
  'я',
  'a\u{1f600}'.repeat(40),
  '\ud800',
  'x'.repeat(10_000),
];

function someIds(random: SeededRandom, count: number): string[] {
  return Array.from({ length: count }, () =>
    random.chance(0.05) ? random.pick(ODD) : `${random.uint32()}${'-x'.repeat(random.below(20))}`,
  );
}

it('gives back every id, and tells it from others', () => {
  const ids = someIds(new SeededRandom(1), 5000);
  const list = new IdList();
  for (const id of ids) list.push(id);
  expect(list.length).toBe(5000);
  expect(ids.map((_, i) => list.get(i))).toEqual(ids);
  for (const [i, id] of ids.entries()) {
    if (!list.equals(i, id) || list.equals(i, `${id}.`)) expect([i, id]).toBe('told apart');
    const other = ids[(i * 7 + 1) % ids.length]!;
    if (list.equals(i, other) !== (id === other)) expect([i, other]).toBe('told apart');
    const changed = id.replace(/^./s, '!');
    if (list.equals(i, changed) !== (changed === id)) expect([i, id]).toBe('told apart');
  }
});

it('takes over what is here of another list, and grows on', () => {
  const random = new SeededRandom(2);
  const ids = someIds(random, 3000);
  const [list, child] = [new IdList(), new IdList()];
  for (const id of ids) list.push(id);
  const here = new Bitset(ids.length);
  for (let i = 0; i < ids.length; i++) if (random.chance(0.4)) here.add(i);
  for (const _ of child.inherit(list, here));
  child.push('more');
  const expected = [...ids.map((id, i) => (here.has(i) ? id : '')), 'more'];
  expect(expected.map((_, i) => child.get(i))).toEqual(expected);
  expect(child.memoryBytes).toBeLessThan(list.memoryBytes);
});

it('erases an id and leaves the others as they are', () => {
  const random = new SeededRandom(3);
  const ids = someIds(random, 3000);
  const list = new IdList();
  for (const id of ids) list.push(id);
  const isErased = ids.map(() => random.chance(0.3));
  isErased.forEach((erased, i) => {
    if (erased) list.erase(i);
  });
  const expected = ids.map((id, i) => (isErased[i] ? '\0'.repeat(id.length) : id));
  expect(ids.map((_, i) => list.get(i))).toEqual(expected);
});

it('takes little more than the bytes', () => {
  const list = new IdList();
  for (let i = 0; i < 100_000; i++) list.push(`u${1_000_000 + i}`);
  expect(list.memoryBytes / 100_000).toBeLessThan(8 + 1 + 1.5);
});
