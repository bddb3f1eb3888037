import { assert } from '../../base/assert.ts';
import { ctz32, popcount32 } from '../../base/bitset.ts';
import type { Column } from '../../encoding/column.ts';
import { equalTo } from '../../encoding/contract.ts';
import { RankSamples, SAMPLE_ROWS } from './rankSamples.ts';

/** A bit a row of the sample that was looked at last. */
const words = new Uint32Array(SAMPLE_ROWS / 32);
const bytes = new Uint8Array(words.buffer);
const decoded = new Uint32Array(SAMPLE_ROWS);

/** Finds a user's rows by the column that has 1 for each user's first row, else 0. */
export class FirstRows {
  readonly #firsts: Column;
  #sampled: RankSamples | undefined;

  constructor(firsts: Column) {
    this.#firsts = firsts;
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    return this.#sampled?.memoryBytes ?? 0;
  }

  /** The rows [start, end) of the user with this number, which there must be. */
  rowsOf(user: number): { readonly start: number; readonly end: number } {
    const { rowCount } = this.#firsts;
    const sample = this.#samples.sampleOf(user);
    this.#read(sample);
    let left = user - this.#samples.before(sample);
    let w = 0;
    for (; w < words.length && left >= popcount32(words[w]!); w++) left -= popcount32(words[w]!);
    assert(w < words.length, 'there are as many first rows as were counted');
    let bits = words[w]!;
    for (; left > 0; left--) bits &= bits - 1;
    const start = sample * SAMPLE_ROWS + (w << 5) + ctz32(bits);
    bits &= bits - 1;
    // To where the next user begins, who may have none of this sample's rows, nor of the next ones'.
    for (let at = sample; ; ) {
      while (bits === 0 && ++w < words.length) bits = words[w]!;
      if (bits !== 0) return { start, end: at * SAMPLE_ROWS + (w << 5) + ctz32(bits) };
      if (user + 1 >= this.#samples.count) return { start, end: rowCount };
      at = this.#samples.sampleOf(user + 1);
      this.#read(at);
      w = -1;
    }
  }

  /** The number of the user who has this row. */
  userOf(row: number): number {
    const sample = Math.floor(row / SAMPLE_ROWS);
    this.#read(sample);
    const last = (row % SAMPLE_ROWS) >>> 5;
    let count = this.#samples.before(sample);
    for (let w = 0; w < last; w++) count += popcount32(words[w]!);
    return count + popcount32(words[last]! & (0xffffffff >>> (31 - (row & 31)))) - 1;
  }

  get #samples(): RankSamples {
    this.#sampled ??= new RankSamples(this.#firsts.select(equalTo(1)).words, this.#firsts.rowCount);
    return this.#sampled;
  }

  #read(sample: number): void {
    const from = sample * SAMPLE_ROWS;
    const to = Math.min(from + SAMPLE_ROWS, this.#firsts.rowCount);
    words.fill(0);
    if (this.#firsts.readBits(from, to, bytes)) return;
    this.#firsts.decode(from, to, decoded);
    for (let i = 0; i < to - from; i++) words[i >>> 5]! |= decoded[i]! << (i & 31);
  }
}
