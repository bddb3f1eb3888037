import { describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { Chunk, encodeChunk } from './chunk.ts';
import { type Column, openColumnSteps } from './column.ts';
import { type Filter, passes } from './contract.ts';
import { vectors } from './oracle.ts';
import type { Temperature } from './picker.ts';

const CHUNK_ROWS = 256;

function columnOf(values: Float64Array, temperature: Temperature = 'hot'): Column {
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
    for (const values of [long, long.slice(0, 512), ...vectors(8)]) {
      const column = columnOf(values, random.pick(['hot', 'cold']));
      const decoded = new Float64Array(values.length);
      column.decode(0, values.length, decoded);
      expect(decoded).toEqual(values);
      expect(column.min === Math.min(...values)).toBe(true);
      expect(column.max === Math.max(...values)).toBe(true);
      const row = random.below(values.length);
      expect(column.at(row)).toBe(values[row]);
      const part = new Float64Array(values.length - row);
      column.decode(row, values.length, part);
      expect(part).toEqual(values.slice(row));
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
    }
  });

  it('ranks like a loop', () => {
    const random = new SeededRandom(9);
    for (const length of [1, 256, 1000, 1024]) {
      const values = Float64Array.from({ length }, () => random.below(4));
      const column = columnOf(values);
      for (let row = 0; row < length; row++) {
        const expected = values.slice(0, row).filter((value) => value === 2).length;
        expect(column.rank(2, row)).toBe(expected);
      }
    }
  });

  it('has no chunks without values', () => {
    const column = columnOf(new Float64Array(0));
    expect(column.rowCount).toBe(0);
    expect(column.min).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('chunk', () => {
  it('notices every flipped bit and every cut', () => {
    const chunk = encodeChunk(
      Float64Array.from({ length: 50 }, (_, i) => i * 3),
      'hot',
    );
    const bodyEnd = 32 + new DataView(chunk.buffer).getUint32(12, true);
    for (let bit = 0; bit < bodyEnd * 8; bit++) {
      const damaged = chunk.slice();
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      expect(() => new Chunk(damaged, 0, 'test'), `bit ${bit}`).toThrow(DamageError);
    }
    for (let length = 0; length < bodyEnd; length++) {
      expect(() => new Chunk(chunk.slice(0, length), 0, 'test')).toThrow(DamageError);
    }
  });

  it('names the file and the offset', () => {
    const chunk = encodeChunk(Float64Array.of(1, 2, 3), 'hot');
    const bytes = new Uint8Array(16 + chunk.length);
    bytes.set(chunk, 16);
    bytes[20] = 9;
    expect(() => new Chunk(bytes, 16, 'a block')).toThrow(/a block is damaged at byte 16/);
  });
});
