import { expect, test } from 'vitest';
import { methods } from '../shard/methods/methods.ts';
import { METHODS } from './methods.ts';

test('every method has a role, and whatever has a role is a method', () => {
  const carried = [...METHODS.keys()].filter((name) => name !== 'ingest.batch');
  expect(carried.sort()).toEqual(Object.keys(methods).sort());
});
