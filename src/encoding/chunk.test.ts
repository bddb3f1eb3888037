import { describe, expect, it } from 'vitest';
import { crc32c } from '../base/crc32c.ts';
import { DamageError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { Chunk, encodeChunk } from './chunk.ts';
import { expectClassRuns, expectRows, expectSelects, vectors } from './oracle.ts';

/** Mutations tried; more with MUTATIONS=1000000 in the environment. */
const MUTATIONS = Number(process.env.MUTATIONS ?? 10_000);

describe('chunk', () => {
  it.each(['hot', 'warm', 'cold'] as const)(
    'gives any values back, %s, and filters like a loop',
    (temperature) => {
      const random = new SeededRandom(1);
      for (const values of vectors(random)) {
        const bytes = encodeChunk(values, temperature);
        const chunk = new Chunk(bytes, 0, 'test');
        expect(chunk.rowCount).toBe(values.length);
        expect(chunk.byteLength).toBe(bytes.length);
        expect(chunk.min === Math.min(...values)).toBe(true);
        expect(chunk.max === Math.max(...values)).toBe(true);
        expectRows(chunk, values, random);
        expectSelects(chunk, values, random);
        expectClassRuns(chunk, values, random);
      }
    },
  );

  it('refuses NaN and infinities', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => encodeChunk(Float64Array.of(1, value), 'hot')).toThrow(/finite/);
    }
  });

  it('takes few bytes beside the codes', () => {
    expect(encodeChunk(new Uint32Array(5000).fill(12), 'hot').length).toBeLessThanOrEqual(12);
    const eighths = Uint32Array.from({ length: 3000 }, (_, i) => (i * i) % 7);
    expect(encodeChunk(eighths, 'hot').length).toBeLessThanOrEqual((3000 * 3) / 8 + 16);
  });

  it('notices every flipped bit and every cut', () => {
    const bytes = encodeChunk(
      Uint32Array.from({ length: 50 }, (_, i) => (i * i) % 11),
      'hot',
    );
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      expect(() => new Chunk(damaged, 0, 'test'), `bit ${bit}`).toThrow(DamageError);
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => new Chunk(bytes.slice(0, length), 0, 'test')).toThrow(DamageError);
    }
  });

  it('names the file and the offset', () => {
    const chunk = encodeChunk(Float64Array.of(1, 2, 3), 'hot');
    const bytes = new Uint8Array(13 + chunk.length);
    bytes.set(chunk, 13);
    bytes[20]! ^= 9;
    expect(() => new Chunk(bytes, 13, 'a block')).toThrow(/a block is damaged at byte 13/);
  });

  it('is refused, or agrees with itself, whatever its bytes and even if the checksum fits', () => {
    const random = new SeededRandom(2);
    const originals = vectors(random)
      .filter((values) => values.length <= 300)
      .map((values) => encodeChunk(values, random.pick(['hot', 'cold'])));
    let opened = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutated(random.pick(originals), random);
      new DataView(bytes.buffer).setUint32(0, crc32c(bytes.subarray(4)), true);
      if (agreesWithItself(bytes, random)) opened++;
    }
    expect(opened).toBeGreaterThan(MUTATIONS / 20);
    expect(opened).toBeLessThan(MUTATIONS);
  });
});

/** Mostly where the structure is: in the first bytes. */
function mutated(original: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = random.chance(0.1) ? original.slice(0, 5 + random.below(original.length)) : original.slice();
  for (let i = 1 + random.below(3); i > 0; i--) {
    const end = random.chance(0.7) ? Math.min(bytes.length, 40) : bytes.length;
    const at = 4 + random.below(end - 4);
    bytes[at] = random.chance(0.5) ? bytes[at]! ^ (1 << random.below(8)) : random.below(256);
  }
  return bytes;
}

/** False when it is refused. */
function agreesWithItself(bytes: Uint8Array, random: SeededRandom): boolean {
  try {
    const chunk = new Chunk(bytes, 0, 'test');
    const values = new Float64Array(chunk.rowCount);
    chunk.decode(0, chunk.rowCount, values);
    if (values.length > 2000) return true;
    expectRows(chunk, values, random);
    expectSelects(chunk, values, random);
    return true;
  } catch (error) {
    if (error instanceof DamageError) return false;
    throw error;
  }
}
