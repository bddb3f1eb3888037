import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { TextIndex } from './textIndex.ts';

/** Numbers in place of texts: what is looked for, and what has which code. */
class Numbers {
  readonly added: number[] = [];
  readonly index: TextIndex;
  readonly #hashOf: (value: number) => number;
  #wanted = -1;
  lookCount = 0;

  constructor(hashOf: (value: number) => number) {
    this.#hashOf = hashOf;
    this.index = new TextIndex({
      hashAt: (code) => this.#hashOf(this.added[code]!),
      isWanted: (code) => {
        this.lookCount++;
        return this.added[code] === this.#wanted;
      },
    });
  }

  find(value: number): number | undefined {
    this.#wanted = value;
    return this.index.find(this.#hashOf(value));
  }

  add(value: number): void {
    this.added.push(value);
    this.index.add(this.#hashOf(value));
  }
}

function spread(value: number): number {
  return new SeededRandom(value).uint32();
}

describe('text index', () => {
  it('finds every code, and nothing else, at any size and in the middle of growing', () => {
    const numbers = new Numbers(spread);
    for (let value = 0; value < 3000; value++) {
      const earlier = Math.floor(value / 3);
      const before = numbers.find(value);
      numbers.add(value);
      expect([before, numbers.find(value), numbers.find(earlier)]).toEqual([undefined, value, earlier]);
    }
    const values = Array.from({ length: 3000 }, (_, value) => value);
    expect(values.map((value) => numbers.find(value))).toEqual(values);
  });

  it('looks at few texts besides the right one, and takes little more than a slot for each', () => {
    const numbers = new Numbers(spread);
    for (let value = 0; value < 20_000; value++) numbers.add(value);
    numbers.lookCount = 0;
    for (let value = 20_000; value < 30_000; value++) numbers.find(value);
    expect(numbers.lookCount).toBeLessThan(100);
    const slotsPerText = numbers.index.memoryBytes / 4 / 20_000;
    expect(slotsPerText).toBeGreaterThan(1 / 0.85);
    expect(slotsPerText).toBeLessThan(1 / 0.65 + 0.05);
  });

  it('stays right when all hashes are alike', () => {
    for (const hash of [0, 0xffffffff, 0x80000001]) {
      const numbers = new Numbers(() => hash);
      for (let value = 0; value < 300; value++) numbers.add(value);
      for (let value = 0; value < 300; value++) expect(numbers.find(value)).toBe(value);
      expect(numbers.find(300)).toBeUndefined();
    }
  });

  it('is copied at any moment of growing', () => {
    const numbers = new Numbers(spread);
    for (let value = 0; value < 200; value++) {
      numbers.add(value);
      const copy = numbers.index.fork({ hashAt: (code) => spread(code), isWanted: (code) => code === 0 });
      expect(copy.find(spread(0))).toBe(0);
      copy.add(spread(1000));
      expect(numbers.find(1000)).toBeUndefined();
    }
  });
});
