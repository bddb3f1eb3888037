import { describe, expect, it } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { SeededRandom } from '../base/random.ts';
import { encodeChunk } from './chunk.ts';
import { type Column, openColumnSteps } from './column.ts';
import { type Filter, passes, type Values } from './contract.ts';
import { expectSame, vectors } from './oracle.ts';
import type { Temperature } from './picker.ts';

const CHUNK_ROWS = 256;

function columnOf(values: Values, temperature: Temperature = 'hot'): Column {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < values.length; from += CHUNK_ROWS) {
    chunks.push(encodeChunk(values.subarray(from, from + CHUNK_ROWS), temperature));
  }
  const bytes = new Uint8Array(Buffer.concat([new Uint8Array(8), ...chunks]));
  const steps = openColumnSteps(bytes, 8, values.length, CHUNK_ROWS, 'test');
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

describe('column', () => {
  it('is its values, over any number of chunks', () => {
    const random = new SeededRandom(8);
    const long = Float64Array.from({ length: 2000 }, (_, i) => (i < 700 ? 3 : random.below(1 + i)));
    for (const values of [long, long.slice(0, 512), ...vectors(random)]) {
      const column = columnOf(values, random.pick(['hot', 'cold']));
      const decoded = new Float64Array(values.length);
      column.decode(0, values.length, decoded);
      expectSame(decoded, Float64Array.from(values));
      expect(column.min === Math.min(...values)).toBe(true);
      expect(column.max === Math.max(...values)).toBe(true);
      const row = random.below(values.length);
      expect(column.at(row)).toBe(values[row]);
      const part = new Float64Array(values.length - row);
      column.decode(row, values.length, part);
      expectSame(part, Float64Array.from(values.slice(row)));
      const rows = Uint32Array.from(values.keys()).filter(() => random.chance(0.4));
      const gathered = new Float64Array(rows.length);
      column.gather(rows, gathered);
      expectSame(
        gathered,
        Float64Array.from(rows, (row) => values[row]!),
      );
    }
  });

  it('selects like a loop, also where a chunk is skipped or taken whole', () => {
    const values = Float64Array.from({ length: 1500 }, (_, i) => (i < 600 ? 5 : i));
    const column = columnOf(values);
    const filters: Filter[] = [
      { kind: 'range', from: 0, to: 700 },
      { kind: 'range', from: 700, to: 1400 },
      { kind: 'range', from: 2000, to: 3000 },
      { kind: 'in', values: new Set([5, 1499]) },
      { kind: 'in', values: new Set([-1]) },
      { kind: 'test', test: (value) => value % 3 === 0 },
    ];
    for (const filter of filters) {
      const expected = [...values.keys()].filter((row) => passes(filter, values[row]!));
      expect([...column.select(filter)]).toEqual(expected);
      // Some of the first chunk's rows, none of the second's, all of the third's.
      const rows = new Bitset(values.length);
      for (const row of values.keys()) if (row < 256 ? row % 3 === 0 : row >= 512) rows.add(row);
      const both = expected.filter((row) => rows.has(row));
      column.and(rows, filter);
      expect([...rows]).toEqual(both);
    }
  });

  it('has no chunks without values', () => {
    const column = columnOf(new Float64Array(0));
    expect(column.rowCount).toBe(0);
    expect(column.min).toBe(Number.POSITIVE_INFINITY);
  });
});
