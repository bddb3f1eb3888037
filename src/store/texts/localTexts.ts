import { assert } from '../../base/assert.ts';
import { HEAD_TEXT_BYTES_MAX, TEXT_BYTES_MAX } from '../../base/limits.ts';
import { release } from '../../base/release.ts';
import type { Scalar } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';
import { TextIndex } from './textIndex.ts';
import { TextAnswers, type Texts } from './texts.ts';
import { atHand, canBeKept, hashUtf8, isAtHand, take } from './utf8.ts';

const BYTES_START = 1024;
const COUNT_START = 64;

/** Texts in order, as plain bytes: immutable. */
export interface TextList {
  /** UTF-8, back to back. */
  readonly bytes: Uint8Array;
  /** The exclusive end of text i. */
  readonly ends: Uint32Array;
}

export function textCount(list: TextList): number {
  return list.ends.length;
}

/** A copy of its own, in shared memory: sent between threads as it is. */
export function sharedList({ bytes, ends }: TextList): TextList {
  const shared = {
    bytes: new Uint8Array(new SharedArrayBuffer(bytes.length)),
    ends: new Uint32Array(new SharedArrayBuffer(ends.byteLength)),
  };
  shared.bytes.set(bytes);
  shared.ends.set(ends);
  return shared;
}

/** Where text i begins. */
export function textStart(list: TextList, i: number): number {
  return i === 0 ? 0 : list.ends[i - 1]!;
}

export function textAt(list: TextList, i: number): string {
  const start = textStart(list, i);
  const { buffer, byteOffset } = list.bytes;
  return Buffer.from(buffer, byteOffset + start, list.ends[i]! - start).toString();
}

/** Makes a list text by text. Its arrays double as they grow. */
export class TextListBuilder {
  #bytes = new Uint8Array(BYTES_START);
  /** The same memory: makes strings of it without another object for each. */
  #buffer = Buffer.from(this.#bytes.buffer);
  #ends = new Uint32Array(COUNT_START);
  #count = 0;
  #byteLength = 0;

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  get memoryBytes(): number {
    return this.#bytes.length + this.#ends.byteLength;
  }

  add(text: string): void {
    take(text);
    this.addBytes(atHand.bytes, 0, atHand.length);
  }

  /** A text that is UTF-8 already: source[start, end), copied. */
  addBytes(source: Uint8Array, start = 0, end = source.length): void {
    assert(end - start <= TEXT_BYTES_MAX, 'a text is within its limit');
    const textEnd = this.#byteLength + end - start;
    if (textEnd > this.#bytes.length || this.#count === this.#ends.length) this.#grow(textEnd);
    const target = this.#bytes;
    for (let from = start, to = this.#byteLength; from < end; ) target[to++] = source[from++]!;
    this.#ends[this.#count++] = textEnd;
    this.#byteLength = textEnd;
  }

  addList(list: TextList): void {
    for (let i = 0; i < textCount(list); i++) this.addBytes(list.bytes, textStart(list, i), list.ends[i]!);
  }

  /** What was added so far, copying nothing: it stays as it is while more is added. */
  list(): TextList {
    return { bytes: this.#bytes.subarray(0, this.#byteLength), ends: this.#ends.subarray(0, this.#count) };
  }

  /** Begins anew in the same memory: earlier lists are not to be used any more. */
  clear(): void {
    this.#count = 0;
    this.#byteLength = 0;
  }

  /** Ends it: its memory is given back, and lists that came of it are empty. */
  release(): void {
    release(this.#bytes);
    release(this.#ends);
  }

  text(i: number): string {
    return this.#buffer.toString('utf8', this.#startOf(i), this.#ends[i]);
  }

  hashAt(i: number): number {
    return hashUtf8(this.#bytes, this.#startOf(i), this.#ends[i]!);
  }

  isAtHand(i: number): boolean {
    return isAtHand(this.#bytes, this.#startOf(i), this.#ends[i]!);
  }

  #startOf(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1]!;
  }

  #grow(bytesMin: number): void {
    let bytes = this.#bytes.length;
    while (bytes < bytesMin) bytes *= 2;
    if (bytes > this.#bytes.length) {
      const larger = new Uint8Array(bytes);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#buffer = Buffer.from(larger.buffer);
    }
    if (this.#count === this.#ends.length) {
      const larger = new Uint32Array(this.#ends.length * 2);
      larger.set(this.#ends);
      this.#ends = larger;
    }
  }
}

/** A head's texts ⇄ codes, which grow from 0. Texts are copied as bytes: nothing keeps a request alive. */
export class LocalTexts implements Texts {
  readonly #texts = new TextListBuilder();
  readonly #index = new TextIndex({
    hashAt: (code) => this.#texts.hashAt(code),
    isWanted: (code) => this.#texts.isAtHand(code),
  });
  readonly #answers = new TextAnswers(this);

  get count(): number {
    return this.#texts.count;
  }

  get memoryBytes(): number {
    return this.#texts.memoryBytes + this.#index.memoryBytes;
  }

  /** Past its limit a head is to take no further row. `add` itself still takes what the row at hand has. */
  get isFull(): boolean {
    return this.#texts.byteLength >= HEAD_TEXT_BYTES_MAX;
  }

  /** The text's code, a new one when it has none. */
  add(text: string): number {
    take(text);
    const hash = hashUtf8(atHand.bytes, 0, atHand.length);
    const known = this.#index.find(hash);
    if (known !== undefined) return known;
    const code = this.count;
    this.#texts.addBytes(atHand.bytes, 0, atHand.length);
    this.#index.add(hash);
    return code;
  }

  find(text: string): number | undefined {
    if (!canBeKept(text)) return undefined;
    take(text);
    return this.#index.find(hashUtf8(atHand.bytes, 0, atHand.length));
  }

  text(code: number): string {
    assert(code < this.count, 'codes are of texts that were added');
    return this.#texts.text(code);
  }

  addArray(elements: readonly Scalar[]): number {
    return this.add(JSON.stringify(elements));
  }

  array(code: number): readonly Scalar[] {
    return JSON.parse(this.text(code)) as Scalar[];
  }

  /** All texts by code; what is added later is not in it. Copies nothing. */
  list(): TextList {
    return this.#texts.list();
  }

  /** Ends it. */
  release(): void {
    this.#texts.release();
  }

  textTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answers.textTest(predicate);
  }

  arrayTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answers.arrayTest(predicate);
  }
}
