import { type TextList, TextListBuilder, textCount, textStart } from '../texts/localTexts.ts';
import { TextIndex } from '../texts/textIndex.ts';
import { hashUtf8, takeUtf8 } from '../texts/utf8.ts';

/** Texts between two yields. */
const STEP_TEXTS = 1 << 12;

/** Makes one list of several, with every text once. Makes no strings. */
export class TextUnion {
  readonly #texts = new TextListBuilder();
  readonly #index = new TextIndex({
    hashAt: (number) => this.#texts.hashAt(number),
    isWanted: (number) => this.#texts.isAtHand(number),
  });

  list(): TextList {
    return this.#texts.list();
  }

  /** The number, in the union, of each text. */
  *addSteps(list: TextList): Generator<void, Uint32Array> {
    const numbers = new Uint32Array(textCount(list));
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = this.#add(list.bytes, textStart(list, i), list.ends[i]!);
      if (i % STEP_TEXTS === STEP_TEXTS - 1) yield;
    }
    return numbers;
  }

  #add(bytes: Uint8Array, start: number, end: number): number {
    takeUtf8(bytes, start, end);
    const hash = hashUtf8(bytes, start, end);
    const known = this.#index.find(hash);
    if (known !== undefined) return known;
    const number = this.#texts.count;
    this.#texts.addBytes(bytes, start, end);
    this.#index.add(hash);
    return number;
  }
}
