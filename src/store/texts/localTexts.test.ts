import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEAD_TEXT_BYTES_MAX } from '../../base/limits.ts';
import { LocalTexts, TextListBuilder, textAt, textCount } from './localTexts.ts';
import { anyText, wellFormed } from './testTexts.ts';

describe('text list', () => {
  it('gives back what was added, and stays as it is while more is', () => {
    fc.assert(
      fc.property(fc.array(anyText), fc.array(anyText), (texts, later) => {
        const builder = new TextListBuilder();
        for (const text of texts) builder.add(text);
        const list = builder.list();
        for (const text of later) builder.add(text);
        const copy = structuredClone(list);
        expect(Array.from({ length: textCount(list) }, (_, i) => textAt(copy, i))).toEqual(
          texts.map(wellFormed),
        );
        expect(textCount(builder.list())).toBe(texts.length + later.length);
      }),
    );
  });
});

describe('local texts', () => {
  it('give every text one code, growing from 0', () => {
    fc.assert(
      fc.property(fc.array(anyText, { size: 'large' }), (texts) => {
        const local = new LocalTexts();
        const codes = new Map<string, number>();
        for (const text of texts.map(wellFormed)) if (!codes.has(text)) codes.set(text, codes.size);
        for (const text of texts) {
          const code = codes.get(wellFormed(text))!;
          expect(local.add(text)).toBe(code);
          expect(local.text(code)).toBe(wellFormed(text));
        }
        expect(local.count).toBe(codes.size);
        for (const text of texts) {
          expect(local.find(text)).toBe(text === wellFormed(text) ? codes.get(text) : undefined);
        }
        const list = local.list();
        expect(Array.from({ length: textCount(list) }, (_, i) => textAt(list, i))).toEqual([...codes.keys()]);
      }),
      { numRuns: 20 },
    );
  });

  it('keep arrays by their JSON text, lone surrogates included', () => {
    const local = new LocalTexts();
    const array = ['a', 1.5, false, '"', '\ud800', 'x'.repeat(100_000)];
    expect(local.array(local.addArray(array))).toEqual(array);
    expect(local.addArray([...array])).toBe(0);
  });

  it('are full at their limit, and finish the row all the same', () => {
    const local = new LocalTexts();
    const long = 'x'.repeat(1_000_000);
    for (let i = 0; !local.isFull; i++) expect(local.add(long + i)).toBe(i);
    expect(local.memoryBytes).toBeGreaterThanOrEqual(HEAD_TEXT_BYTES_MAX);
    expect(local.add('one more')).toBe(local.count - 1);
    expect(local.find('one more')).toBe(local.count - 1);
  });

  it('ask a predicate once per text', () => {
    const local = new LocalTexts();
    const asked: unknown[] = [];
    const predicate = { missing: false, test: (value: unknown) => asked.push(value) > 0 && value === 'a' };
    const codes = ['a', 'b', 'a'].map((text) => local.add(text));
    expect(codes.map((code) => local.textTest(predicate)(code))).toEqual([true, false, true]);
    expect(asked).toEqual(['a', 'b']);
  });
});
