import { ctz32 } from '../../base/bitset.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { isMoment, momentIn, NAN_WORD } from './nans.ts';
import type { Lanes } from './traitLanes.ts';
import { HEAP_REFS_FROM, MOMENT_CELL, NO_REF, NUMBER_CELL } from './traitRefs.ts';

/** What a predicate says of cells. Answers are 1 or 0. */
export interface CellTests {
  /** By reference below HEAP_REFS_FROM. */
  readonly answers: Uint8Array;
  /** When given, the numbers in it are those that pass. */
  readonly range: NumberRange | undefined;
  /** When given, the moments in it are those that pass. */
  readonly span: MomentSpan | undefined;
  testNumber(number: number): number;
  testMoment(timeMs: number): number;
  readonly testHeap: (ref: number) => number;
}

/** from <= number < to */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** fromMs <= time < toMs */
export interface MomentSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a page has at most. */
const refs = new Uint32Array(1 << 9);

// The answer about lane i goes to bit i of `words`, of which ⌈lanes / 32⌉ are written whole.

/** Lanes below HEAP_REFS_FROM are references; of the others those from `first` to `last` pass. */
export function selectIntegers(
  lanes: Uint32Array,
  first: number,
  last: number,
  answers: Uint8Array,
  words: Uint32Array,
): void {
  const { length } = lanes;
  const wordCount = (length + 31) >>> 5;
  const bytes = new Uint8Array(lanes.buffer, lanes.byteOffset, lanes.byteLength);
  if (first <= last) kernels().selectRange(bytes, 32, first, last, length, words);
  else words.fill(0, 0, wordCount);
  // Most references are to nothing, which rarely passes.
  const firstRef = answers[NO_REF] === 1 ? NO_REF : NO_REF + 1;
  kernels().selectRange(bytes, 32, firstRef, HEAP_REFS_FROM - 1, length, refs);
  for (let w = 0; w < wordCount; w++) {
    for (let word = refs[w]!; word !== 0; word &= word - 1) {
      const bit = ctz32(word);
      words[w]! |= answers[lanes[32 * w + bit]!]! << bit;
    }
  }
}

/** NaNs are references, in the lower of their `halves`; other numbers are compared. */
export function selectDoubles(
  doubles: Float64Array,
  halves: Uint32Array,
  { from, to }: NumberRange,
  answers: Uint8Array,
  words: Uint32Array,
): void {
  for (let start = 0; start < doubles.length; start += 32) {
    const end = Math.min(doubles.length, start + 32);
    let word = 0;
    for (let i = start; i < end; i++) {
      const double = doubles[i]!;
      // Without a branch, which no processor could foresee.
      let answer = Number(double >= from) & Number(double < to);
      if (Number.isNaN(double)) answer = answers[halves[2 * i]!]!;
      word |= answer << (i & 31);
    }
    words[start >>> 5] = word;
  }
}

/** Doubles as in nans.ts, none of which refers to a heap. Moments are compared; numbers are few. */
export function selectMoments(
  doubles: Float64Array,
  halves: Uint32Array,
  { fromMs, toMs }: MomentSpan,
  tests: CellTests,
  words: Uint32Array,
): void {
  for (let start = 0; start < doubles.length; start += 32) {
    const end = Math.min(doubles.length, start + 32);
    let word = 0;
    for (let i = start; i < end; i++) {
      const upper = halves[2 * i + 1]!;
      const lower = halves[2 * i]!;
      let answer: number;
      if (isMoment(upper)) {
        const timeMs = momentIn(upper, lower);
        answer = Number(timeMs >= fromMs) & Number(timeMs < toMs);
      } else answer = upper === NAN_WORD ? tests.answers[lower]! : tests.testNumber(doubles[i]!);
      word |= answer << (i & 31);
    }
    words[start >>> 5] = word;
  }
}

/** References, some of them into the heap. */
export function selectRefs(refs: Uint32Array, { answers, testHeap }: CellTests, words: Uint32Array): void {
  for (let start = 0; start < refs.length; start += 32) {
    const end = Math.min(refs.length, start + 32);
    let word = 0;
    for (let i = start; i < end; i++) {
      const ref = refs[i]!;
      word |= (ref < HEAP_REFS_FROM ? answers[ref]! : testHeap(ref)) << (i & 31);
    }
    words[start >>> 5] = word;
  }
}

/** What the other loops do not test: references into the heap, numbers that are not compared. Of places [from, to). */
export function selectEach(
  lanes: Lanes,
  tests: CellTests,
  from: number,
  to: number,
  words: Uint32Array,
): void {
  for (let start = from; start < to; start += 32) {
    const end = Math.min(to, start + 32);
    let word = 0;
    for (let i = start; i < end; i++) word |= answerAt(lanes, tests, i) << (i & 31);
    words[(start - from) >>> 5] = word;
  }
}

function answerAt(lanes: Lanes, tests: CellTests, i: number): number {
  const ref = lanes.refAt(i);
  if (ref === NUMBER_CELL) return tests.testNumber(lanes.numberAt(i));
  if (ref === MOMENT_CELL) return tests.testMoment(lanes.momentAt(i));
  return ref < HEAP_REFS_FROM ? tests.answers[ref]! : tests.testHeap(ref);
}
