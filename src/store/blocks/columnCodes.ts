import { type TextList, textCount } from '../texts/localTexts.ts';
import type { ColumnShape, TextCounts } from './blockFormat.ts';
import type { BlockJob } from './blockJob.ts';
import { kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import type { Draft } from './drafts.ts';

/** Cells looked at between two yields. */
const STEP_CELLS = 1 << 15;
/**
 * Texts that so many cells have each, on average, go into the tablet's dictionary: a query finds them there at once,
 * and blocks do not repeat them. Where it has other texts of the property already, they follow sooner.
 */
const CELLS_PER_SHARED_TEXT = 64;
const CELLS_PER_SHARED_TEXT_MORE = 4;
const NONE = 0xffffffff;

/** What the numbers of a draft's texts mean: codes of the tablet's dictionary, and after them texts. */
export class DraftTexts {
  readonly codes: Uint32Array;
  readonly list: TextList;
  /** Per number, and NONE between two uses: the code in the column that is being made. */
  readonly columnCodes: Uint32Array;
  /** Number of a text that becomes shared → its number among those of the job. */
  readonly sharedNumbers = new Map<number, number>();

  constructor(codes: Uint32Array, list: TextList) {
    this.codes = codes;
    this.list = list;
    this.columnCodes = new Uint32Array(codes.length + textCount(list)).fill(NONE);
  }

  get count(): number {
    return this.columnCodes.length;
  }
}

/** A column as a block has it (blockFormat.ts), before its numbers are encoded. */
export interface CodedColumn extends ColumnShape {
  readonly rowCount: number;
  /** A code a row; undefined when all are equal. */
  readonly codes: Uint32Array | undefined;
  readonly numbers: Float64Array | undefined;
  /** Numbers of DraftTexts: texts, then arrays. */
  readonly sharedTexts: Uint32Array;
  readonly ownTexts: Uint32Array;
}

/**
 * Gives each of the draft's cells its code: texts in the order of their first appearance. Texts that are in the
 * dictionary stay there, and others join them when they are common.
 */
export function* codeSteps(
  draft: Draft,
  texts: DraftTexts,
  { ownTextsOnly, sharedProperties }: Pick<BlockJob, 'ownTextsOnly' | 'sharedProperties'>,
): Generator<void, CodedColumn> {
  const { propertyCode, eventSet, rowCount } = draft;
  const counts = draft.tagCounts.slice();
  counts[TAG.missing] = rowCount - draft.tags.length;
  const kinds = counts.reduce((kinds, count, tag) => (count === 0 ? kinds : kinds | kindOf(tag)), 0);
  const numberCount = counts[TAG.number]!;
  const isPlain = numberCount === rowCount;
  const codes = isPlain ? new Uint32Array(0) : new Uint32Array(rowCount);
  let codeCount = isPlain ? 0 : yield* codeSpecialsSteps(draft, kinds, codes);

  const found: { texts: Uint32Array; arrays: Uint32Array } = { texts: NO_TEXTS, arrays: NO_TEXTS };
  if (counts[TAG.text]! > 0) found.texts = yield* codeTextsSteps(draft, TAG.text, texts, codes, codeCount);
  codeCount += found.texts.length;
  if (counts[TAG.array]! > 0) found.arrays = yield* codeTextsSteps(draft, TAG.array, texts, codes, codeCount);
  codeCount += found.arrays.length;

  const cellsPerText = (counts[TAG.text]! + counts[TAG.array]!) / (found.texts.length + found.arrays.length);
  const areShared = texts.codes.length > 0 || sharedProperties.includes(propertyCode);
  const isCommon = cellsPerText >= (areShared ? CELLS_PER_SHARED_TEXT_MORE : CELLS_PER_SHARED_TEXT);
  const sharedEnd = isCommon && !ownTextsOnly ? texts.count : texts.codes.length;
  const ofTexts = part(found.texts, sharedEnd);
  const ofArrays = part(found.arrays, sharedEnd);
  yield* moveSteps(codes, codeCount - found.texts.length - found.arrays.length, ofTexts, ofArrays);
  return {
    propertyCode,
    eventSet,
    rowCount,
    kinds,
    numberCount,
    texts: countsOf(ofTexts),
    arrays: countsOf(ofArrays),
    codes: codeCount > 1 ? codes : undefined,
    numbers: numbersOf(draft, numberCount),
    sharedTexts: joined(ofTexts.shared, ofArrays.shared),
    ownTexts: joined(ofTexts.own, ofArrays.own),
  };
}

const NO_TEXTS = new Uint32Array(0);

/** How many codes they take. That of rows without a cell is 0, and there already. */
function* codeSpecialsSteps(draft: Draft, kinds: number, codes: Uint32Array): Generator<void, number> {
  let codeCount = 0;
  for (const tag of SPECIAL_TAGS) {
    if ((kinds & kindOf(tag)) === 0) continue;
    if (tag !== TAG.missing) {
      for (let from = 0; from < draft.tags.length; from += STEP_CELLS) {
        codeSpecial(draft, tag, codeCount, codes, from, Math.min(from + STEP_CELLS, draft.tags.length));
        yield;
      }
    }
    codeCount++;
  }
  return codeCount;
}

function codeSpecial(
  { rows, tags }: Draft,
  tag: number,
  code: number,
  codes: Uint32Array,
  from: number,
  to: number,
): void {
  for (let cell = from; cell < to; cell++)
    if (tags[cell] === tag) codes[rows === undefined ? cell : rows[cell]!] = code;
}

/** The texts' numbers in the order of their codes, which begin at `firstCode`. */
function* codeTextsSteps(
  draft: Draft,
  tag: number,
  texts: DraftTexts,
  codes: Uint32Array,
  firstCode: number,
): Generator<void, Uint32Array> {
  const found = new Uint32Array(Math.min(draft.tags.length, texts.count));
  let count = 0;
  for (let from = 0; from < draft.tags.length; from += STEP_CELLS) {
    const to = Math.min(from + STEP_CELLS, draft.tags.length);
    count =
      draft.rows === undefined && draft.tagCounts[tag] === draft.tags.length
        ? codeAllTexts(draft.payloads, texts.columnCodes, codes, firstCode, found, count, from, to)
        : codeTexts(draft, tag, texts.columnCodes, codes, firstCode, found, count, from, to);
    yield;
  }
  for (let i = 0; i < count; i++) texts.columnCodes[found[i]!] = NONE;
  return found.subarray(0, count);
}

/** Where every row has a text. */
function codeAllTexts(
  payloads: Float64Array,
  columnCodes: Uint32Array,
  codes: Uint32Array,
  firstCode: number,
  found: Uint32Array,
  foundCount: number,
  from: number,
  to: number,
): number {
  let count = foundCount;
  for (let row = from; row < to; row++) {
    // As an integer, which is what an index is to the engine.
    const number = payloads[row]! | 0;
    let code = columnCodes[number]!;
    if (code === NONE) {
      code = firstCode + count;
      columnCodes[number] = code;
      found[count++] = number;
    }
    codes[row] = code;
  }
  return count;
}

function codeTexts(
  { rows, tags, payloads }: Draft,
  tag: number,
  columnCodes: Uint32Array,
  codes: Uint32Array,
  firstCode: number,
  found: Uint32Array,
  foundCount: number,
  from: number,
  to: number,
): number {
  let count = foundCount;
  for (let cell = from; cell < to; cell++) {
    if (tags[cell] !== tag) continue;
    const number = payloads[cell]!;
    let code = columnCodes[number]!;
    if (code === NONE) {
      code = firstCode + count;
      columnCodes[number] = code;
      found[count++] = number;
    }
    codes[rows === undefined ? cell : rows[cell]!] = code;
  }
  return count;
}

interface Parted {
  readonly shared: Uint32Array;
  readonly own: Uint32Array;
  /** Where there are both: of each text, in the order they were found, its place once the shared ones come first. */
  readonly places: Uint32Array;
}

/** Those below `sharedEnd` are shared. */
function part(found: Uint32Array, sharedEnd: number): Parted {
  if (sharedEnd === 0) return { shared: NO_TEXTS, own: found, places: NO_TEXTS };
  const shared = found.filter((number) => number < sharedEnd);
  const own = found.filter((number) => number >= sharedEnd);
  const places = new Uint32Array(found.length);
  let sharedPlace = 0;
  let ownPlace = shared.length;
  for (let i = 0; i < found.length; i++) places[i] = found[i]! < sharedEnd ? sharedPlace++ : ownPlace++;
  return { shared, own, places };
}

function countsOf({ shared, own }: Parted): TextCounts {
  return { shared: shared.length, own: own.length };
}

/** Lets codes follow their texts, where a column has both kinds. */
function* moveSteps(
  codes: Uint32Array,
  specials: number,
  ...parts: readonly Parted[]
): Generator<void, void> {
  if (parts.every(({ shared, own }) => shared.length === 0 || own.length === 0)) return;
  const moved: number[] = Array.from({ length: specials }, (_, code) => code);
  for (const { places } of parts) {
    const first = moved.length;
    for (const place of places) moved.push(first + place);
  }
  const table = Uint32Array.from(moved);
  for (let from = 0; from < codes.length; from += STEP_CELLS) {
    const step = codes.subarray(from, from + STEP_CELLS);
    for (let i = 0; i < step.length; i++) step[i] = table[step[i]!]!;
    yield;
  }
}

function numbersOf({ tags, payloads }: Draft, count: number): Float64Array | undefined {
  if (count === 0) return undefined;
  if (count === tags.length) return payloads;
  const numbers = new Float64Array(count);
  let at = 0;
  for (let cell = 0; cell < tags.length; cell++) {
    if (tags[cell] === TAG.number) numbers[at++] = payloads[cell]!;
  }
  return numbers;
}

function joined(a: Uint32Array, b: Uint32Array): Uint32Array {
  if (b.length === 0) return a;
  const all = new Uint32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
