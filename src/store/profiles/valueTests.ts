import { isoTime } from '../../base/time.ts';
import type { Value } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';
import { MOMENTS_END_MS, momentOf } from './moments.ts';
import type { MomentSpan, NumberRange } from './selectCells.ts';
import type { SharedValues } from './sharedValues.ts';
import type { TraitHeap } from './traitHeap.ts';
import { NO_REF, SHARED_REFS_FROM, UNSET_REF } from './traitRefs.ts';

/** Texts that are compared as bytes; more are looked up by the predicate. */
const TEXTS_COMPARED_MAX = 8;
const TESTS_PER_STEP = 256;

/** What a predicate says of a trait's values: of those that are shared all at once, of others as they come. */
export class ValueTests {
  /** 1 or 0, by reference of a shared value. */
  readonly answers: Uint8Array;
  /** When numbers can be tested by comparing: those that pass. */
  readonly range: NumberRange | undefined;
  /** When moments can be tested by comparing: those that pass. */
  readonly span: MomentSpan | undefined;
  readonly #predicate: ValuePredicate;
  /** When texts can be tested by comparing: those that pass, in UTF-8. */
  readonly #texts: readonly Uint8Array[] | undefined;

  /** Whether no text is read to be tested, only compared. */
  get compareTexts(): boolean {
    return this.#predicate.any === true || this.#texts !== undefined;
  }

  private constructor(predicate: ValuePredicate, refsEnd: number) {
    this.#predicate = predicate;
    this.answers = new Uint8Array(refsEnd);
    this.answers[NO_REF] = this.test(undefined);
    this.answers[UNSET_REF] = this.test(undefined);
    this.range = rangeOf(predicate);
    const texts = predicate.equalTo?.filter((value) => typeof value === 'string');
    this.span = spanOf(predicate, texts);
    if (texts !== undefined && texts.length <= TEXTS_COMPARED_MAX)
      this.#texts = texts.map((text) => Buffer.from(text));
  }

  /** Asks about every shared value, in small steps. */
  static *of(predicate: ValuePredicate, shared: SharedValues): Generator<void, ValueTests> {
    const tests = new ValueTests(predicate, shared.refsEnd);
    for (let ref = SHARED_REFS_FROM; ref < shared.refsEnd; ref++) {
      const value = shared.value(ref);
      if (value !== undefined) tests.answers[ref] = tests.test(value);
      if (ref % TESTS_PER_STEP === 0) yield;
    }
    return tests;
  }

  test(value: Value | undefined): number {
    return Number(value === undefined ? this.#predicate.missing : this.#predicate.test(value));
  }

  testMoment(timeMs: number): number {
    return this.test(isoTime(timeMs));
  }

  /** A test of references into this heap, good until that is changed. */
  ofHeap(heap: TraitHeap): (ref: number) => number {
    if (this.#predicate.any) return () => 1;
    const read = heap.reader();
    const texts = this.#texts;
    if (texts === undefined) return (ref) => this.test(read(ref));
    const [only] = texts;
    if (only !== undefined && texts.length === 1) return heap.equalTo(only, (ref) => this.test(read(ref)));
    return (ref) =>
      heap.isArray(ref) ? this.test(read(ref)) : Number(texts.some((text) => heap.equals(ref, text)));
  }
}

function rangeOf({ equalTo, range, any }: ValuePredicate): NumberRange | undefined {
  if (any) return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const numbers = equalTo?.filter((value) => typeof value === 'number');
  if (numbers === undefined) return range;
  if (numbers.length > 1) return undefined;
  const [only] = numbers;
  return only === undefined ? NO_NUMBERS : { from: only, to: nextAbove(only) };
}

function spanOf({ span, any }: ValuePredicate, texts: readonly string[] | undefined): MomentSpan | undefined {
  if (any) return { fromMs: 0, toMs: MOMENTS_END_MS };
  if (texts === undefined) return span;
  const moments = texts.map(momentOf).filter((moment) => moment !== undefined);
  if (moments.length > 1) return undefined;
  const [only] = moments;
  return only === undefined ? { fromMs: 0, toMs: 0 } : { fromMs: only, toMs: only + 1 };
}

const NO_NUMBERS: NumberRange = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };

/** The smallest double that is larger. */
function nextAbove(number: number): number {
  if (number === 0) return Number.MIN_VALUE;
  const double = new Float64Array([number]);
  new BigInt64Array(double.buffer)[0]! += number > 0 ? 1n : -1n;
  return double[0]!;
}
