import { KERNELS_BASE64 } from './generated.ts';
import type { Kernels } from './kernels.ts';

/** What is used of WebAssembly; Node's own types leave it out. */
interface WebAssemblyHost {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
}

/** The exports of assembly/index.ts. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  equal8(lanes: number, code: number, count: number, words: number): void;
  countRuns(words: number, offsets: number, runCount: number, counts: number): void;
}

const PAGE_BYTES = 65_536;
/** Lanes copied in at a time: with their bitmap they stay in the nearest cache. */
const LANES_PER_PIECE = 16_384;

let loaded: Kernels | undefined;

/** The kernels in WebAssembly, one instance a thread; undefined where the host has no SIMD. */
export function simdKernels(): Kernels | undefined {
  const host = (globalThis as unknown as { WebAssembly: WebAssemblyHost }).WebAssembly;
  const program = new Uint8Array(Buffer.from(KERNELS_BASE64, 'base64'));
  if (!host.validate(program)) return undefined;
  loaded ??= new SimdKernels(new host.Instance(new host.Module(program)).exports as Exports);
  return loaded;
}

/** Blocks live outside WebAssembly's memory: inputs are copied in and results out. */
class SimdKernels implements Kernels {
  readonly name = 'simd';
  readonly #exports: Exports;
  #bytes: Uint8Array;
  #words: Uint32Array;

  constructor(exports: Exports) {
    this.#exports = exports;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#words = new Uint32Array(exports.memory.buffer);
  }

  equal8(lanes: Uint8Array, code: number, words: Uint32Array): void {
    const wordsAt = LANES_PER_PIECE;
    this.#reserve(wordsAt + LANES_PER_PIECE / 8);
    for (let from = 0; from < lanes.length; from += LANES_PER_PIECE) {
      const piece = lanes.subarray(from, from + LANES_PER_PIECE);
      this.#bytes.set(piece, 0);
      this.#exports.equal8(0, code, piece.length, wordsAt);
      const wordCount = (piece.length + 31) >>> 5;
      words.set(this.#words.subarray(wordsAt >>> 2, (wordsAt >>> 2) + wordCount), from >>> 5);
    }
    // Lanes past the end are left over from earlier calls.
    const used = lanes.length & 31;
    if (used !== 0) words[words.length - 1]! &= (1 << used) - 1;
  }

  countRuns(words: Uint32Array, offsets: Uint32Array, counts: Uint32Array): void {
    const runCount = offsets.length - 1;
    const offsetsAt = (words.length * 4 + 7) & ~7;
    const countsAt = offsetsAt + offsets.length * 4;
    this.#reserve(countsAt + runCount * 4);
    this.#words.set(words, 0);
    this.#words.set(offsets, offsetsAt >>> 2);
    this.#exports.countRuns(0, offsetsAt, runCount, countsAt);
    counts.set(this.#words.subarray(countsAt >>> 2, (countsAt >>> 2) + runCount));
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    this.#exports.memory.grow(Math.ceil((bytes - this.#bytes.length) / PAGE_BYTES));
    this.#bytes = new Uint8Array(this.#exports.memory.buffer);
    this.#words = new Uint32Array(this.#exports.memory.buffer);
  }
}
