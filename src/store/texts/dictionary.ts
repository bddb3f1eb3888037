import { assert } from '../../base/assert.ts';
import { DICTIONARY_TEXTS_MAX } from '../../base/limits.ts';
import type { Scalar } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';
import { type TextList, TextListBuilder, textCount, textStart } from './localTexts.ts';
import {
  CODEC,
  GROUP_OBJECT_BYTES,
  groupOf,
  groupText,
  groupTextStart,
  openGroup,
  type PackedGroup,
  packGroup,
} from './textGroup.ts';
import { TextIndex } from './textIndex.ts';
import { TextAnswers, type Texts } from './texts.ts';
import { atHand, canBeKept, hashUtf8, isAtHand, take, takeUtf8 } from './utf8.ts';

/** In the place of a code: the dictionary was full. */
export const NO_CODE = 0xffffffff;

/** Texts added between two yields: each may open a group, at about 20 µs. */
const STEP_TEXTS = 32;
/** Half of what merged blocks have: these texts are looked up at random. */
const GROUP_BYTES = 16_384;
const PLACE = { file: 'the text dictionary', offset: 0 };

/**
 * A tablet's texts ⇄ codes, which grow from 0 and never change: those that repeat across blocks. An array is kept as its
 * JSON text. The texts are compressed in groups, but for the newest; an index of some 5 bytes a text finds them.
 */
export class TextDictionary implements Texts {
  readonly #textsMax: number;
  readonly #answers = new TextAnswers(this);
  readonly #indexed = {
    hashAt: (code: number) => this.#hashAt(code),
    isWanted: (code: number) => this.#isAtHand(code),
  };
  #index: TextIndex;
  /** Shared with forks. */
  #sealed: PackedGroup[] = [];
  #sealedBytes = 0;
  #sealedCount = 0;
  readonly #newest = new TextListBuilder();
  #refusedCount = 0;

  constructor(textsMax = DICTIONARY_TEXTS_MAX) {
    assert(textsMax <= DICTIONARY_TEXTS_MAX, 'the limit is one that the index can hold');
    this.#textsMax = textsMax;
    this.#index = new TextIndex(this.#indexed);
  }

  get count(): number {
    return this.#sealedCount + this.#newest.count;
  }

  get size(): number {
    return this.count;
  }

  /** Texts not taken because the dictionary was full. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Groups that are shared with forks are counted in each. */
  get memoryBytes(): number {
    const sealed = this.#sealedBytes + this.#sealed.length * GROUP_OBJECT_BYTES;
    return sealed + this.#newest.memoryBytes + this.#index.memoryBytes;
  }

  /** The text's code, a new one when it has none; undefined, and counted, when the dictionary is full. */
  add(text: string): number | undefined {
    take(text);
    return this.#addAtHand();
  }

  /** Codes of all these texts, each as by `add`, NO_CODE where that refuses. Yields between some dozens of texts. */
  *addSteps(list: TextList): Generator<void, Uint32Array> {
    const codes = new Uint32Array(textCount(list));
    for (let i = 0; i < codes.length; i++) {
      takeUtf8(list.bytes, textStart(list, i), list.ends[i]!);
      codes[i] = this.#addAtHand() ?? NO_CODE;
      if (i % STEP_TEXTS === STEP_TEXTS - 1) yield;
    }
    return codes;
  }

  find(text: string): number | undefined {
    if (!canBeKept(text)) return undefined;
    take(text);
    return this.#index.find(hashUtf8(atHand.bytes, 0, atHand.length));
  }

  text(code: number): string {
    assert(code < this.count, 'the dictionary has every code that is stored');
    if (code >= this.#sealedCount) return this.#newest.text(code - this.#sealedCount);
    const group = this.#sealed[groupOf(this.#sealed, code)]!;
    return groupText(openGroup(group, PLACE), code - group.firstCode);
  }

  addArray(elements: readonly Scalar[]): number | undefined {
    return this.add(JSON.stringify(elements));
  }

  array(code: number): readonly Scalar[] {
    return JSON.parse(this.text(code)) as Scalar[];
  }

  /** An independent copy, of the codes so far: what is added to one is not in the other. */
  fork(): TextDictionary {
    const copy = new TextDictionary(this.#textsMax);
    copy.#index = this.#index.fork(copy.#indexed);
    copy.#sealed = this.#sealed.slice();
    copy.#sealedBytes = this.#sealedBytes;
    copy.#sealedCount = this.#sealedCount;
    copy.#newest.addList(this.#newest.list());
    copy.#refusedCount = this.#refusedCount;
    return copy;
  }

  textTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answers.textTest(predicate);
  }

  arrayTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answers.arrayTest(predicate);
  }

  #hashAt(code: number): number {
    if (code >= this.#sealedCount) return this.#newest.hashAt(code - this.#sealedCount);
    const group = this.#sealed[groupOf(this.#sealed, code)]!;
    const open = openGroup(group, PLACE);
    const i = code - group.firstCode;
    return hashUtf8(open.bytes, groupTextStart(open, i), open.ends[i]!);
  }

  #isAtHand(code: number): boolean {
    if (code >= this.#sealedCount) return this.#newest.isAtHand(code - this.#sealedCount);
    const group = this.#sealed[groupOf(this.#sealed, code)]!;
    const open = openGroup(group, PLACE);
    const i = code - group.firstCode;
    return isAtHand(open.bytes, groupTextStart(open, i), open.ends[i]!);
  }

  #addAtHand(): number | undefined {
    const hash = hashUtf8(atHand.bytes, 0, atHand.length);
    const known = this.#index.find(hash);
    if (known !== undefined) return known;
    if (this.count >= this.#textsMax) {
      this.#refusedCount++;
      return undefined;
    }
    const code = this.count;
    this.#newest.addBytes(atHand.bytes, 0, atHand.length);
    this.#index.add(hash);
    if (this.#newest.byteLength + this.#newest.count >= GROUP_BYTES) this.#seal();
    return code;
  }

  #seal(): void {
    const group = packGroup(
      this.#newest.list(),
      { from: 0, to: this.#newest.count, firstCode: this.#sealedCount },
      CODEC.lz4,
    );
    this.#sealed.push(group);
    this.#sealedBytes += group.packed.length;
    this.#sealedCount += group.count;
    this.#newest.clear();
  }
}
