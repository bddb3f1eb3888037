import type { Scalar } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';

/**
 * Texts by code, dense from 0. An array is kept as its JSON text. Texts are kept as UTF-8: in one that is not well
 * formed, each lone surrogate becomes U+FFFD.
 */
export interface Texts {
  readonly count: number;
  /** The code must be below `count`. */
  text(code: number): string;
  array(code: number): readonly Scalar[];
  /** The code of an equal text; undefined for one that is not well formed or too long, since none such is kept. */
  find(text: string): number | undefined;
  /** A test of codes that asks the predicate once per text, however often and in how many parts it occurs. */
  textTest(predicate: ValuePredicate): (code: number) => boolean;
  /** The same for codes of arrays. */
  arrayTest(predicate: ValuePredicate): (code: number) => boolean;
}

const UNASKED = 0;
const NO = 1;
const YES = 2;

/** What predicates say of texts, for as long as the predicate lives. */
export class TextAnswers {
  readonly #texts: Texts;
  readonly #answers = new WeakMap<ValuePredicate, { text: Answers; array: Answers }>();

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  textTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answersOf(predicate).text.test;
  }

  arrayTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answersOf(predicate).array.test;
  }

  #answersOf(predicate: ValuePredicate): { text: Answers; array: Answers } {
    let answers = this.#answers.get(predicate);
    if (answers === undefined) {
      const texts = this.#texts;
      answers = {
        text: new Answers((code) => predicate.test(texts.text(code)), texts),
        array: new Answers((code) => predicate.test(texts.array(code)), texts),
      };
      this.#answers.set(predicate, answers);
    }
    return answers;
  }
}

/** A predicate's answers by code, as they are asked for. */
class Answers {
  readonly test: (code: number) => boolean;
  #byCode = new Uint8Array(0);

  constructor(ask: (code: number) => boolean, texts: Texts) {
    this.test = (code) => {
      if (code >= this.#byCode.length) {
        if (code >= texts.count) return false;
        const larger = new Uint8Array(texts.count);
        larger.set(this.#byCode);
        this.#byCode = larger;
      }
      if (this.#byCode[code] === UNASKED) this.#byCode[code] = ask(code) ? YES : NO;
      return this.#byCode[code] === YES;
    };
  }
}
