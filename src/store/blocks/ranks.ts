import { codeFilter } from './codeFilter.ts';
import type { NumberColumn } from './numberColumn.ts';
import { RankSamples, SAMPLE_ROWS } from './rankSamples.ts';

const scratch = new Uint32Array(SAMPLE_ROWS);

/** Counts the rows of a column that have one of some codes. */
export class Ranks {
  readonly #codes: NumberColumn;
  /** table[code] is 1 for the codes that count. */
  readonly #table: Uint8Array;
  #samples: RankSamples | undefined;
  #lastRow = 0;
  #lastRank = 0;

  constructor(codes: NumberColumn, table: Uint8Array) {
    this.#codes = codes;
    this.#table = table;
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    return this.#samples?.memoryBytes ?? 0;
  }

  /** How many of the rows before this one count. Goes on from the last row asked about where that is near. */
  rank(row: number): number {
    const sample = Math.floor(row / SAMPLE_ROWS);
    if (row < this.#lastRow || sample * SAMPLE_ROWS > this.#lastRow) {
      this.#samples ??= new RankSamples(
        this.#codes.select(codeFilter(this.#table)).words,
        this.#codes.rowCount,
      );
      const isEnd = row === this.#codes.rowCount;
      this.#lastRow = isEnd ? row : sample * SAMPLE_ROWS;
      this.#lastRank = isEnd ? this.#samples.count : this.#samples.before(sample);
    }
    const length = row - this.#lastRow;
    if (length > 0) this.#codes.decode(this.#lastRow, row, scratch);
    this.#lastRank += counted(scratch, length, this.#table);
    this.#lastRow = row;
    return this.#lastRank;
  }
}

function counted(codes: Uint32Array, length: number, table: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < length; i++) count += table[codes[i]!]!;
  return count;
}
