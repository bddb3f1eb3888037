import { isArray, type Scalar, type Value } from '../../base/value.ts';
import { MAP_ENTRY_BYTES, TEXT_BYTES } from './traitMemory.ts';
import { HEAP_REFS_FROM, SHARED_REFS_FROM } from './traitRefs.ts';

/** Values taken as they come. */
const TAKEN_AT_FIRST = 1024;
/** Uses a value on average from which more than those are taken. */
const USES_MIN = 4;
/** Values taken over between two yields. */
const REFS_PER_STEP = 1024;

/**
 * The values of a trait that repeat, each stored once and known by a reference of 16 bits; only values in use are here. A
 * trait whose values are nearly all different, such as e-mail addresses, gets no further than TAKEN_AT_FIRST.
 */
export class SharedValues {
  readonly #refs = new Map<Scalar, number>();
  /** Of arrays, by their JSON. */
  readonly #arrayRefs = new Map<string, number>();
  /** By reference, as `#uses`: how often each is in use. */
  readonly #values: (Value | undefined)[] = new Array(SHARED_REFS_FROM).fill(undefined);
  readonly #uses: number[] = new Array(SHARED_REFS_FROM).fill(0);
  readonly #freeRefs: number[] = [];
  #usesTotal = 0;
  #textBytes = 0;

  /** References are below it. */
  get refsEnd(): number {
    return this.#values.length;
  }

  get memoryBytes(): number {
    return this.#count * MAP_ENTRY_BYTES + this.#values.length * 16 + this.#textBytes;
  }

  /** Undefined for a reference that is not in use. */
  value(ref: number): Value | undefined {
    return this.#values[ref];
  }

  /** The value's reference, in use once more from now on; undefined for a value that is not to be shared. */
  use(value: Value): number | undefined {
    if (Object.is(value, -0)) return undefined; // a Map takes it for 0
    const json = isArray(value) ? JSON.stringify(value) : undefined;
    const ref =
      (json === undefined ? this.#refs.get(value as Scalar) : this.#arrayRefs.get(json)) ??
      this.#add(value, json);
    if (ref === undefined) return undefined;
    this.#uses[ref]!++;
    this.#usesTotal++;
    return ref;
  }

  /** One use ends. */
  release(ref: number): void {
    this.#usesTotal--;
    if (--this.#uses[ref]! > 0) return;
    const value = this.#values[ref]!;
    this.#textBytes -= textBytes(value);
    if (isArray(value)) this.#arrayRefs.delete(JSON.stringify(value));
    else this.#refs.delete(value);
    this.#values[ref] = undefined;
    this.#freeRefs.push(ref);
  }

  /** Takes over, while empty, another trait's values under the same references; `uses` says how often each is in use. */
  *inherit(parent: SharedValues, uses: Uint32Array): Generator<void> {
    for (let ref = SHARED_REFS_FROM; ref < parent.refsEnd; ref++) {
      if (ref % REFS_PER_STEP === 0) yield;
      const value = uses[ref] === 0 ? undefined : parent.#values[ref]!;
      this.#values.push(value);
      this.#uses.push(uses[ref]!);
      if (value === undefined) {
        this.#freeRefs.push(ref);
        continue;
      }
      if (isArray(value)) this.#arrayRefs.set(JSON.stringify(value), ref);
      else this.#refs.set(value, ref);
      this.#usesTotal += uses[ref]!;
      this.#textBytes += textBytes(value);
    }
  }

  get #count(): number {
    return this.#values.length - SHARED_REFS_FROM - this.#freeRefs.length;
  }

  #add(value: Value, json: string | undefined): number | undefined {
    if (this.#count >= TAKEN_AT_FIRST && this.#usesTotal < this.#count * USES_MIN) return undefined;
    const ref = this.#freeRefs.pop() ?? this.#values.length;
    if (ref === HEAP_REFS_FROM) return undefined;
    const owned = ownedCopy(value, json);
    if (json === undefined) this.#refs.set(owned as Scalar, ref);
    else this.#arrayRefs.set(json, ref);
    this.#values[ref] = owned;
    this.#uses[ref] = 0;
    this.#textBytes += textBytes(value);
    return ref;
  }
}

/** A text cut out of a request keeps the whole request alive; a copy does not. */
function ownedCopy(value: Value, json: string | undefined): Value {
  if (json !== undefined) return JSON.parse(json) as Scalar[];
  if (typeof value !== 'string') return value;
  const encoding = isNarrow(value) ? 'latin1' : 'utf16le';
  return Buffer.from(value, encoding).toString(encoding);
}

function isNarrow(text: string): boolean {
  return !/[^\0-\xff]/.test(text);
}

function textBytes(value: Value): number {
  if (isArray(value))
    return value.reduce((total: number, element) => total + 8 + textBytes(element), 2 * TEXT_BYTES);
  if (typeof value !== 'string') return 8;
  return TEXT_BYTES + value.length * (isNarrow(value) ? 1 : 2);
}
