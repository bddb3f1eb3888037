import { Bitset } from '../base/bitset.ts';
import type { Value } from '../base/value.ts';
import type { Column } from '../encoding/column.ts';
import { equalTo, type Filter } from '../encoding/contract.ts';
import { cellTest, cellValue, PAYLOAD_TAGS, type PayloadTag, TAG } from './cell.ts';
import type { TextDictionary } from './dictionary.ts';
import { expand } from './expand.ts';
import type { ValuePredicate } from './part.ts';

/** A column of values of mixed types in a block: a tag a row, and per type the payloads of just its rows. */
export class CellColumn {
  readonly #tags: Column;
  readonly #payloads: ReadonlyMap<number, Column>;
  readonly #dictionary: TextDictionary;

  /** `payloads` by tag, for every tag that has payloads and occurs. */
  constructor(tags: Column, payloads: ReadonlyMap<number, Column>, dictionary: TextDictionary) {
    this.#tags = tags;
    this.#payloads = payloads;
    this.#dictionary = dictionary;
  }

  get rowCount(): number {
    return this.#tags.rowCount;
  }

  get memoryBytes(): number {
    return this.#tags.memoryBytes;
  }

  at(row: number): Value | undefined {
    const tag = this.#tags.at(row);
    const payloads = this.#payloads.get(tag);
    if (payloads === undefined) return cellValue(tag, 0, this.#dictionary);
    const n = payloads.rowCount === this.rowCount ? row : this.#tags.rank(tag, row);
    return cellValue(tag, payloads.at(n), this.#dictionary);
  }

  /** The rows that satisfy the predicate. A fresh bitset, owned by the caller. */
  select(predicate: ValuePredicate): Bitset {
    const test = cellTest(predicate, this.#dictionary);
    const matches = new Bitset(this.rowCount);
    for (const tag of [TAG.missing, TAG.false, TAG.true]) {
      if (test(tag, 0)) matches.or(this.#tags.select(equalTo(tag)));
    }
    for (const tag of PAYLOAD_TAGS) {
      const payloads = this.#payloads.get(tag);
      if (payloads === undefined) continue;
      const filter = this.#filterOf(tag, predicate) ?? {
        kind: 'test',
        test: (payload) => test(tag, payload),
      };
      matches.or(expand(payloads.select(filter), this.#tags.select(equalTo(tag))));
    }
    return matches;
  }

  /** What to look for in payloads when the predicate says what the value must equal. */
  #filterOf(tag: PayloadTag, { equalTo }: ValuePredicate): Filter | undefined {
    if (equalTo === undefined || tag === TAG.array) return undefined;
    const wanted = new Set<number>();
    for (const scalar of equalTo) {
      if (tag === TAG.number && typeof scalar === 'number') wanted.add(scalar);
      const code = tag === TAG.text && typeof scalar === 'string' ? this.#dictionary.find(scalar) : undefined;
      if (code !== undefined) wanted.add(code);
    }
    return { kind: 'in', values: wanted };
  }
}
