import { describe, expect, it } from 'vitest';
import { TextDictionary } from './dictionary.ts';

describe('text dictionary', () => {
  it('gives every text one code, growing from 0', () => {
    const dictionary = new TextDictionary();
    const texts = ['', 'a', 'é', '🙂', '\ud800', 'a', '', `${'x'.repeat(1000)}`];
    expect(texts.map((text) => dictionary.add(text))).toEqual([0, 1, 2, 3, 4, 1, 0, 5]);
    expect(texts.map((text) => dictionary.text(dictionary.find(text)!))).toEqual(texts);
    expect(dictionary.find('b')).toBeUndefined();
    expect(dictionary.size).toBe(6);
    expect(dictionary.memoryBytes).toBeGreaterThan(1000);
  });

  it('keeps arrays by their JSON text', () => {
    const dictionary = new TextDictionary();
    const array = ['a', 1.5, false, '"'];
    expect(dictionary.array(dictionary.addArray(array)!)).toEqual(array);
    expect(dictionary.addArray([...array])).toBe(0);
  });

  it('refuses new texts when full, and counts them', () => {
    const dictionary = new TextDictionary(2);
    expect(['a', 'b', 'c', 'a', 'd'].map((text) => dictionary.add(text))).toEqual([
      0,
      1,
      undefined,
      0,
      undefined,
    ]);
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
