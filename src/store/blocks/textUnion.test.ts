import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { TextListBuilder, textAt, textCount } from '../texts/localTexts.ts';
import { finished } from './testBlocks.ts';
import { TextUnion } from './textUnion.ts';

it('has every text once, and says where each is', () => {
  const random = new SeededRandom(1);
  const union = new TextUnion();
  const texts = Array.from({ length: 3 }, () =>
    Array.from({ length: 2000 }, () => random.pick(['', 'ä', 'text ', 'longer text ']) + random.below(900)),
  );
  const numbers = texts.map((list) => {
    const builder = new TextListBuilder();
    for (const text of list) builder.add(text);
    return finished(union.addSteps(builder.list()));
  });
  const all = union.list();
  expect(textCount(all)).toBe(new Set(texts.flat()).size);
  texts.forEach((list, l) => {
    expect(Array.from(numbers[l]!, (number) => textAt(all, number))).toEqual(list);
  });
});
