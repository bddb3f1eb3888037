import { isArray, type Value } from '../base/value.ts';
import type { TextDictionary } from './dictionary.ts';
import type { ValuePredicate } from './part.ts';

/**
 * How a property's value is held: a type tag and, for the types that need one, a number as payload: the number itself,
 * or a code of the tablet's dictionary. The tags are part of the block format.
 */
export const TAG = { missing: 0, number: 1, text: 2, array: 3, false: 4, true: 5 } as const;
export type Tag = (typeof TAG)[keyof typeof TAG];

/** Tags whose values need a payload. */
export const PAYLOAD_TAGS = [TAG.number, TAG.text, TAG.array] as const;
export type PayloadTag = (typeof PAYLOAD_TAGS)[number];

export interface Cell {
  readonly tag: Tag;
  /** 0 where the tag needs none. */
  readonly payload: number;
}

/** undefined when the value needs a new text and the dictionary is full: it is kept as missing. */
export function cellOf(value: Value, dictionary: TextDictionary): Cell | undefined {
  if (typeof value === 'number') return { tag: TAG.number, payload: value };
  if (typeof value === 'boolean') return { tag: value ? TAG.true : TAG.false, payload: 0 };
  const code = isArray(value) ? dictionary.addArray(value) : dictionary.add(value);
  if (code === undefined) return undefined;
  return { tag: isArray(value) ? TAG.array : TAG.text, payload: code };
}

export function cellValue(tag: number, payload: number, dictionary: TextDictionary): Value | undefined {
  switch (tag) {
    case TAG.number:
      return payload;
    case TAG.text:
      return dictionary.text(payload);
    case TAG.array:
      return dictionary.array(payload);
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

export function cellTest(predicate: ValuePredicate, dictionary: TextDictionary): CellTest {
  const passesText = dictionary.textTest(predicate);
  const passesArray = dictionary.arrayTest(predicate);
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
