import { describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { statisticsOf } from './contract.ts';
import { lz4 } from './lz4.ts';
import { encoded, expectSame } from './oracle.ts';

const place = { file: 'test', offset: 0 };
/** Runs of doubles all of which occur once or a few times: nothing the plain encodings can make small. */
const runs = Float64Array.from(
  { length: 20_001 },
  (_, i) => Math.floor(i / 10) / 7 + (i % 10 === 0 ? 0 : 1e9),
);
const runsOfCodes = Float64Array.from({ length: 65_536 }, (_, i) => (i >>> 7) * 70_000);

describe('lz4', () => {
  it('gives back what it was given, across groups, and filters like a loop', () => {
    for (const values of [runs, runsOfCodes]) {
      const actual = encoded(lz4, values)!;
      expectSame(actual, values);
      const random = new SeededRandom(6);
      for (let i = 0; i < 200; i++) {
        const row = random.below(values.length);
        expect(actual.at(row)).toBe(values[row]);
      }
    }
  });

  it('keeps many chunks apart', () => {
    const chunks = Array.from(
      { length: 50 },
      (_, n) =>
        encoded(
          lz4,
          runs.map((value) => value + n),
        )!,
    );
    for (const row of [0, 9_999, 20_000]) {
      chunks.forEach((chunk, n) => {
        expect(chunk.at(row)).toBe(runs[row]! + n);
      });
    }
  });

  it('declines what it cannot halve', () => {
    const random = new SeededRandom(7);
    const noise = Float64Array.from({ length: 20_000 }, () => random.fraction());
    expect(lz4.analyze(noise, statisticsOf(noise))).toBeUndefined();
    expect(lz4.analyze(runs.slice(0, 100), statisticsOf(runs))).toBeUndefined();
  });

  it('refuses bodies that are not of so many rows, and lengths that do not fit', () => {
    const body = lz4.analyze(runs, statisticsOf(runs))!.encode();
    expect(() => lz4.open(body, 1_000_000, place)).toThrow(DamageError);
    expect(() => lz4.open(body.slice(0, 4), runs.length, place)).toThrow(DamageError);
    expect(() => lz4.open(body.slice(0, -1), runs.length, place)).toThrow(DamageError);
    const hungry = body.slice();
    new DataView(hungry.buffer).setUint32(12, 0xfffffff0, true);
    expect(() => lz4.open(hungry, runs.length, place).at(0)).toThrow(DamageError);
  });
});
