import { describe, expect, it } from 'vitest';
import { TEXT_BYTES_MAX } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import { NO_CODE, TextDictionary } from './dictionary.ts';
import { TextListBuilder } from './localTexts.ts';
import { columnTexts, wellFormed } from './testTexts.ts';

/** Enough for some hundred groups, in random order and many more than once. */
function mixedTexts(seed: number): string[] {
  const random = new SeededRandom(seed);
  const texts = Object.values(columnTexts(seed)).flat();
  return Array.from({ length: 20_000 }, () => random.pick(texts));
}

describe('text dictionary', () => {
  it('gives every text one code, growing from 0', () => {
    const dictionary = new TextDictionary();
    const texts = ['', 'a', 'é', '🙂', 'a', '', `${'x'.repeat(1000)}`];
    expect(texts.map((text) => dictionary.add(text))).toEqual([0, 1, 2, 3, 1, 0, 4]);
    expect(texts.map((text) => dictionary.text(dictionary.find(text)!))).toEqual(texts);
    expect(dictionary.find('b')).toBeUndefined();
    expect(dictionary.count).toBe(5);
  });

  it('keeps U+FFFD for a lone surrogate, and finds no text that has one', () => {
    const dictionary = new TextDictionary();
    expect(dictionary.add('a\ud800')).toBe(0);
    expect(dictionary.add('a\udc00')).toBe(0);
    expect(dictionary.text(0)).toBe('a\ufffd');
    expect(dictionary.find('a\ufffd')).toBe(0);
    expect(dictionary.find('a\ud800')).toBeUndefined();
  });

  it('finds no text that is longer than any kept', () => {
    const dictionary = new TextDictionary();
    expect(dictionary.find('語'.repeat(TEXT_BYTES_MAX))).toBeUndefined();
    expect(dictionary.find('語'.repeat(TEXT_BYTES_MAX + 1))).toBeUndefined();
    expect(() => dictionary.add('語'.repeat(TEXT_BYTES_MAX / 2))).toThrow('within its limit');
  });

  it('keeps codes across groups and while its index grows', () => {
    const dictionary = new TextDictionary();
    const added = mixedTexts(1).map(wellFormed);
    const texts = [...new Set(added)];
    const codes = new Map(texts.map((text, code) => [text, code]));
    expect(added.map((text) => dictionary.add(text))).toEqual(added.map((text) => codes.get(text)));
    expect(dictionary.count).toBe(texts.length);
    expect(texts.map((text) => dictionary.find(text))).toEqual([...codes.values()]);
    expect(texts.map((_, code) => dictionary.text(code))).toEqual(texts);
    expect(texts.filter((text) => dictionary.find(`${text}!`) !== undefined)).toEqual([]);
  });

  it('adds a list in steps as one by one, also from other bytes at hand in between', () => {
    const texts = mixedTexts(2);
    const list = new TextListBuilder();
    for (const text of texts) list.add(text);
    const one = new TextDictionary(3000);
    const codes = texts.map((text) => one.add(text) ?? NO_CODE);
    const other = new TextDictionary(3000);
    const steps = other.addSteps(list.list());
    let step = steps.next();
    let stepCount = 0;
    for (; step.done !== true; step = steps.next()) {
      other.find('at hand instead');
      stepCount++;
    }
    expect([...step.value]).toEqual(codes);
    expect(codes).toContain(NO_CODE);
    expect(other.refusedCount).toBe(one.refusedCount);
    expect(stepCount).toBeGreaterThan(100);
  });

  it('forks into one that goes its own way', () => {
    const texts = [...new Set(mixedTexts(3).map(wellFormed))];
    const dictionary = new TextDictionary();
    for (const text of texts) dictionary.add(text);
    const fork = dictionary.fork();
    for (let i = 0; i < 3000; i++) {
      expect(fork.add(`fork ${i}`)).toBe(texts.length + i);
      expect(dictionary.add(`original ${i}`)).toBe(texts.length + i);
    }
    expect(dictionary.find('fork 0')).toBeUndefined();
    expect(fork.find('original 0')).toBeUndefined();
    expect(texts.map((text) => fork.find(text))).toEqual(texts.map((_, code) => code));
    expect(texts.map((_, code) => dictionary.text(code))).toEqual(texts);
    expect(fork.text(texts.length + 7)).toBe('fork 7');
  });

  it('takes about half of the texts and an index', () => {
    const texts = new Set(columnTexts(4).decimals!);
    const dictionary = new TextDictionary();
    for (const text of texts) dictionary.add(text);
    const rawBytes = [...texts].join('').length;
    const indexBytes = dictionary.memoryBytes - rawBytes * 0.55;
    // Twice its size at the most, while it grows.
    expect(indexBytes / texts.size).toBeLessThan(14);
    expect(indexBytes / texts.size).toBeGreaterThan(4);
  });

  it('keeps arrays by their JSON text', () => {
    const dictionary = new TextDictionary();
    const array = ['a', 1.5, false, '"', '\ud800'];
    expect(dictionary.array(dictionary.addArray(array)!)).toEqual(array);
    expect(dictionary.addArray([...array])).toBe(0);
  });

  it('refuses new texts when full, and counts them', () => {
    const dictionary = new TextDictionary(2);
    const codes = ['a', 'b', 'c', 'a', 'd'].map((text) => dictionary.add(text));
    expect(codes).toEqual([0, 1, undefined, 0, undefined]);
    expect(dictionary.refusedCount).toBe(2);
  });

  it('asks a predicate once per text, as text and as array apart', () => {
    const dictionary = new TextDictionary();
    const asked: unknown[] = [];
    const predicate = {
      missing: false,
      test: (value: unknown) => asked.push(value) > 0 && value === '["a"]',
    };
    const code = dictionary.add('["a"]')!;
    for (let i = 0; i < 3; i++) {
      expect(dictionary.textTest(predicate)(code)).toBe(true);
      expect(dictionary.arrayTest(predicate)(code)).toBe(false);
    }
    expect(asked).toEqual(['["a"]', ['a']]);
    const later = dictionary.add('later')!;
    expect(dictionary.textTest(predicate)(later)).toBe(false);
    expect(dictionary.textTest(predicate)(later + 1)).toBe(false);
    expect(asked.length).toBe(3);
  });
});
