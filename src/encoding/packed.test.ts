import { describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { statisticsOf } from './contract.ts';
import { encoded, expectSame, vectors } from './oracle.ts';
import { packed } from './packed.ts';

const bytesOf = (values: Float64Array) => packed.analyze(values, statisticsOf(values))?.bytes;
const place = { file: 'test', offset: 0 };

describe('packed', () => {
  it('gives back what it was given, and filters like a loop', () => {
    let taken = 0;
    for (const values of vectors(1)) {
      const actual = encoded(packed, values);
      if (actual === undefined) continue;
      expectSame(actual, values);
      taken++;
    }
    expect(taken).toBeGreaterThan(60);
  });

  it('declines what base + unit * code cannot hold exactly', () => {
    for (const value of [0.5, -0, 2 ** 53, 1e300]) {
      expect(encoded(packed, Float64Array.of(1, value))).toBeUndefined();
    }
    expect(encoded(packed, Float64Array.of(0, 1, 0x100000000))).toBeUndefined();
    expect(
      encoded(packed, Float64Array.of(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
    ).toBeUndefined();
  });

  it('divides by what all differences have in common', () => {
    const minutes = Float64Array.from({ length: 800 }, (_, i) => 1_600_000_000_000 + (i % 200) * 60_000);
    expect(bytesOf(minutes)).toBe(24 + 800);
    expect(bytesOf(Float64Array.of(5, 0xffff_ffff * 3 + 5))).toBe(24 + 8);
  });

  it('takes lanes of every width', () => {
    const bits = [1, 2, 4, 8, 16, 32].map((width) => {
      const values = Float64Array.from({ length: 64 }, (_, i) => (i < 63 ? i % 2 : 2 ** width - 1));
      return (bytesOf(values)! - 24) / 8;
    });
    expect(bits).toEqual([1, 2, 4, 8, 16, 32]);
  });

  it('refuses bodies of another length or lane', () => {
    const body = packed.analyze(Float64Array.of(1, 2, 3), { min: 1, max: 3, whole: true })!.encode();
    expect(() => packed.open(body, 1000, place)).toThrow(DamageError);
    expect(() => packed.open(body.slice(0, 20), 3, place)).toThrow(DamageError);
    const strange = body.slice();
    strange[20] = 3;
    expect(() => packed.open(strange, 3, place)).toThrow(DamageError);
  });
});
