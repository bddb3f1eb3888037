import { encodeChunk } from '../../encoding/chunk.ts';
import type { Values } from '../../encoding/contract.ts';
import type { Temperature } from '../../encoding/picker.ts';
import { sharedList, type TextList, TextListBuilder } from '../texts/localTexts.ts';
import { encodeTextHeapSteps, type HeapEffort } from '../texts/textHeap.ts';
import { checkedHeapSteps, codeCount } from './blockFormat.ts';
import { bytesOf, type Chunks, type WrittenColumn, type WrittenStream } from './blockWriter.ts';
import type { CodedColumn, DraftTexts } from './columnCodes.ts';
import { determinationSteps } from './determination.ts';

/** Added to the number of a text that is to become shared: the dictionary's code comes in its place. */
export const UNRESOLVED = 0x80000000;
/** Texts copied between two yields. */
const STEP_TEXTS = 1 << 12;

export interface EncodedColumn extends WrittenColumn {
  /** The dictionary's codes of its texts, or UNRESOLVED and the number in `ColumnWriter.sharedTexts`. */
  readonly sharedCodes: Uint32Array;
}

/** Encodes the columns of a job's blocks, and collects the texts that become shared. */
export class ColumnWriter {
  readonly #chunkRows: number;
  readonly #effort: HeapEffort;
  readonly #sharedTexts = new TextListBuilder();

  constructor(options: { readonly chunkRows: number; readonly effort: HeapEffort }) {
    this.#chunkRows = options.chunkRows;
    this.#effort = options.effort;
  }

  /** Every text once for each DraftTexts it came with, in shared memory. */
  sharedTexts(): TextList {
    return sharedList(this.#sharedTexts.list());
  }

  *chunksSteps(values: Values, temperature: Temperature): Generator<void, Chunks> {
    const chunks: Uint8Array[] = [];
    for (let from = 0; from < values.length; from += this.#chunkRows) {
      chunks.push(encodeChunk(values.subarray(from, from + this.#chunkRows), temperature));
      yield;
    }
    return chunks;
  }

  /** `key`: a column that may determine this one, and that does not depend on another itself. */
  *columnSteps(
    column: CodedColumn,
    texts: DraftTexts,
    temperature: Temperature,
    key?: CodedColumn,
  ): Generator<void, EncodedColumn> {
    const { codes, numbers, ownTexts } = column;
    const ofSameRows = key !== undefined && key.eventSet === column.eventSet ? key : undefined;
    return {
      ...column,
      codes: codes === undefined ? undefined : yield* this.#streamSteps(codes, temperature, ofSameRows),
      numbers: numbers === undefined ? undefined : yield* this.#streamSteps(numbers, temperature, ofSameRows),
      heap: ownTexts.length === 0 ? undefined : yield* this.#heapSteps(texts, ownTexts),
      sharedCodes: this.#sharedCodes(column.sharedTexts, texts),
    };
  }

  /** Whichever is smaller: the values, or how the key determines them. */
  *#streamSteps(
    values: Values,
    temperature: Temperature,
    key: CodedColumn | undefined,
  ): Generator<void, WrittenStream> {
    const plain: WrittenStream = { chunks: yield* this.chunksSteps(values, temperature) };
    if (key?.codes === undefined || values.length !== key.rowCount) return plain;
    const found = yield* determinationSteps(values, key.codes, codeCount(key));
    if (found === undefined) return plain;
    const exceptionRows = yield* this.chunksSteps(found.exceptionRows, 'hot');
    const exceptionValues = yield* this.chunksSteps(found.exceptionValues, 'hot');
    const determined: WrittenStream = {
      chunks: yield* this.chunksSteps(found.map, 'hot'),
      determined: {
        by: key.propertyCode,
        exceptionCount: found.exceptionRows.length,
        exceptionRows,
        exceptionValues,
      },
    };
    const bytes = bytesOf(determined.chunks) + bytesOf(exceptionRows) + bytesOf(exceptionValues);
    return bytes < bytesOf(plain.chunks) ? determined : plain;
  }

  *#heapSteps(texts: DraftTexts, numbers: Uint32Array): Generator<void, Uint8Array> {
    const first = texts.codes.length;
    const list = yield* gatheredTextsSteps(
      texts.list,
      numbers.map((number) => number - first),
    );
    return yield* checkedHeapSteps(yield* encodeTextHeapSteps(list, this.#effort));
  }

  #sharedCodes(numbers: Uint32Array, texts: DraftTexts): Uint32Array {
    const known = texts.codes;
    return numbers.map((number) =>
      number < known.length ? known[number]! : UNRESOLVED + this.#share(number, texts),
    );
  }

  #share(number: number, texts: DraftTexts): number {
    const known = texts.sharedNumbers.get(number);
    if (known !== undefined) return known;
    const shared = this.#sharedTexts.count;
    const { bytes, ends } = texts.list;
    const i = number - texts.codes.length;
    this.#sharedTexts.addBytes(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!));
    texts.sharedNumbers.set(number, shared);
    return shared;
  }
}

/** These texts of the list, in this order. */
function* gatheredTextsSteps(list: TextList, numbers: Uint32Array): Generator<void, TextList> {
  const ends = new Uint32Array(numbers.length);
  let byteCount = 0;
  for (let i = 0; i < numbers.length; i++) {
    const n = numbers[i]!;
    byteCount += list.ends[n]! - (n === 0 ? 0 : list.ends[n - 1]!);
    ends[i] = byteCount;
  }
  const bytes = new Uint8Array(byteCount);
  for (let from = 0; from < numbers.length; from += STEP_TEXTS) {
    copyTexts(list, numbers, from, Math.min(from + STEP_TEXTS, numbers.length), ends, bytes);
    yield;
  }
  return { bytes, ends };
}

/** Those from `from` to `to` of `numbers`. Most texts are so short that a loop copies them faster than `set` would. */
function copyTexts(
  { bytes: source, ends: sourceEnds }: TextList,
  numbers: Uint32Array,
  from: number,
  to: number,
  ends: Uint32Array,
  target: Uint8Array,
): void {
  let at = from === 0 ? 0 : ends[from - 1]!;
  for (let i = from; i < to; i++) {
    const n = numbers[i]!;
    const end = sourceEnds[n]!;
    for (let byte = n === 0 ? 0 : sourceEnds[n - 1]!; byte < end; byte++) target[at++] = source[byte]!;
  }
}
