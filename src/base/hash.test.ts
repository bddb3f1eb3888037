import { describe, expect, it } from 'vitest';
import { hash64, hash64Into, hash128Into, hashBytes, initHash, sampleBucket } from './hash.ts';
import { SeededRandom } from './random.ts';

describe('hash', () => {
  it('asserts that it was initialised', async () => {
    expect(() => hash64('a')).toThrow('initHash');
    await initHash();
    await initHash();
    expect(hash64('a')).toEqual({ hi: 0xd24ec4f1, lo: 0xa98c6e5b });
  });

  // From the specification's reference implementation.
  it.each([
    ['', 0xef46db37, 0x51d8e999],
    ['abc', 0x44bc2cf5, 0xad770999],
    ['Nobody inspects the spammish repetition', 0xfbcea83c, 0x8a378bf1],
  ])('matches the test vector of %j', (text, hi, lo) => {
    expect(hash64(text)).toEqual({ hi, lo });
  });

  it('hashes a text as its UTF-8', () => {
    for (const text of ['a', 'é', '☃', '😀', 'x'.repeat(70_000), '☃'.repeat(30_000)]) {
      expect(hash64(text)).toEqual(hashBytes(new TextEncoder().encode(text)));
    }
  });

  it('writes the same halves into an array, and other ones for the second seed', () => {
    const target = new Uint32Array(4);
    const { hi, lo } = hash64('someone');
    hash64Into(target, 'someone');
    expect([...target]).toEqual([hi, lo, 0, 0]);
    hash128Into(target, 'someone');
    expect([...target.subarray(0, 2)]).toEqual([hi, lo]);
    expect([...target.subarray(2)]).not.toEqual([hi, lo]);
  });

  it('takes the 64-bit remainder exactly', () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 1000; i++) {
      const id = `user-${random.uint32()}`;
      const { hi, lo } = hash64(`${id}:salt`);
      const exact = Number(((BigInt(hi) << 32n) | BigInt(lo)) % 10_000n);
      expect(sampleBucket(id, 'salt')).toBe(exact);
    }
  });
});
