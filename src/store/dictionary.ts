import { assert } from '../base/assert.ts';
import { DICTIONARY_TEXTS_MAX } from '../base/limits.ts';
import type { Scalar } from '../base/value.ts';
import type { ValuePredicate } from './part.ts';

/** What an entry of a Map and of an array, and a string's header, take in V8. */
const BYTES_PER_TEXT = 64;

/**
 * A tablet's texts ⇄ codes, which grow from 0 and never change. An array is kept as its JSON text. Blocks and heads
 * hold codes only.
 */
export class TextDictionary {
  readonly #codes = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #textsMax: number;
  readonly #answers = new WeakMap<ValuePredicate, { text: Answers; array: Answers }>();
  #textBytes = 0;
  #refusedCount = 0;

  constructor(textsMax = DICTIONARY_TEXTS_MAX) {
    assert(textsMax <= DICTIONARY_TEXTS_MAX, 'the limit is below that of a Map');
    this.#textsMax = textsMax;
  }

  get size(): number {
    return this.#texts.length;
  }

  /** Texts not taken because the dictionary was full. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** An estimate: strings and tables are V8's own. */
  get memoryBytes(): number {
    return this.#textBytes + this.size * BYTES_PER_TEXT;
  }

  /** The text's code, a new one when it has none; undefined, and counted, when the dictionary is full. */
  add(text: string): number | undefined {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    if (this.size >= this.#textsMax) {
      this.#refusedCount++;
      return undefined;
    }
    const isNarrow = !/[^\0-\xff]/.test(text);
    // A string cut out of a request keeps the whole request alive; this is a copy.
    const encoding = isNarrow ? 'latin1' : 'utf16le';
    const owned = Buffer.from(text, encoding).toString(encoding);
    const code = this.size;
    this.#codes.set(owned, code);
    this.#texts.push(owned);
    this.#textBytes += isNarrow ? text.length : text.length * 2;
    return code;
  }

  find(text: string): number | undefined {
    return this.#codes.get(text);
  }

  text(code: number): string {
    const text = this.#texts[code];
    assert(text !== undefined, 'the dictionary has every code that is stored');
    return text;
  }

  addArray(elements: readonly Scalar[]): number | undefined {
    return this.add(JSON.stringify(elements));
  }

  array(code: number): readonly Scalar[] {
    return JSON.parse(this.text(code)) as Scalar[];
  }

  /** A test of codes that asks the predicate once per text, however often and in how many parts it occurs. */
  textTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answersOf(predicate).text.test;
  }

  /** The same for codes of arrays. */
  arrayTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answersOf(predicate).array.test;
  }

  #answersOf(predicate: ValuePredicate): { text: Answers; array: Answers } {
    let answers = this.#answers.get(predicate);
    if (answers === undefined) {
      answers = {
        text: new Answers((code) => predicate.test(this.text(code)), this),
        array: new Answers((code) => predicate.test(this.array(code)), this),
      };
      this.#answers.set(predicate, answers);
    }
    return answers;
  }
}

const UNASKED = 0;
const NO = 1;
const YES = 2;

/** A predicate's answers by code, as they are asked for. */
class Answers {
  readonly test: (code: number) => boolean;
  #byCode = new Uint8Array(0);

  constructor(ask: (code: number) => boolean, dictionary: TextDictionary) {
    this.test = (code) => {
      if (code >= this.#byCode.length) {
        if (code >= dictionary.size) return false;
        const larger = new Uint8Array(dictionary.size);
        larger.set(this.#byCode);
        this.#byCode = larger;
      }
      if (this.#byCode[code] === UNASKED) this.#byCode[code] = ask(code) ? YES : NO;
      return this.#byCode[code] === YES;
    };
  }
}
