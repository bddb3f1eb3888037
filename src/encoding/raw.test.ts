import { describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { encoded, expectSame, vectors } from './oracle.ts';
import { raw } from './raw.ts';

describe('raw', () => {
  it('gives back what it was given, and filters like a loop', () => {
    for (const values of vectors(3)) expectSame(encoded(raw, values)!, values);
  });

  it('refuses bodies of another length', () => {
    expect(() => raw.open(new Uint8Array(16), 3, { file: 'test', offset: 0 })).toThrow(DamageError);
  });
});
