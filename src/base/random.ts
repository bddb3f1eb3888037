import { randomBytes } from 'node:crypto';

/** Chance as logic sees it. */
export interface Random {
  /** `size` fresh bytes, owned by the caller. */
  bytes(size: number): Uint8Array;
  /** Uniform in [0, 1). */
  fraction(): number;
}

export const realRandom: Random = {
  bytes: (size) => new Uint8Array(randomBytes(size)),
  fraction: () => Math.random(),
};

/** Deterministic, for the simulator and seeded tests: sfc32 (C. Doty-Humphrey, PractRand). */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = (seed / 0x1_0000_0000) | 0;
    this.#c = 0x9e3779b9;
    for (let i = 0; i < 15; i++) this.uint32();
  }

  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** Uniform whole number in [0, end). */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  bytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = this.uint32();
    return bytes;
  }
}
