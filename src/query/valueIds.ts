import { isArray, type Scalar, type Value } from '../base/value.ts';
import { CELL, type CellReader } from '../store/part.ts';

/** The id of no value. */
export const NO_VALUE = 0;
const UNKNOWN = 0;

/**
 * Gives each value that a query meets a small number, from 1 on in the order of their appearance; values of different
 * types are different values. What parts say in codes is looked up once per code.
 */
export class ValueIds {
  /** By id. */
  readonly #values: (Value | undefined)[] = [undefined];
  readonly #ofScalars = new Map<Scalar, number>();
  /** By their JSON. */
  readonly #ofArrays = new Map<string, number>();
  /** By the tablet's dictionary code of a text. */
  #ofShared = new Uint32Array(0);
  /** By a reader's code. */
  readonly #ofCodes = new WeakMap<CellReader, Uint32Array>();

  /** Ids are below. */
  get end(): number {
    return this.#values.length;
  }

  valueOf(id: number): Value {
    const value = this.#values[id];
    if (value === undefined) throw new RangeError(`no value has the id ${id}`);
    return value;
  }

  idOf(value: Value): number {
    if (!isArray(value)) return this.#idIn(this.#ofScalars, value, value);
    return this.#idIn(this.#ofArrays, JSON.stringify(value), value);
  }

  /** Puts ids in the place of the reader's codes; `numbers` has the numbers that go with them. */
  replaceCodes(reader: CellReader, codes: Uint32Array, numbers: Float64Array): void {
    let ids = this.#ofCodes.get(reader);
    if (ids === undefined || ids.length < reader.codeEnd) {
      const longer = new Uint32Array(reader.codeEnd);
      if (ids !== undefined) longer.set(ids);
      ids = longer;
      this.#ofCodes.set(reader, ids);
    }
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!;
      if (code === CELL.missing) codes[i] = NO_VALUE;
      else if (code === CELL.number) codes[i] = this.idOf(numbers[i]!);
      else {
        if (ids[code] === UNKNOWN) ids[code] = this.#idOfCode(reader, code);
        codes[i] = ids[code]!;
      }
    }
  }

  #idOfCode(reader: CellReader, code: number): number {
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
