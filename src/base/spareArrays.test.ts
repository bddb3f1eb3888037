import { afterAll, beforeAll, expect, it } from 'vitest';
import { SeededRandom } from './random.ts';
import { lendMemory, roomForArraysBytes, SpareArrays, takenArrayBytes } from './spareArrays.ts';

const memory = new Uint8Array(new ArrayBuffer(1 << 16), 100, 10_000);

beforeAll(() => lendMemory(memory));
afterAll(() => lendMemory(new Uint8Array(0)));

it('gives arrays that do not overlap, and takes them back', () => {
  const random = new SeededRandom(1);
  const arrays = new SpareArrays();
  let held: (Uint8Array | Uint32Array | Float64Array)[] = [];
  for (let round = 0; round < 2000; round++) {
    const length = random.below(300);
    const array = arrays[random.pick(['bytes', 'words', 'numbers'] as const)](length);
    array.fill(round % 256);
    for (const each of held) expect(each.every((value) => value === each[0])).toBe(true);
    held.push(array);
    if (held.length > 8) {
      const [gone, kept] = [held.filter((_, i) => i % 3 === 0), held.filter((_, i) => i % 3 !== 0)];
      arrays.giveBack(...gone);
      held = kept;
    }
  }
  arrays.giveBackAll();
  expect(takenArrayBytes()).toBe(0);
});

it('makes arrays of their own where there is no room', () => {
  const arrays = new SpareArrays();
  const [first, second] = [arrays.counts(2000), arrays.counts(2000)];
  expect(first.buffer).toBe(memory.buffer);
  expect(second.buffer).not.toBe(memory.buffer);
  expect([...first, ...second].every((count) => count === 0)).toBe(true);
  arrays.giveBackAll();
  const again = new SpareArrays().words(2400);
  expect(again.buffer).toBe(memory.buffer);
  expect(takenArrayBytes()).toBe(9600);
});

it('says for how much there is room', () => {
  const arrays = new SpareArrays();
  const room = roomForArraysBytes();
  arrays.bytes(room);
  expect(roomForArraysBytes()).toBeLessThan(64);
  arrays.giveBackAll();
  expect(roomForArraysBytes()).toBe(room);
});

it('takes nothing back twice, nor what it never gave', () => {
  const [mine, other] = [new SpareArrays(), new SpareArrays()];
  const before = takenArrayBytes();
  const array = mine.words(4);
  other.giveBack(array, new Uint32Array(4));
  expect(takenArrayBytes()).toBe(before + 64);
  mine.giveBack(array);
  mine.giveBack(array);
  expect(takenArrayBytes()).toBe(before);
});
