import { describe, expect, it } from 'vitest';
import { DamageError } from '../../base/errors.ts';
import { SeededRandom } from '../../base/random.ts';
import { decimalsOf, decimalTexts } from './decimals.ts';
import { TextListBuilder, textAt } from './localTexts.ts';

const PLACE = { file: 'a test', offset: 0 };

function encoded(texts: readonly string[]) {
  const builder = new TextListBuilder();
  for (const text of texts) builder.add(text);
  return decimalsOf(builder.list(), 0, texts.length);
}

function decoded({ width, plain }: { width: number; plain: Buffer }, count: number): string[] {
  const list = decimalTexts(plain, count, width, PLACE);
  return Array.from({ length: count }, (_, i) => textAt(list, i));
}

describe('decimals', () => {
  it('come back exactly, in as few bytes as the largest difference takes', () => {
    const random = new SeededRandom(1);
    const lists: [string[], number][] = [
      [['0'], 1],
      [['7', '262'], 1],
      [['7', '263'], 2],
      [['1000000000', '1000000001'], 1],
      [['0', '999999999999999'], 7],
      [Array.from({ length: 1000 }, () => String(Math.floor(random.fraction() * 10 ** random.below(15)))), 6],
    ];
    for (const [texts, widthMax] of lists) {
      const bytes = encoded(texts)!;
      expect(bytes.width).toBeLessThanOrEqual(widthMax);
      expect(bytes.plain.length).toBe(8 + bytes.width * texts.length);
      expect(decoded(bytes, texts.length)).toEqual(texts);
    }
  });

  it('are only what JavaScript would write the same', () => {
    for (const text of ['', '00', '01', '-1', '+1', '1.5', '1e3', ' 1', '1000000000000000', '١', 'a']) {
      expect(encoded([text])).toBeUndefined();
      expect(encoded(['1', text, '2'])).toBeUndefined();
    }
  });

  it('refuse bytes that are none', () => {
    const { width, plain } = encoded(['1', '300'])!;
    const wrong: [Buffer, number, number][] = [
      [plain, 3, width],
      [plain, 2, 0],
      [plain, 2, 8],
      [plain.subarray(0, 7), 2, width],
    ];
    for (const min of [-1, 0.5, NaN, Infinity, 1e15]) {
      const changed = Buffer.from(plain);
      changed.writeDoubleLE(min);
      wrong.push([changed, 2, width]);
    }
    for (const [bytes, count, bytesWidth] of wrong) {
      expect(() => decimalTexts(bytes, count, bytesWidth, PLACE)).toThrow(DamageError);
    }
  });
});
