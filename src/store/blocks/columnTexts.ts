import type { Scalar, Value } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';
import type { TextHeap } from '../texts/textHeap.ts';
import type { Texts } from '../texts/texts.ts';
import type { ColumnShape } from './blockFormat.ts';

/** The texts of a block's column: some in the tablet's dictionary, some in a heap of its own. See blockFormat.ts. */
export interface ColumnTexts {
  readonly shape: ColumnShape;
  /** The tablet's; undefined when nobody is going to ask for texts. */
  readonly dictionary: Texts | undefined;
  /** The dictionary's code of the column's i-th text that it has. */
  readonly sharedCode: (i: number) => number;
  readonly heap: TextHeap | undefined;
}

/** The column's i-th text or array. */
export function textOrArray({ shape, dictionary, sharedCode, heap }: ColumnTexts, i: number): Value {
  const { texts, arrays } = shape;
  if (i < texts.shared) return dictionary!.text(sharedCode(i));
  if (i < texts.shared + texts.own) return heap!.text(i - texts.shared);
  const array = i - texts.shared - texts.own;
  if (array < arrays.shared) return dictionary!.array(sharedCode(texts.shared + array));
  return heap!.array(texts.own + array - arrays.shared);
}

/** Texts asked about, or looked up, between two yields. */
const ASKED_PER_STEP = 1024;

/** passing[i] = 1 for each of the column's texts and arrays that satisfies the predicate. Yields between small steps. */
export function* markPassingSteps(
  of: ColumnTexts,
  predicate: ValuePredicate,
  passing: Uint8Array,
): Generator<void> {
  const { texts, arrays } = of.shape;
  if (predicate.equalTo === undefined) {
    if (texts.shared > 0)
      yield* markSteps(of.dictionary!.textTest(predicate), of.sharedCode, 0, texts.shared, passing, 0);
    if (texts.own > 0)
      yield* markSteps(of.heap!.textTest(predicate), same, 0, texts.own, passing, texts.shared);
  } else {
    yield* markEqualSteps(of, predicate.equalTo, passing);
  }
  const at = texts.shared + texts.own;
  if (arrays.shared > 0) {
    const test = of.dictionary!.arrayTest(predicate);
    yield* markSteps(test, of.sharedCode, texts.shared, arrays.shared, passing, at);
  }
  if (arrays.own > 0) {
    const test = of.heap!.arrayTest(predicate);
    yield* markSteps(test, same, texts.own, arrays.own, passing, at + arrays.shared);
  }
}

/** passing[at + i] = 1 where the test holds for the code of the text `first` + i, for i < count. */
function* markSteps(
  test: (code: number) => boolean,
  codeOf: (i: number) => number,
  first: number,
  count: number,
  passing: Uint8Array,
  at: number,
): Generator<void> {
  for (let i = 0; i < count; i++) {
    if (test(codeOf(first + i))) passing[at + i] = 1;
    if (i % ASKED_PER_STEP === ASKED_PER_STEP - 1) yield;
  }
}

function same(i: number): number {
  return i;
}

/** The same for texts that are one of these. */
function* markEqualSteps(
  { shape, dictionary, sharedCode, heap }: ColumnTexts,
  scalars: readonly Scalar[],
  passing: Uint8Array,
): Generator<void> {
  const { shared, own } = shape.texts;
  const wanted = new Set<number>();
  for (const [i, text] of scalars.entries()) {
    if (i % ASKED_PER_STEP === ASKED_PER_STEP - 1) yield;
    if (typeof text !== 'string') continue;
    const code = shared > 0 ? dictionary!.find(text) : undefined;
    if (code !== undefined) wanted.add(code);
    // Texts come before arrays, whose JSON may read the same.
    const found = own > 0 ? heap!.find(text) : undefined;
    if (found !== undefined && found < own) passing[shared + found] = 1;
  }
  if (wanted.size > 0) yield* markSteps((code) => wanted.has(code), sharedCode, 0, shared, passing, 0);
}
