/** Places in memory are multiples of it: a line of a cache. */
const UNIT_BYTES = 64;

/**
 * Memory of a thread that arrays are taken from, one region of a buffer: to touch fresh memory costs as much as to compute
 * with it. Kernels lend it, who find what is in it where it is.
 */
class LentMemory {
  readonly buffer: ArrayBuffer;
  /** Ascending, none next to another. */
  readonly #free: { from: number; to: number }[];
  readonly #begin: number;
  readonly #byteLength: number;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) {
    this.buffer = buffer;
    const from = Math.ceil(byteOffset / UNIT_BYTES) * UNIT_BYTES;
    const to = Math.floor((byteOffset + byteLength) / UNIT_BYTES) * UNIT_BYTES;
    this.#free = [{ from, to }];
    this.#begin = from;
    this.#byteLength = to - from;
  }

  /** Up to the last byte that ever was taken: behind it the memory is untouched. */
  touchedBytes = 0;

  get takenBytes(): number {
    return this.#byteLength - this.#free.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  get roomBytes(): number {
    return Math.max(0, ...this.#free.map(({ from, to }) => to - from));
  }

  /** The first place that is large enough; undefined when there is none. */
  take(byteLength: number): number | undefined {
    const needed = roundedUp(byteLength);
    const i = this.#free.findIndex(({ from, to }) => to - from >= needed);
    const found = this.#free[i];
    if (found === undefined) return undefined;
    const place = found.from;
    found.from += needed;
    if (found.from === found.to) this.#free.splice(i, 1);
    this.touchedBytes = Math.max(this.touchedBytes, place + needed - this.#begin);
    return place;
  }

  giveBack(from: number, byteLength: number): void {
    const to = from + roundedUp(byteLength);
    let i = this.#free.findIndex((each) => each.from >= to);
    if (i === -1) i = this.#free.length;
    const [before, behind] = [this.#free[i - 1], this.#free[i]];
    const first = before?.to === from ? before : { from, to };
    if (first !== before) this.#free.splice(i, 0, first);
    first.to = to;
    if (behind?.from !== to) return;
    first.to = behind.to;
    this.#free.splice(this.#free.indexOf(behind), 1);
  }
}

function roundedUp(byteLength: number): number {
  return Math.max(1, Math.ceil(byteLength / UNIT_BYTES)) * UNIT_BYTES;
}

let lent: LentMemory | undefined;

/** From now on arrays are taken from there, as long as there is room. To be done once, before any is taken. */
export function lendMemory(bytes: Uint8Array<ArrayBuffer>): void {
  lent = new LentMemory(bytes);
}

/** What of the memory that was lent is taken. */
export function takenArrayBytes(): number {
  return lent?.takenBytes ?? 0;
}

/** The largest piece of it that is not taken. */
export function roomForArraysBytes(): number {
  return lent?.roomBytes ?? 0;
}

/** What of it takes memory of the machine. */
export function touchedArrayBytes(): number {
  return lent?.touchedBytes ?? 0;
}

/** Where arrays may come from. */
export type ArraySource = Pick<SpareArrays, 'words' | 'numbers' | 'giveBack'>;

/** Ordinary ones, which nobody need give back. */
export const ordinaryArrays: ArraySource = {
  words: (length) => new Uint32Array(length),
  numbers: (length) => new Float64Array(length),
  giveBack: () => {},
};

type Taken = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The arrays of one query, or of a block being made, which are its own until it gives them back, or ends. */
export class SpareArrays {
  readonly #taken = new Set<Uint8Array | Uint32Array | Float64Array>();

  /** All 0. */
  counts(length: number): Uint32Array<ArrayBuffer> {
    return this.words(length).fill(0);
  }

  /** What is in them may be anything. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return this.#take(Uint8Array, length);
  }

  /** What is in them may be anything. */
  words(length: number): Uint32Array<ArrayBuffer> {
    return this.#take(Uint32Array, length);
  }

  /** What is in them may be anything. */
  numbers(length: number): Float64Array<ArrayBuffer> {
    return this.#take(Float64Array, length);
  }

  /** Those that were taken here, and that nobody uses from now on; of others nothing happens. */
  giveBack(...arrays: readonly (Uint8Array | Uint32Array | Float64Array)[]): void {
    for (const array of arrays)
      if (this.#taken.delete(array)) lent?.giveBack(array.byteOffset, array.byteLength);
  }

  giveBackAll(): void {
    this.giveBack(...this.#taken);
  }

  #take<T extends Taken>(
    make: { new (buffer: ArrayBuffer, at: number, length: number): T; new (length: number): T } & {
      readonly BYTES_PER_ELEMENT: number;
    },
    length: number,
  ): T {
    const place = lent?.take(length * make.BYTES_PER_ELEMENT);
    if (lent === undefined || place === undefined) return new make(length);
    const array = new make(lent.buffer, place, length);
    this.#taken.add(array);
    return array;
  }
}
