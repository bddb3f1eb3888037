import { describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { statisticsOf } from './contract.ts';
import { dictionary } from './dictionary.ts';
import { encoded, expectSame, vectors } from './oracle.ts';

const place = { file: 'test', offset: 0 };

describe('dictionary', () => {
  it('gives back what it was given, and filters like a loop', () => {
    let taken = 0;
    for (const values of vectors(4)) {
      const actual = encoded(dictionary, values);
      if (actual === undefined) continue;
      expectSame(actual, values);
      taken++;
    }
    expect(taken).toBeGreaterThan(60);
  });

  it('holds as many distinct values as half the rows', () => {
    const random = new SeededRandom(5);
    const distinct = Array.from({ length: 3000 }, () => random.fraction());
    expectSame(
      encoded(dictionary, Float64Array.from([...distinct, ...distinct]))!,
      Float64Array.from([...distinct, ...distinct]),
    );
    expect(encoded(dictionary, Float64Array.from([...distinct, ...distinct, 2, 3, 4]))).toBeUndefined();
  });

  it('asks a test once per distinct value', () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => (i % 5) / 10);
    const asked: number[] = [];
    const test = (value: number) => asked.push(value) > 0;
    encoded(dictionary, values)!.select({ kind: 'test', test }, new Uint32Array(32));
    expect(asked).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
  });

  it('refuses bodies that are not of so many rows', () => {
    const values = Float64Array.of(1.5, 2.5, 1.5, 2.5);
    const body = dictionary.analyze(values, statisticsOf(values))!.encode();
    expect(() => dictionary.open(body, 400, place)).toThrow(DamageError);
    expect(() => dictionary.open(body.slice(0, 10), 4, place)).toThrow(DamageError);
    for (const [at, value] of [
      [0, 9],
      [4, 5],
      [5, 3],
      [8, 200],
    ] as const) {
      const strange = body.slice();
      strange[at] = value;
      expect(() => dictionary.open(strange, 4, place)).toThrow(DamageError);
    }
  });
});
