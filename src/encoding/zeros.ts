import { type CodeFilter, type Codes, KIND } from './codes.ts';
import { type Draft, type NumberVector, selectAll } from './contract.ts';
import type { RowCodes } from './kernels/kernels.ts';

/** All codes 0: the kind is all there is. */
export const zerosDraft: Draft = {
  bytes: 1,
  scanNsPerRow: 0,
  write: (target) => target.byte(KIND.zeros),
};

const NO_BITS: RowCodes = { packed: new Uint8Array(0), bits: 0 };

export class ZeroCodes implements Codes {
  readonly rowCount: number;

  constructor(rowCount: number) {
    this.rowCount = rowCount;
  }

  at(): number {
    return 0;
  }

  decode(from: number, to: number, target: NumberVector): void {
    target.fill(0, 0, to - from);
  }

  gather(rows: Uint32Array, _first: number, target: NumberVector): void {
    target.fill(0, 0, rows.length);
  }

  rowCodes(): RowCodes {
    return NO_BITS;
  }

  firstFrom(code: number): number {
    return code === 0 ? 0 : this.rowCount;
  }

  select(filter: CodeFilter, words: Uint32Array): void {
    const selected = filter.kind === 'range' ? filter.from <= 0 && filter.to >= 0 : filter.table[0] === 1;
    if (selected) selectAll(words, this.rowCount);
    else words.fill(0);
  }
}
