import type { ByteReader } from './bytes.ts';
import type { Draft, EncodedValues, NumberVector } from './contract.ts';
import { DISTINCT_MAX } from './distinct.ts';
import { type Frame, FramedValues } from './frame.ts';
import { expectAtMost, openCodes } from './openCodes.ts';

/**
 * The distinct values once, ascending, and the place of each row's value among them.
 *
 *   u8      tag, 1
 *   varint  distinct values, 2 to DISTINCT_MAX
 *   values  scaled or doubles
 *   codes
 *
 * Valid: values ascend, -0 before 0; codes are below their number.
 */
export const DICTIONARY_TAG = 1;

export function dictionaryDraft(distinctCount: number, distinct: Draft, codes: Draft): Draft {
  return {
    bytes: 3 + distinct.bytes + codes.bytes,
    scanNsPerRow: codes.scanNsPerRow,
    write(target) {
      target.byte(DICTIONARY_TAG);
      target.varint(distinctCount);
      distinct.write(target);
      codes.write(target);
    },
  };
}

/** After the tag and the number of values. */
export function openDictionary(
  reader: ByteReader,
  distinct: EncodedValues,
  distinctCount: number,
  rowCount: number,
): FramedValues {
  const frame = new DictionaryFrame(distinct, distinctCount);
  reader.expect(reader.trusted || frame.ascends(), 'distinct values in ascending order', 'others');
  const codes = openCodes(reader, rowCount);
  if (!reader.trusted) expectAtMost(reader, codes, distinctCount - 1);
  return new FramedValues(frame, codes);
}

const table = new Float64Array(DISTINCT_MAX);
/** Whose values are in it: a number, so that it keeps nothing alive. */
let tableOf = 0;
let frames = 0;
/** Values that are decoded together in the time that one takes by itself. */
const DECODED_PER_ONE = 16;

class DictionaryFrame implements Frame {
  readonly codeMax: number;
  readonly isIdentity = false;
  readonly #distinct: EncodedValues;
  readonly #number = ++frames;

  constructor(distinct: EncodedValues, distinctCount: number) {
    this.codeMax = distinctCount - 1;
    this.#distinct = distinct;
  }

  valueOf(code: number): number {
    return this.#distinct.at(code);
  }

  codeNear(): number {
    return (this.codeMax + 1) >>> 1;
  }

  toValues(target: NumberVector, count: number): void {
    if (tableOf !== this.#number && count * DECODED_PER_ONE < this.codeMax) {
      for (let i = 0; i < count; i++) target[i] = this.#distinct.at(target[i]!);
    } else {
      this.#decode();
      lookUp(target, count, table);
    }
  }

  #decode(): void {
    if (tableOf === this.#number) return;
    tableOf = 0;
    this.#distinct.decode(0, this.codeMax + 1, table);
    tableOf = this.#number;
  }

  ascends(): boolean {
    this.#decode();
    for (let i = 1; i <= this.codeMax; i++) {
      const zeros = Object.is(table[i - 1], -0) && Object.is(table[i], 0);
      if (!(table[i - 1]! < table[i]!) && !zeros) return false;
    }
    return true;
  }
}

function lookUp(target: NumberVector, count: number, table: Float64Array): void {
  for (let i = 0; i < count; i++) target[i] = table[target[i]!]!;
}
