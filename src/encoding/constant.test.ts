import { describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { constant } from './constant.ts';
import { encoded, expectSame, vectors } from './oracle.ts';

describe('constant', () => {
  it('gives back what it was given, and filters like a loop', () => {
    for (const values of vectors(2)) {
      const actual = encoded(constant, values);
      expect(actual !== undefined).toBe(values.every((value) => Object.is(value, values[0])));
      if (actual !== undefined) expectSame(actual, values);
    }
  });

  it('refuses bodies of another length', () => {
    expect(() => constant.open(new Uint8Array(7), 3, { file: 'test', offset: 0 })).toThrow(DamageError);
  });
});
