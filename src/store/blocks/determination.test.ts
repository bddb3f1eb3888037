import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { expectPart, type PlainRow } from '../oracle.ts';
import { TextDictionary } from '../texts/dictionary.ts';
import { readBlock } from './blockDirectory.ts';
import { determinationSteps } from './determination.ts';
import { compact, finished, seal, sorted } from './testBlocks.ts';

describe('determination', () => {
  it('is a map and its exceptions', () => {
    const random = new SeededRandom(1);
    const codes = Uint32Array.from({ length: 5000 }, () => random.below(50));
    const values = Float64Array.from(codes, (code) => (random.chance(0.97) ? [-0, 0, 1.5][code % 3]! : 7));
    const found = finished(determinationSteps(values, codes, 50))!;
    const again = Float64Array.from(codes, (code) => found.map[code]!);
    found.exceptionRows.forEach((row, i) => {
      again[row] = found.exceptionValues[i]!;
    });
    expect([...again]).toEqual([...values]);
    expect(found.exceptionRows.length).toBe(values.filter((value) => value === 7).length);
    expect([...found.exceptionRows]).toEqual([...found.exceptionRows].sort((a, b) => a - b));
    const unrelated = values.map(() => random.below(9));
    expect(finished(determinationSteps(unrelated, codes, 50))).toBeUndefined();
  });

  it('is found between columns of a block, which answer as before', () => {
    const random = new SeededRandom(2);
    const rows: PlainRow[] = Array.from({ length: 4000 }, (_, i) => {
      const product = random.below(200);
      return {
        ordinal: random.below(50) * 2,
        eventCode: i % 4,
        timeMs: Date.UTC(2026, 5, 1) + i,
        properties: [
          [0, `text ${product % 7}`],
          [1, product * 0.25],
          [4, `product ${product}`],
          [5, random.chance(0.99) ? `name ${product % 90}` : random.chance(0.5)],
          [6, random.below(50)],
        ],
      };
    });
    const dictionary = new TextDictionary();
    const [block] = compact(seal(rows, dictionary, { chunkRows: 1024 }), dictionary, { chunkRows: 1024 });
    const columns = readBlock(block!.bytes, 'test').columns;
    const by = columns.map(({ codes, numbers }) => (codes ?? numbers)!.determined?.by);
    expect(by).toEqual([2, 2, undefined, 2, undefined]);
    expectPart(block!, sorted(rows), random);
    const [again] = compact([block!], dictionary, { chunkRows: 1024 });
    expect(again!.bytes).toEqual(block!.bytes);
  });
});
