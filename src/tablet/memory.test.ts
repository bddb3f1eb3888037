import { expect, test } from 'vitest';
import { bytesByName, bytesByPart, memoryBytes, sumOfMemory } from './memory.ts';

const memory = sumOfMemory([
  { head: 1, profiles: { plan: 10, email: 20 } },
  { head: 2, profiles: { plan: 30, age: 40 } },
]);

test('sums tablets by part, and within parts by name', () => {
  expect(memory).toEqual({ head: 3, profiles: { plan: 40, email: 20, age: 40 } });
});

test('is told by part, by name, and in all', () => {
  expect(bytesByPart(memory)).toEqual({ head: 3, profiles: 100 });
  expect(bytesByName(memory)).toEqual({ profiles: { plan: 40, email: 20, age: 40 } });
  expect(memoryBytes(memory)).toBe(103);
});

test('takes names as they come', () => {
  const hostile = JSON.parse('{"__proto__": 1, "constructor": 2}') as Record<string, number>;
  const sum = sumOfMemory([{ profiles: hostile }, { profiles: hostile }]);
  expect(Object.entries(bytesByName(sum).profiles!)).toEqual([
    ['__proto__', 2],
    ['constructor', 4],
  ]);
});
