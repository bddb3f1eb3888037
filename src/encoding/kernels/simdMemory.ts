import { assert } from '../../base/assert.ts';
import { type Differences, GATHERED_ROWS, type Packed, type RunBounds } from './kernels.ts';
import { type Exports, instantiate, SCRATCH_BYTES } from './wasm.ts';

/** Pieces begin at whole bytes of codes and at words of a bitmap. */
const PIECE_ROWS_UNIT = 64;
/** Vectors may be read past the last byte of what a caller keeps in the arena. */
const ARENA_SLACK_BYTES = 256;

/**
 * The memory of one instance of the kernels, and what several of them copy in and out. Blocks live outside of it: inputs
 * are copied in and results out, a piece at a time that stays in the nearest cache. It never grows, so views of it stay
 * valid.
 */
export class SimdMemory {
  readonly exports: Exports;
  /** Part of it that the kernels leave alone: packed codes in it are scanned where they are. */
  readonly arena: Uint8Array<ArrayBuffer>;
  /** See Kernels. */
  readonly near: Uint32Array;
  /** The whole of it, twice, and what begins at STEP, OUTPUT, RUNS and CODES (assembly/layout.ts). */
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly #buffer: ArrayBuffer;
  readonly steps: Uint32Array;
  readonly outputWords: Uint32Array;
  readonly outputDoubles: Float64Array;
  readonly runs: Uint32Array;
  readonly codes: Uint32Array;
  readonly listed: Uint32Array;

  constructor(arenaBytes: number) {
    const { memory, exports } = instantiate(SCRATCH_BYTES + arenaBytes + ARENA_SLACK_BYTES);
    this.exports = exports;
    const {
      ARENA,
      CODES,
      LISTED,
      NEAR,
      NEAR_BYTES,
      OUTPUT,
      OUTPUT_BYTES,
      RUNS,
      RUNS_BYTES,
      STEP,
      STEP_BYTES,
    } = exports;
    assert(ARENA <= SCRATCH_BYTES, 'the kernels have the memory they lay out');
    exports.prepareSpread();
    this.#buffer = memory.buffer;
    this.bytes = Buffer.from(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.arena = new Uint8Array(memory.buffer, ARENA, arenaBytes);
    this.near = new Uint32Array(memory.buffer, NEAR, NEAR_BYTES >>> 2);
    this.steps = new Uint32Array(memory.buffer, STEP, STEP_BYTES >>> 2);
    this.outputWords = new Uint32Array(memory.buffer, OUTPUT, OUTPUT_BYTES >>> 2);
    this.outputDoubles = new Float64Array(memory.buffer, OUTPUT, OUTPUT_BYTES >>> 3);
    // One for each run of a chunk's rows, and where the first begins and the last one ends.
    this.runs = new Uint32Array(memory.buffer, RUNS, RUNS_BYTES >>> 2);
    this.listed = new Uint32Array(memory.buffer, LISTED, GATHERED_ROWS);
    this.codes = new Uint32Array(memory.buffer, CODES, RUNS_BYTES >>> 2);
  }

  /** Rows that go through the memory at a time. */
  pieceRows(bits: number): number {
    return Math.floor((this.exports.INPUT_BYTES * 8) / (bits * PIECE_ROWS_UNIT)) * PIECE_ROWS_UNIT;
  }

  /**
   * Of shared memory `set` copies a word at a time, as if another thread were writing to it; `fill` with bytes as many
   * as there is room for is one memcpy, a third faster.
   */
  copyIn(bytes: Uint8Array, at: number): void {
    if (bytes.length > 0) this.bytes.fill(bytes, at, at + bytes.length);
  }

  /** As many as there is room for at STEP, and a 0 after them: the last 64-bit word may be half theirs. Returns how many. */
  copyWords(words: Uint32Array, from: number, at: number): number {
    const wordCount = Math.min(this.steps.length, words.length - from);
    this.bytes.fill(0, at + wordCount * 4, at + wordCount * 4 + 4);
    this.copyIn(bytesOf(words, from, from + wordCount), at);
    return wordCount;
  }

  unpackTo({ packed, bits }: Packed, count: number, target: number): void {
    const { INPUT, unpack } = this.exports;
    const pieceRows = this.pieceRows(bits);
    for (let row = 0; row < count; row += pieceRows) {
      const rowCount = Math.min(pieceRows, count - row);
      const from = (row >>> 3) * bits;
      this.copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT);
      unpack(INPUT, bits, rowCount, target + 4 * row);
    }
  }

  /** Behind as many numbers at `target` as rows are read before the first one. */
  sum(
    { packed, bits, least }: Differences,
    fromRow: number,
    count: number,
    start: number,
    target: number,
  ): void {
    const { INPUT, unpackSums } = this.exports;
    const pieceRows = this.pieceRows(bits);
    const end = fromRow + count;
    let before = start;
    let skip = fromRow & 7;
    for (let row = fromRow - skip, at = target; row < end; row += pieceRows, at += 4 * pieceRows, skip = 0) {
      const rowCount = Math.min(pieceRows, end - row);
      const from = (row >>> 3) * bits;
      this.copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT);
      before = unpackSums(INPUT, bits, skip, rowCount - skip, least, before, at);
    }
  }

  /** To RUNS, of all runs. Returns how many there are. */
  listEnds(bounds: RunBounds, rowCount: number): number {
    const { RUNS, STEP, positions } = this.exports;
    if (!('starts' in bounds)) {
      const { firstEnd, lengths } = bounds;
      this.runs[0] = firstEnd;
      this.sum(lengths, 0, lengths.count, firstEnd, RUNS + 4);
      return 1 + lengths.count;
    }
    const { starts } = bounds;
    // A word of 64 bits may be half theirs; a run ends where the next begins, which the first one does not.
    this.bytes.fill(0, STEP + starts.length, STEP + starts.length + 8);
    this.copyIn(starts, STEP);
    this.bytes[STEP]! &= 0xfe;
    const count = positions(STEP, (rowCount + 63) >>> 6, 0, RUNS);
    this.runs[count] = rowCount;
    return count + 1;
  }

  /**
   * Marks the rows at which runs begin, at STEP if not elsewhere, as far as whole words of 64 bits. Returns the number of the
   * run before the first mark. Leaves nothing as it was at INPUT, RUNS and CODES.
   */
  markStarts(bounds: RunBounds, rowEnd: number, at = this.exports.STEP): number {
    const { CODES, RUNS, markStarts } = this.exports;
    if ('starts' in bounds) {
      const byteCount = (rowEnd + 7) >>> 3;
      // A word of 64 bits may be half theirs.
      this.bytes.fill(0, at, at + byteCount + 8);
      this.copyIn(bounds.starts.subarray(0, byteCount), at);
      return -1;
    }
    const { firstEnd, lengths } = bounds;
    this.unpackTo(lengths, lengths.count, RUNS);
    const vectorCount = ((rowEnd + 63) >>> 6) << 2;
    markStarts(RUNS, lengths.count, lengths.least, firstEnd, CODES, vectorCount, at);
    return 0;
  }

  /** Whether the kernels find all of these where they are. */
  has(...arrays: readonly (Uint8Array | Uint32Array | Float64Array)[]): boolean {
    for (let i = 0; i < arrays.length; i++) if (arrays[i]!.buffer !== this.#buffer) return false;
    return true;
  }

  /** Where the kernels find these: where they are, or copied to `scratch`. */
  place(words: Uint32Array, scratch: number): number {
    if (this.has(words)) return words.byteOffset;
    this.copyIn(bytesOf(words, 0, words.length), scratch);
    return scratch;
  }

  /** Where the kernels put these: where they are, or at `scratch`. */
  resultAt(result: Uint32Array | Float64Array, scratch: number): number {
    return this.has(result) ? result.byteOffset : scratch;
  }

  /** Where the kernels find it. */
  targetIn(target: Uint32Array): number {
    if (target.buffer === this.bytes.buffer) return target.byteOffset;
    const { OUTPUT } = this.exports;
    this.copyIn(bytesOf(target, 0, target.length), OUTPUT);
    return OUTPUT;
  }

  targetOut(target: Uint32Array): void {
    if (target.buffer !== this.bytes.buffer) target.set(this.outputWords.subarray(0, target.length));
  }
}

/** The bits of the last word from `count` on. */
export function clearPast(words: Uint32Array, count: number): void {
  const used = count & 31;
  if (used !== 0) words[count >>> 5]! &= (1 << used) - 1;
}

export function bytesOf(words: Uint32Array, from: number, to: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + from * 4, (to - from) * 4);
}
