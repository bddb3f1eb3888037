import { isArray, type Scalar, type Value } from '../base/value.ts';
import { type CellReader, NO_CODE } from '../store/part.ts';

/** The id of no value. */
export const NO_VALUE = 0;
const UNKNOWN = 0;
const NO_IDS = new Uint32Array(0);

/**
 * Gives each value that a query meets a small number, from 1 on in the order of their appearance; values of different
 * types are different values. What parts say in codes is looked up once per code.
 */
export class ValueIds {
  /** By id. */
  readonly #values: (Value | undefined)[] = [undefined];
  readonly #ofScalars = new Map<Scalar, number>();
  /** By their JSON. Like what follows made when it is needed: live segments have one of these for many a user. */
  #ofArrays: Map<string, number> | undefined;
  /** By the tablet's dictionary code of a text. */
  #ofShared = NO_IDS;
  /** By a reader's code: the id and 1, or UNKNOWN. */
  #ofCodes: WeakMap<CellReader, Uint32Array> | undefined;

  /** Ids are below. */
  get end(): number {
    return this.#values.length;
  }

  /** Whether any value so far is an array. */
  get hasArrays(): boolean {
    return this.#ofArrays !== undefined;
  }

  valueOf(id: number): Value {
    const value = this.#values[id];
    if (value === undefined) throw new RangeError(`no value has the id ${id}`);
    return value;
  }

  idOf(value: Value): number {
    if (!isArray(value)) return this.#idIn(this.#ofScalars, value, value);
    this.#ofArrays ??= new Map();
    return this.#idIn(this.#ofArrays, JSON.stringify(value), value);
  }

  /** Puts ids in the place of the reader's codes; `numbers` has the numbers that go with them. */
  replaceCodes(reader: CellReader, codes: Uint32Array, numbers: Float64Array): void {
    const ids = this.#idsOfCodes(reader);
    let i = replaceKnown(codes, 0, ids);
    while (i < codes.length) {
      const code = codes[i]!;
      if (code === reader.numberCode) codes[i] = this.idOf(numbers[i]!);
      else {
        codes[i] = this.idOfCode(reader, code);
        ids[code] = codes[i]! + 1;
      }
      i = replaceKnown(codes, i + 1, ids);
    }
  }

  /** Of a code other than that of numbers. */
  idOfCode(reader: CellReader, code: number): number {
    if (code === reader.missingCode) return NO_VALUE;
    const shared = reader.sharedCodeOf(code);
    if (shared === -1) return this.idOf(reader.valueOf(code));
    if (shared >= this.#ofShared.length) {
      const longer = new Uint32Array(Math.max(2 * this.#ofShared.length, shared + 1));
      longer.set(this.#ofShared);
      this.#ofShared = longer;
    }
    if (this.#ofShared[shared] === UNKNOWN) this.#ofShared[shared] = this.idOf(reader.valueOf(code));
    return this.#ofShared[shared]!;
  }

  #idsOfCodes(reader: CellReader): Uint32Array {
    this.#ofCodes ??= new WeakMap();
    const known = this.#ofCodes.get(reader);
    if (known !== undefined && known.length >= reader.codeEnd) return known;
    const ids = new Uint32Array(reader.codeEnd);
    if (known !== undefined) ids.set(known);
    if (reader.missingCode !== NO_CODE) ids[reader.missingCode] = NO_VALUE + 1;
    this.#ofCodes.set(reader, ids);
    return ids;
  }

  #idIn<K>(ids: Map<K, number>, key: K, value: Value): number {
    let id = ids.get(key);
    if (id === undefined) {
      id = this.#values.length;
      this.#values.push(value);
      ids.set(key, id);
    }
    return id;
  }
}

/** Puts ids in the place of codes from here on, up to the first that is unknown; returns where that is, or the end. */
function replaceKnown(codes: Uint32Array, from: number, ids: Uint32Array): number {
  let i = from;
  for (; i < codes.length; i++) {
    const id = ids[codes[i]!]!;
    if (id === UNKNOWN) break;
    codes[i] = id - 1;
  }
  return i;
}
