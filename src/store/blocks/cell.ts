import { isArray, type Value } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';
import type { LocalTexts } from '../texts/localTexts.ts';
import type { Texts } from '../texts/texts.ts';

/**
 * What a property's value is: a type tag and, for the types that need one, a number as payload: the number itself, or
 * the code of a text, or of an array's JSON text. The tags are part of the block format.
 */
export const TAG = { missing: 0, number: 1, text: 2, array: 3, false: 4, true: 5 } as const;
export type Tag = (typeof TAG)[keyof typeof TAG];

/** Tags whose cells are all alike but for their number; in this order in a block's codes. */
export const SPECIAL_TAGS = [TAG.missing, TAG.number, TAG.false, TAG.true] as const;

/** A tag's bit in a set of tags. */
export function kindOf(tag: number): number {
  return 1 << tag;
}

/** All tags. */
export const KINDS_MAX = 63;

export interface Cell {
  readonly tag: Tag;
  /** 0 where the tag needs none. */
  readonly payload: number;
}

export function cellOf(value: Value, texts: LocalTexts): Cell {
  if (typeof value === 'number') return { tag: TAG.number, payload: value };
  if (typeof value === 'boolean') return { tag: value ? TAG.true : TAG.false, payload: 0 };
  if (isArray(value)) return { tag: TAG.array, payload: texts.addArray(value) };
  return { tag: TAG.text, payload: texts.add(value) };
}

export function cellValue(tag: number, payload: number, texts: Texts): Value | undefined {
  switch (tag) {
    case TAG.number:
      return payload;
    case TAG.text:
      return texts.text(payload);
    case TAG.array:
      return texts.array(payload);
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    default:
      return undefined;
  }
}

/** A predicate as a test of cells. */
export type CellTest = (tag: number, payload: number) => boolean;

export function cellTest(predicate: ValuePredicate, texts: Texts): CellTest {
  const passesText = texts.textTest(predicate);
  const passesArray = texts.arrayTest(predicate);
  const passesFalse = predicate.test(false);
  const passesTrue = predicate.test(true);
  return (tag, payload) => {
    switch (tag) {
      case TAG.number:
        return predicate.test(payload);
      case TAG.text:
        return passesText(payload);
      case TAG.array:
        return passesArray(payload);
      case TAG.false:
        return passesFalse;
      case TAG.true:
        return passesTrue;
      default:
        return predicate.missing;
    }
  };
}
