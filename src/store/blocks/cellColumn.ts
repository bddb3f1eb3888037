import type { Bitset } from '../../base/bitset.ts';
import type { Value } from '../../base/value.ts';
import { equalTo, type Filter } from '../../encoding/contract.ts';
import type { ValuePredicate } from '../part.ts';
import { type ColumnShape, codeCount } from './blockFormat.ts';
import { kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import { codeFilter } from './codeFilter.ts';
import { type ColumnTexts, markPassingSteps, textOrArray } from './columnTexts.ts';
import { expand } from './expand.ts';
import type { NumberColumn } from './numberColumn.ts';
import { Ranks } from './ranks.ts';
import { RowReader } from './rowReader.ts';

/** Asked about in no time. */
const TEXTS_FEW = 256;

/** A property's column in a block: see blockFormat.ts for what its codes are. */
export class CellColumn {
  readonly rowCount: number;
  readonly #codes: NumberColumn | undefined;
  readonly #numbers: NumberColumn | undefined;
  readonly #texts: ColumnTexts;
  /** The tags of the first codes; those after them are texts. */
  readonly #specials: readonly number[];
  readonly #codeCount: number;
  /** What `askSteps` found, for as long as the predicate lives. */
  readonly #asked = new WeakMap<ValuePredicate, Uint8Array>();
  readonly #codeAt: RowReader | undefined;
  readonly #numberAt: RowReader | undefined;
  readonly #numberRanks: Ranks | undefined;
  /** Of the last text that was read: rows next to each other often have the same. */
  #lastCode = -1;
  #lastText = '';

  constructor(
    shape: ColumnShape,
    rows: { readonly rowCount: number; readonly blockRows: number },
    codes: NumberColumn | undefined,
    numbers: NumberColumn | undefined,
    texts: ColumnTexts,
  ) {
    this.rowCount = rows.rowCount;
    this.#codes = codes;
    this.#numbers = numbers;
    this.#codeAt = codes && new RowReader(codes, rows.blockRows);
    this.#numberAt = numbers && new RowReader(numbers, rows.blockRows);
    this.#texts = texts;
    this.#specials = SPECIAL_TAGS.filter((tag) => (shape.kinds & kindOf(tag)) !== 0);
    this.#codeCount = codeCount(shape);
    if (codes !== undefined && numbers !== undefined) {
      const table = new Uint8Array(this.#codeCount);
      table[this.#specials.indexOf(TAG.number)] = 1;
      this.#numberRanks = new Ranks(codes, table);
    }
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    const held = [this.#codes, this.#numbers, this.#numberRanks];
    return held.reduce((total, each) => total + (each?.memoryBytes ?? 0), 0);
  }

  at(row: number): Value | undefined {
    const code = this.#codeAt === undefined ? 0 : this.#codeAt.at(row);
    switch (this.#specials[code]) {
      case undefined:
        return code === this.#lastCode ? this.#lastText : this.#textOrArray(code);
      case TAG.number:
        return this.#numberAt!.at(this.#numberRanks === undefined ? row : this.#numberRanks.rank(row));
      case TAG.false:
        return false;
      case TAG.true:
        return true;
      default:
        return undefined;
    }
  }

  #textOrArray(code: number): Value {
    const value = textOrArray(this.#texts, code - this.#specials.length);
    // An array belongs to who asks.
    if (typeof value !== 'string') return value;
    this.#lastCode = code;
    this.#lastText = value;
    return value;
  }

  /** Finds out which texts satisfy the predicate, in small steps, for an `and` with it. */
  *askSteps(predicate: ValuePredicate): Generator<void> {
    if (this.#codeCount <= TEXTS_FEW && (predicate.equalTo?.length ?? 0) <= TEXTS_FEW) return;
    const table = this.#specialsPassing(predicate);
    yield* markPassingSteps(this.#texts, predicate, table.subarray(this.#specials.length));
    this.#asked.set(predicate, table);
  }

  /** The codes of values that satisfy the predicate, which no number does; ascending. In small steps. */
  *codesSteps(predicate: ValuePredicate): Generator<void, readonly number[]> {
    const table = this.#specialsPassing(predicate);
    yield* markPassingSteps(this.#texts, predicate, table.subarray(this.#specials.length));
    const codes: number[] = [];
    for (let code = table.indexOf(1); code !== -1; code = table.indexOf(1, code + 1)) codes.push(code);
    return codes;
  }

  get codeCount(): number {
    return this.#codeCount;
  }

  /** What such a code stands for. */
  valueOfCode(code: number): Value {
    const tag = this.#specials[code];
    return tag === undefined ? textOrArray(this.#texts, code - this.#specials.length) : tag === TAG.true;
  }

  /** Takes the rows that do not satisfy the predicate out of `rows`. */
  and(rows: Bitset, predicate: ValuePredicate): void {
    if (this.#codes !== undefined && this.#numbers !== undefined) {
      rows.and(this.#selectMixed(this.#codes, this.#numbers, predicate));
    } else if (this.#numbers !== undefined) {
      this.#numbers.and(rows, numberFilter(predicate));
    } else {
      const table = this.#passing(predicate);
      if (this.#codes !== undefined) this.#codes.and(rows, codeFilter(table));
      else if (table[0] === 0) rows.words.fill(0);
    }
  }

  #selectMixed(codes: NumberColumn, numbers: NumberColumn, predicate: ValuePredicate): Bitset {
    const rows = codes.select(codeFilter(this.#passing(predicate)));
    const passing = numbers.select(numberFilter(predicate));
    if (passing.isEmpty) return rows;
    return rows.or(expand(passing, codes.select(equalTo(this.#specials.indexOf(TAG.number)))));
  }

  /** table[code] = 1 for the codes that satisfy the predicate; numbers are another matter. */
  #passing(predicate: ValuePredicate): Uint8Array {
    const asked = this.#asked.get(predicate);
    if (asked !== undefined) return asked;
    const table = this.#specialsPassing(predicate);
    for (const _ of markPassingSteps(this.#texts, predicate, table.subarray(this.#specials.length)));
    return table;
  }

  #specialsPassing(predicate: ValuePredicate): Uint8Array {
    const table = new Uint8Array(this.#codeCount);
    this.#specials.forEach((tag, code) => {
      if (tag === TAG.missing && predicate.missing) table[code] = 1;
      if (tag === TAG.false && predicate.test(false)) table[code] = 1;
      if (tag === TAG.true && predicate.test(true)) table[code] = 1;
    });
    return table;
  }
}

function numberFilter({ equalTo, range, test }: ValuePredicate): Filter {
  if (equalTo !== undefined) {
    return { kind: 'in', values: new Set(equalTo.filter((scalar) => typeof scalar === 'number')) };
  }
  return range === undefined ? { kind: 'test', test } : { kind: 'range', ...range };
}
