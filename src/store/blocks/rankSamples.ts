import { popcount32 } from '../../base/bitset.ts';
import { lastAtMost } from '../../base/search.ts';

/** Rows between two samples. */
export const SAMPLE_ROWS = 512;
/** Rows between two counts from the start: those of samples in between are from there, and fit 16 bits. */
const BASE_ROWS = 1 << 16;
const SAMPLES_PER_BASE = BASE_ROWS / SAMPLE_ROWS;

/** How many bits of a bitmap are set before every SAMPLE_ROWS-th row: 2 bytes each. */
export class RankSamples {
  readonly count: number;
  readonly #bases: Uint32Array;
  readonly #samples: Uint16Array;

  constructor(words: Uint32Array, rowCount: number) {
    this.#bases = new Uint32Array(Math.ceil(rowCount / BASE_ROWS));
    this.#samples = new Uint16Array(Math.ceil(rowCount / SAMPLE_ROWS));
    let count = 0;
    for (let w = 0; w < words.length; w++) {
      const row = w << 5;
      if (row % BASE_ROWS === 0) this.#bases[row / BASE_ROWS] = count;
      if (row % SAMPLE_ROWS === 0)
        this.#samples[row / SAMPLE_ROWS] = count - this.#bases[Math.floor(row / BASE_ROWS)]!;
      count += popcount32(words[w]!);
    }
    this.count = count;
  }

  get memoryBytes(): number {
    return this.#bases.byteLength + this.#samples.byteLength;
  }

  /** Before row sample * SAMPLE_ROWS. */
  before(sample: number): number {
    return this.#bases[Math.floor(sample / SAMPLES_PER_BASE)]! + this.#samples[sample]!;
  }

  /** The last sample before which at most so many are set. */
  sampleOf(rank: number): number {
    const base = lastAtMost(this.#bases, rank);
    const from = base * SAMPLES_PER_BASE;
    const samples = this.#samples.subarray(from, from + SAMPLES_PER_BASE);
    return from + lastAtMost(samples, rank - this.#bases[base]!);
  }
}
