import { MusterError } from './errors.ts';
import { type ArraySource, ordinaryArrays, SpareArrays } from './spareArrays.ts';

/**
 * What one piece of work may take of memory, as far as it grows with the data: whoever allocates so many bytes says so
 * first, and says when they are free again before the end. What is small or of a fixed size is not counted.
 */
export class MemoryBudget {
  /** Whatever of them is not given back before is when the work ends: see `close`. */
  readonly arrays = new SpareArrays();
  readonly #bytesMax: number;
  #bytes = 0;
  #bytesPeak = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Taken and not free again. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The most that was taken at once. */
  get bytesPeak(): number {
    return this.#bytesPeak;
  }

  /** Throws `too_large` when there is not so much left. */
  charge(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#bytesMax) {
      const message =
        `the query needs more than ${Math.round(this.#bytesMax / 2 ** 20)} MiB of memory on one thread: ` +
        'ask for fewer segments at once, a shorter time or fewer groups, or raise queryMemoryLimit';
      throw new MusterError('too_large', message);
    }
    this.#bytesPeak = Math.max(this.#bytesPeak, this.#bytes);
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Nothing works on what it took any more. */
  close(): void {
    this.arrays.giveBackAll();
  }
}

/** Where arrays come from that nobody need give back: with a budget they are when it closes, else they are ordinary. */
export function arraysUntilClosed(budget: MemoryBudget | undefined): ArraySource {
  return budget?.arrays ?? ordinaryArrays;
}

/** Of work without a budget. */
const unbudgeted = new SpareArrays();

/** Where arrays come from that are to be given back in any case. */
export function arraysOf(budget: MemoryBudget | undefined): SpareArrays {
  return budget?.arrays ?? unbudgeted;
}
