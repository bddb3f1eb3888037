import { assert } from '../../base/assert.ts';
import { firstFrom } from '../../base/search.ts';
import type { NumberVector, Runs } from '../contract.ts';
import type {
  Differences,
  GroupedRows,
  Kernels,
  Packed,
  RowCodes,
  RunBounds,
  RunRowCodes,
} from './kernels.ts';
import { plainKernels } from './plain.ts';
import { countRange } from './runs.ts';
import { newSimdTally } from './simdTally.ts';
import { type Exports, hasSimd, instantiate, SCRATCH_BYTES } from './wasm.ts';

/** Pieces begin at whole bytes of codes and at words of a bitmap. */
const PIECE_ROWS_UNIT = 64;
/** Wider codes may spread over more bytes than a lane has. */
const BOUNDS_BITS_MAX = 25;
/** For fewer it costs more to copy in and out. */
const REPEATED_ROWS_MIN = 256;
/** With more cells it costs more to copy them in and out. */
const GROUP_CELLS_MAX = 1 << 13;
/** Vectors may be read past the last byte of what a caller keeps in the arena. */
const ARENA_SLACK_BYTES = 256;

let shared: SimdKernels | undefined;

/** The kernels in WebAssembly, one instance a thread; undefined where the host has no SIMD. */
export function simdKernels(): SimdKernels | undefined {
  shared ??= simdKernelsWithArena(0);
  return shared;
}

/** An instance of its own, with room for what is to be scanned without being copied. */
export function simdKernelsWithArena(arenaBytes: number): SimdKernels | undefined {
  return hasSimd() ? new SimdKernels(arenaBytes) : undefined;
}

/**
 * Blocks live outside WebAssembly's memory: inputs are copied in and results out, a piece at a time that stays in the
 * nearest cache. Packed codes in the arena are scanned where they are. What only passes over its input once, or jumps
 * about in it, gains nothing from being copied: that stays with the twin.
 */
class SimdKernels implements Kernels {
  readonly name = 'simd';
  /** Part of the memory that the kernels leave alone. The memory never grows, so views of it stay valid. */
  readonly arena: Uint8Array;
  readonly near: Uint32Array;
  readonly #exports: Exports;
  /** The whole memory, and parts of it. */
  readonly #bytes: Buffer;
  readonly #outputWords: Uint32Array;
  readonly #outputDoubles: Float64Array;
  readonly #runs: Uint32Array;
  readonly #codes: Uint32Array;
  readonly #steps: Uint32Array;
  readonly #stepWords: number;

  readonly reduceRuns = plainKernels.reduceRuns;
  readonly newTally = newSimdTally;

  constructor(arenaBytes: number) {
    const { memory, exports } = instantiate(SCRATCH_BYTES + arenaBytes + ARENA_SLACK_BYTES);
    this.#exports = exports;
    const { ARENA, CODES, NEAR, NEAR_BYTES, OUTPUT, OUTPUT_BYTES, RUNS, RUNS_BYTES, STEP, STEP_BYTES } =
      this.#exports;
    assert(ARENA.value <= SCRATCH_BYTES, 'the kernels have the memory they lay out');
    this.#exports.prepareSpread();
    this.#stepWords = STEP_BYTES.value >>> 2;
    this.#steps = new Uint32Array(memory.buffer, STEP.value, this.#stepWords);
    this.arena = new Uint8Array(memory.buffer, ARENA.value, arenaBytes);
    this.near = new Uint32Array(memory.buffer, NEAR.value, NEAR_BYTES.value >>> 2);
    this.#bytes = Buffer.from(memory.buffer);
    this.#outputWords = new Uint32Array(memory.buffer, OUTPUT.value, OUTPUT_BYTES.value >>> 2);
    this.#outputDoubles = new Float64Array(memory.buffer, OUTPUT.value, OUTPUT_BYTES.value >>> 3);
    // One for each run of a chunk's rows, and where the first begins and the last one ends.
    this.#runs = new Uint32Array(memory.buffer, RUNS.value, RUNS_BYTES.value >>> 2);
    this.#codes = new Uint32Array(memory.buffer, CODES.value, RUNS_BYTES.value >>> 2);
  }

  /** Rows that go through the memory at a time. */
  pieceRows(bits: number): number {
    return Math.floor((this.#exports.INPUT_BYTES.value * 8) / (bits * PIECE_ROWS_UNIT)) * PIECE_ROWS_UNIT;
  }

  selectEqual(packed: Uint8Array, bits: number, code: number, count: number, words: Uint32Array): void {
    if (bits !== 8 || code > 255) this.selectRange(packed, bits, code, code, count, words);
    else {
      const { OUTPUT, equal8 } = this.#exports;
      this.#select(packed, bits, count, words, (at, rowCount) => equal8(at, code, rowCount, OUTPUT.value));
    }
  }

  selectRange(
    packed: Uint8Array,
    bits: number,
    from: number,
    to: number,
    count: number,
    words: Uint32Array,
  ): void {
    const codeMax = 2 ** bits - 1;
    const span = Math.min(to, codeMax) - from;
    if (span < 0) words.fill(0, 0, (count + 31) >>> 5);
    else if (bits === 1 || bits === 2 || bits === 4) {
      const table = new Uint8Array(codeMax + 1).fill(1, from, from + span + 1);
      this.selectSet(packed, bits, table, count, words);
    } else {
      const { OUTPUT, prepare, selectRange } = this.#exports;
      prepare(bits, from, span);
      this.#select(packed, bits, count, words, (at, rowCount) =>
        selectRange(at, bits, from, span, rowCount, OUTPUT.value),
      );
    }
  }

  selectRangeBounds(
    packed: Uint8Array,
    bits: number,
    from: number,
    to: number,
    count: number,
    words: Uint32Array,
    groups: Uint32Array,
  ): number {
    const { INPUT, OUTPUT, RUNS, selectRangeBounds } = this.#exports;
    const span = Math.min(to, 2 ** bits - 1) - from;
    if (bits > BOUNDS_BITS_MAX || count > this.pieceRows(bits) || span < 0 || to !== from + span) {
      return plainKernels.selectRangeBounds(packed, bits, from, to, count, words, groups);
    }
    this.#copyIn(packed.subarray(0, Math.ceil((count * bits) / 8)), INPUT.value);
    const found = selectRangeBounds(INPUT.value, bits, from, span, count, OUTPUT.value, RUNS.value);
    words.set(this.#outputWords.subarray(0, (count + 31) >>> 5));
    clearPast(words, count);
    groups.set(this.#runs.subarray(0, Math.min(found, groups.length)));
    return found;
  }

  and(words: Uint32Array, others: Uint32Array): void {
    const { INPUT, STEP, and } = this.#exports;
    for (let from = 0; from < words.length; from += this.#stepWords) {
      const wordCount = this.#copyWords(words, from, STEP.value);
      this.#copyIn(bytesOf(others, from, from + wordCount), INPUT.value);
      and(STEP.value, INPUT.value, (wordCount + 3) >>> 2);
      words.set(this.#steps.subarray(0, wordCount), from);
    }
  }

  selectSet(packed: Uint8Array, bits: number, table: Uint8Array, count: number, words: Uint32Array): void {
    const { SET, OUTPUT, prepare, prepareSet, selectSet } = this.#exports;
    const codes = 2 ** bits;
    this.#bytes.fill(0, SET.value, SET.value + Math.max(codes, 256));
    this.#bytes.set(table.length > codes ? table.subarray(0, codes) : table, SET.value);
    prepareSet(bits);
    prepare(bits, 0, 0);
    this.#select(packed, bits, count, words, (at, rowCount) => selectSet(at, bits, rowCount, OUTPUT.value));
  }

  unpack(packed: Uint8Array, bits: number, fromRow: number, count: number, target: Uint32Array): void {
    const { INPUT, OUTPUT, unpack } = this.#exports;
    const pieceRows = Math.min(this.#outputWords.length, this.pieceRows(bits));
    const skip = fromRow & 7;
    for (let row = fromRow - skip; row < fromRow + count; row += pieceRows) {
      const rowCount = Math.min(pieceRows, fromRow + count - row);
      const from = (row >>> 3) * bits;
      this.#copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT.value);
      unpack(INPUT.value, bits, rowCount, OUTPUT.value);
      const first = Math.max(fromRow, row);
      target.set(this.#outputWords.subarray(first - row, rowCount), first - fromRow);
    }
  }

  fillRuns(runs: Uint32Array, firstEnd: number, lengths: Differences, words: Uint32Array): void {
    const { OUTPUT, RUNS, STEP, fillRuns } = this.#exports;
    const runCount = 1 + lengths.count;
    this.#runs[0] = 0;
    this.#runs[1] = firstEnd;
    this.#sum(lengths, 0, lengths.count, firstEnd, RUNS.value + 8);
    const rowCount = this.#runs[runCount]!;
    const wordCount = (rowCount + 31) >>> 5;
    this.#copyWords(runs, 0, STEP.value);
    fillRuns(STEP.value, runCount, RUNS.value, (wordCount + 1) >>> 1, OUTPUT.value);
    words.set(this.#outputWords.subarray(0, wordCount));
    clearPast(words, rowCount);
  }

  fillStarts(runs: Uint32Array, starts: Uint8Array, rowCount: number, words: Uint32Array): void {
    const { INPUT, STEP, OUTPUT, fillStarts } = this.#exports;
    this.#copyIn(starts, STEP.value);
    this.#copyIn(bytesOf(runs, 0, runs.length), INPUT.value + 1);
    fillStarts(INPUT.value, STEP.value, (rowCount + 127) >>> 7, OUTPUT.value);
    words.set(this.#outputWords.subarray(0, (rowCount + 31) >>> 5));
    clearPast(words, rowCount);
  }

  repeat(codes: Uint32Array, ends: Uint32Array, row: number, target: NumberVector): number {
    if (target.length < REPEATED_ROWS_MIN || target.length > this.#outputWords.length) {
      return plainKernels.repeat(codes, ends, row, target);
    }
    const { INPUT, OUTPUT, RUNS, repeat } = this.#exports;
    this.#copyIn(bytesOf(codes, 0, codes.length), INPUT.value);
    this.#copyIn(bytesOf(ends, 0, ends.length), RUNS.value);
    const next = repeat(INPUT.value, RUNS.value, codes.length, row, row + target.length, OUTPUT.value);
    target.set(this.#outputWords.subarray(0, next - row));
    return next;
  }

  classRuns(
    codes: Packed,
    bounds: RunBounds,
    rowCount: number,
    table: Uint32Array,
    shift: number,
    target: Runs,
  ): number {
    if (table.length > this.#outputWords.length) {
      return plainKernels.classRuns(codes, bounds, rowCount, table, shift, target);
    }
    const { CODES, OUTPUT, RUNS, classRuns } = this.#exports;
    const runCount = this.#listEnds(bounds, rowCount);
    this.#unpackTo(codes, runCount, CODES.value);
    this.#copyIn(bytesOf(table, 0, table.length), OUTPUT.value);
    const found = classRuns(CODES.value, RUNS.value, runCount, OUTPUT.value, shift, table.length - 1);
    target.classes.set(this.#codes.subarray(0, found));
    target.ends.set(this.#runs.subarray(0, found));
    return found;
  }

  /** To RUNS, of all runs. Returns how many there are. */
  #listEnds(bounds: RunBounds, rowCount: number): number {
    const { RUNS, STEP, positions } = this.#exports;
    if (!('starts' in bounds)) {
      const { firstEnd, lengths } = bounds;
      this.#runs[0] = firstEnd;
      this.#sum(lengths, 0, lengths.count, firstEnd, RUNS.value + 4);
      return 1 + lengths.count;
    }
    const { starts } = bounds;
    // A word of 64 bits may be half theirs; a run ends where the next begins, which the first one does not.
    this.#bytes.fill(0, STEP.value + starts.length, STEP.value + starts.length + 8);
    this.#copyIn(starts, STEP.value);
    this.#bytes[STEP.value]! &= 0xfe;
    const count = positions(STEP.value, (rowCount + 63) >>> 6, 0, RUNS.value);
    this.#runs[count] = rowCount;
    return count + 1;
  }

  #unpackTo({ packed, bits }: Packed, count: number, target: number): void {
    const { INPUT, unpack } = this.#exports;
    const pieceRows = this.pieceRows(bits);
    for (let row = 0; row < count; row += pieceRows) {
      const rowCount = Math.min(pieceRows, count - row);
      const from = (row >>> 3) * bits;
      this.#copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT.value);
      unpack(INPUT.value, bits, rowCount, target + 4 * row);
    }
  }

  positions(words: Uint32Array, base: number, skip: number, target: Uint32Array): number {
    const { RUNS, STEP, positions } = this.#exports;
    const wordCount = this.#copyWords(words, 0, STEP.value);
    const end = positions(STEP.value, (wordCount + 1) >>> 1, base, RUNS.value);
    const count = Math.max(0, Math.min(end - skip, target.length));
    target.set(this.#runs.subarray(skip, skip + count));
    return count;
  }

  positionsOf(words: Uint32Array, base: number, rows: Uint32Array, first: number, target: Uint32Array): void {
    const { INPUT, OUTPUT, RUNS, positionsOf } = this.#exports;
    this.#copyWords(words, 0, INPUT.value);
    this.#copyIn(bytesOf(rows, 0, rows.length), RUNS.value);
    positionsOf(INPUT.value, base, RUNS.value, rows.length, first, OUTPUT.value);
    target.set(this.#outputWords.subarray(0, rows.length));
  }

  countUsers(rows: Uint32Array, firsts: Uint32Array, found: Uint32Array): number {
    const { INPUT, RUNS, STEP, countUsers } = this.#exports;
    const wordCount = this.#copyWords(rows, 0, STEP.value);
    this.#copyWords(firsts, 0, INPUT.value);
    const count = countUsers(STEP.value, INPUT.value, (wordCount + 1) >>> 1, RUNS.value);
    found.set(this.#runs.subarray(0, count + 1));
    return count;
  }

  sum(differences: Differences, fromRow: number, count: number, start: number, target: Uint32Array): void {
    const skip = fromRow & 7;
    this.#sum(differences, fromRow, count, start, this.#exports.RUNS.value);
    target.set(this.#runs.subarray(skip, skip + count));
  }

  /** Behind as many numbers at `target` as rows are read before the first one. */
  #sum(
    { packed, bits, least }: Differences,
    fromRow: number,
    count: number,
    start: number,
    target: number,
  ): void {
    const { INPUT, unpackSums } = this.#exports;
    const pieceRows = this.pieceRows(bits);
    const end = fromRow + count;
    let before = start;
    let skip = fromRow & 7;
    for (let row = fromRow - skip, at = target; row < end; row += pieceRows, at += 4 * pieceRows, skip = 0) {
      const rowCount = Math.min(pieceRows, end - row);
      const from = (row >>> 3) * bits;
      this.#copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT.value);
      before = unpackSums(INPUT.value, bits, skip, rowCount - skip, least, before, at);
    }
  }

  countRuns(words: Uint32Array, offsets: Uint32Array, counts: Uint32Array): void {
    const { INPUT, INPUT_BYTES, STEP, OUTPUT, countRuns } = this.#exports;
    const runCount = offsets.length - 1;
    const runsMax = this.#stepWords - 1;
    const rowsMax = INPUT_BYTES.value * 8;
    for (let run = 0; run < runCount; ) {
      const base = offsets[run]! & ~63;
      let end = Math.min(run + runsMax, runCount);
      while (end > run + 1 && offsets[end]! - base > rowsMax) end = (run + end) >>> 1;
      if (offsets[end]! - base > rowsMax) counts[run] = countRange(words, offsets[run]!, offsets[end]!);
      else {
        this.#copyIn(bytesOf(words, base >>> 5, (offsets[end]! + 31) >>> 5), INPUT.value);
        this.#copyIn(bytesOf(offsets, run, end + 1), STEP.value);
        countRuns(INPUT.value, base, STEP.value, end - run, OUTPUT.value);
        counts.set(this.#outputWords.subarray(0, end - run), run);
      }
      run = end;
    }
  }

  gather(packed: Uint8Array, bits: number, rows: Uint32Array, first: number, target: Uint32Array): void {
    const { INPUT, OUTPUT, RUNS, gather } = this.#exports;
    const pieceRows = this.pieceRows(bits);
    for (let i = 0; i < rows.length; ) {
      // From a whole byte on, as far as there is room for.
      const pieceFrom = (rows[i]! - first) & ~7;
      const end = firstFrom(rows, i, rows.length, first + pieceFrom + pieceRows);
      const from = (pieceFrom >>> 3) * bits;
      const to = Math.ceil(((rows[end - 1]! - first + 1) * bits) / 8);
      this.#copyIn(packed.subarray(from, to), INPUT.value);
      this.#copyIn(bytesOf(rows, i, end), RUNS.value);
      gather(INPUT.value, bits, RUNS.value, first + pieceFrom, end - i, OUTPUT.value);
      target.set(this.#outputWords.subarray(0, end - i), i);
      i = end;
    }
  }

  ranks(words: Uint32Array, rows: Uint32Array, first: number, before: number, target: Uint32Array): void {
    const { INPUT, OUTPUT, RUNS, ranks } = this.#exports;
    if (rows.length === 0) return;
    const wordCount = (rows[rows.length - 1]! - first + 32) >>> 5;
    this.#copyIn(bytesOf(words, 0, wordCount), INPUT.value);
    this.#copyIn(bytesOf(rows, 0, rows.length), RUNS.value);
    ranks(INPUT.value, RUNS.value, first, rows.length, before, OUTPUT.value);
    target.set(this.#outputWords.subarray(0, rows.length));
  }

  gatherRuns(codes: Packed, bounds: RunBounds, rows: Uint32Array, first: number, target: Uint32Array): void {
    if (rows.length === 0) return;
    const { OUTPUT, RUNS, STEP, gatherRanked } = this.#exports;
    const { packed, bits } = codes;
    const rowEnd = rows[rows.length - 1]! - first + 1;
    const runsBefore = this.#markStarts(bounds, rowEnd);
    this.#copyIn(packed, RUNS.value);
    this.#copyIn(bytesOf(rows, 0, rows.length), OUTPUT.value);
    gatherRanked(STEP.value, runsBefore, RUNS.value, bits, OUTPUT.value, first, rows.length);
    target.set(this.#outputWords.subarray(0, rows.length));
  }

  gatherSplit(
    codes: Packed,
    bounds: RunBounds,
    low: Packed,
    rows: Uint32Array,
    first: number,
    target: Float64Array,
  ): void {
    if (rows.length === 0) return;
    const { CODES, INPUT, OUTPUT, RUNS, STEP, gatherSplit } = this.#exports;
    const rowEnd = rows[rows.length - 1]! - first + 1;
    const runsBefore = this.#markStarts(bounds, rowEnd);
    this.#copyIn(codes.packed, RUNS.value);
    this.#copyIn(low.packed.subarray(0, Math.ceil((rowEnd * low.bits) / 8)), CODES.value);
    this.#copyIn(bytesOf(rows, 0, rows.length), INPUT.value);
    gatherSplit(
      STEP.value,
      runsBefore,
      RUNS.value,
      codes.bits,
      CODES.value,
      low.bits,
      INPUT.value,
      first,
      rows.length,
      OUTPUT.value,
    );
    target.set(this.#outputDoubles.subarray(0, rows.length));
  }

  /** At STEP, of the rows at which runs begin. Returns the number of the run before the first that is set. */
  #markStarts(bounds: RunBounds, rowEnd: number): number {
    const { RUNS, STEP, mark } = this.#exports;
    const byteCount = (rowEnd + 7) >>> 3;
    // A word of 64 bits may be half theirs.
    this.#bytes.fill(0, STEP.value, STEP.value + byteCount + 8);
    if ('starts' in bounds) {
      this.#copyIn(bounds.starts.subarray(0, byteCount), STEP.value);
      return -1;
    }
    const { firstEnd, lengths } = bounds;
    this.#runs[0] = firstEnd;
    this.#sum(lengths, 0, lengths.count, firstEnd, RUNS.value + 4);
    const endCount = firstFrom(this.#runs, 0, 1 + lengths.count, rowEnd);
    mark(RUNS.value, endCount, STEP.value);
    return 0;
  }

  places(words: Uint32Array, rows: Uint32Array, first: number, before: number, target: Uint32Array): number {
    if (rows.length === 0) return 0;
    const { OUTPUT, STEP, places } = this.#exports;
    const wordCount = (rows[rows.length - 1]! - first + 32) >>> 5;
    this.#copyWords(words.subarray(0, wordCount), 0, STEP.value);
    this.#copyIn(bytesOf(rows, 0, rows.length), OUTPUT.value);
    const missing = places(STEP.value, OUTPUT.value, first, rows.length, before);
    target.set(this.#outputWords.subarray(0, rows.length));
    return missing;
  }

  listRows(
    selected: Uint32Array,
    firsts: Uint32Array,
    before: { readonly row: number; readonly user: number },
    rows: Uint32Array,
    users: Uint32Array,
  ): number {
    const { INPUT, OUTPUT, RUNS, STEP, listRows } = this.#exports;
    const wordCount = this.#copyWords(selected, 0, STEP.value);
    this.#copyWords(firsts, 0, INPUT.value);
    const { row, user } = before;
    const words64 = (wordCount + 1) >>> 1;
    const count = listRows(STEP.value, INPUT.value, words64, row, user, OUTPUT.value, RUNS.value);
    rows.set(this.#outputWords.subarray(0, count));
    users.set(this.#runs.subarray(0, count));
    return count;
  }

  addCodes(selected: Uint32Array, row: number, codes: RowCodes, factor: number, target: Uint32Array): void {
    const { CODES, INPUT, STEP, addCodes, addRunCodes } = this.#exports;
    const { packed, bits, bounds } = codes;
    const rowEnd = row + 32 * selected.length;
    const before = bounds === undefined ? 0 : this.#markStarts(bounds, rowEnd);
    const words64 = (this.#copyWords(selected, 0, INPUT.value) + 1) >>> 1;
    const at = this.#targetIn(target);
    if (bounds === undefined) {
      this.#copyIn(packed.subarray((row >>> 3) * bits, Math.ceil((rowEnd * bits) / 8)), CODES.value);
      addCodes(INPUT.value, words64, CODES.value, bits, factor, at);
    } else {
      this.#copyIn(packed, CODES.value);
      addRunCodes(INPUT.value, words64, STEP.value, row, before, CODES.value, bits, factor, at);
    }
    this.#targetOut(target);
  }

  addPlaces(
    selected: Uint32Array,
    row: number,
    { packed, bits, bounds }: RunRowCodes,
    places: Uint32Array,
    target: Uint32Array,
    others: Uint32Array,
  ): number {
    const { CODES, INPUT, RUNS, STEP, addRunPlaces } = this.#exports;
    const before = this.#markStarts(bounds, row + 32 * selected.length);
    const words64 = (this.#copyWords(selected, 0, INPUT.value) + 1) >>> 1;
    this.#copyIn(packed, CODES.value);
    this.#copyIn(bytesOf(places, 0, places.length), RUNS.value);
    const at = this.#targetIn(target);
    const found = addRunPlaces(
      ...([INPUT.value, words64, STEP.value, row, before, CODES.value, bits] as const),
      ...([RUNS.value, at, RUNS.value + places.byteLength] as const),
    );
    this.#targetOut(target);
    others.set(this.#runs.subarray(places.length, places.length + 3 * found));
    return found;
  }

  rankRows(selected: Uint32Array, firsts: Uint32Array, before: number, target: Uint32Array): void {
    const { INPUT, STEP, rankRows } = this.#exports;
    const wordCount = this.#copyWords(selected, 0, INPUT.value);
    this.#copyWords(firsts, 0, STEP.value);
    rankRows(INPUT.value, STEP.value, (wordCount + 1) >>> 1, before, this.#targetIn(target));
    this.#targetOut(target);
  }

  countGroups(
    rows: GroupedRows,
    width: number,
    alone: Uint32Array,
    counts: Uint32Array,
    several: Uint32Array,
  ): number {
    const { users, codes, intervals } = rows;
    const isNear = [users, codes, intervals].every(({ buffer }) => buffer === this.#bytes.buffer);
    if (!isNear || alone.length + counts.length > GROUP_CELLS_MAX) {
      return plainKernels.countGroups(rows, width, alone, counts, several);
    }
    const { OUTPUT, RUNS, countGroups } = this.#exports;
    const countsAt = RUNS.value + alone.byteLength;
    this.#copyIn(bytesOf(alone, 0, alone.length), RUNS.value);
    this.#copyIn(bytesOf(counts, 0, counts.length), countsAt);
    const found = countGroups(
      ...([users.byteOffset, codes.byteOffset, intervals.byteOffset, users.length] as const),
      ...([width, RUNS.value, countsAt, OUTPUT.value] as const),
    );
    alone.set(this.#runs.subarray(0, alone.length));
    counts.set(this.#runs.subarray(alone.length, alone.length + counts.length));
    several.set(this.#outputWords.subarray(0, found));
    return found;
  }

  /** Where the kernels find it. */
  #targetIn(target: Uint32Array): number {
    if (target.buffer === this.#bytes.buffer) return target.byteOffset;
    const { OUTPUT } = this.#exports;
    this.#copyIn(bytesOf(target, 0, target.length), OUTPUT.value);
    return OUTPUT.value;
  }

  #targetOut(target: Uint32Array): void {
    if (target.buffer !== this.#bytes.buffer) target.set(this.#outputWords.subarray(0, target.length));
  }

  markKinds(selected: Uint32Array, bitmaps: readonly (Uint32Array | undefined)[], target: Uint32Array): void {
    const { OUTPUT, RUNS, STEP, markKinds } = this.#exports;
    const words64 = (this.#copyWords(selected, 0, STEP.value) + 1) >>> 1;
    const at = (kind: number) => RUNS.value + kind * words64 * 8;
    this.#bytes.fill(0, at(0), at(bitmaps.length));
    for (const [kind, words] of bitmaps.entries()) {
      if (words !== undefined) this.#copyIn(bytesOf(words, 0, words.length), at(kind));
    }
    this.#outputWords.fill(0, 0, target.length);
    markKinds(STEP.value, at(0), bitmaps.length, words64, OUTPUT.value);
    target.set(this.#outputWords.subarray(0, target.length));
  }

  expand(dense: Uint32Array, rows: Uint32Array, words: Uint32Array): void {
    const { INPUT, STEP, OUTPUT, expand } = this.#exports;
    let n = 0;
    for (let from = 0; from < rows.length; from += this.#stepWords) {
      const wordCount = this.#copyWords(rows, from, STEP.value);
      // At most a bit for each row, the first within the first word.
      const denseFrom = Math.min(n >>> 5, dense.length);
      const denseTo = Math.min(denseFrom + wordCount + 1, dense.length);
      this.#copyIn(bytesOf(dense, denseFrom, denseTo), INPUT.value);
      n += expand(INPUT.value, n & 31, STEP.value, wordCount, OUTPUT.value) - (n & 31);
      words.set(this.#outputWords.subarray(0, wordCount), from);
    }
  }

  compress(words: Uint32Array, rows: Uint32Array, dense: Uint32Array): void {
    const { INPUT, STEP, OUTPUT, compress } = this.#exports;
    let n = 0;
    for (let from = 0; from < rows.length; from += this.#stepWords) {
      const wordCount = this.#copyWords(rows, from, STEP.value);
      this.#copyIn(bytesOf(words, from, from + wordCount), INPUT.value);
      const first = n >>> 5;
      const used = n & 31;
      const pending = used === 0 ? 0 : dense[first]!;
      const bits = compress(INPUT.value, STEP.value, wordCount, pending, used, OUTPUT.value);
      dense.set(this.#outputWords.subarray(0, (bits + 31) >>> 5), first);
      n += bits - used;
    }
    dense.fill(0, (n + 31) >>> 5);
  }

  bounds(numbers: Uint32Array): { readonly min: number; readonly max: number } {
    const { INPUT, INPUT_BYTES, OUTPUT, bounds } = this.#exports;
    const output = this.#outputWords;
    let [min, max] = [0xffffffff, 0];
    const whole = numbers.length & ~3;
    const step = INPUT_BYTES.value >>> 2;
    for (let from = 0; from < whole; from += step) {
      const to = Math.min(from + step, whole);
      this.#copyIn(bytesOf(numbers, from, to), INPUT.value);
      bounds(INPUT.value, (to - from) >>> 2, OUTPUT.value);
      min = Math.min(min, output[0]!, output[1]!, output[2]!, output[3]!);
      max = Math.max(max, output[4]!, output[5]!, output[6]!, output[7]!);
    }
    for (let i = whole; i < numbers.length; i++) {
      min = Math.min(min, numbers[i]!);
      max = Math.max(max, numbers[i]!);
    }
    return { min, max };
  }

  runs(codes: Uint32Array, lowBits: number, runCodes: Uint32Array, ends: Uint32Array): number {
    if (codes.length === 0) return 0;
    const { INPUT, INPUT_BYTES, OUTPUT, RUNS, runs } = this.#exports;
    const step = (INPUT_BYTES.value >>> 2) - 1;
    const last = codes.length - 1;
    let run = 0;
    for (let from = 0; from < last; from += step) {
      const to = Math.min(from + step, last);
      this.#copyIn(bytesOf(codes, from, to + 1), INPUT.value);
      const found = runs(INPUT.value, to - from, lowBits, from, OUTPUT.value, RUNS.value);
      runCodes.set(this.#outputWords.subarray(0, found), run);
      ends.set(this.#runs.subarray(0, found), run);
      run += found;
    }
    runCodes[run] = codes[last]! >>> lowBits;
    ends[run] = codes.length;
    return run + 1;
  }

  pack(codes: Uint32Array, bits: number, packed: Uint8Array): void {
    const { INPUT, INPUT_BYTES, OUTPUT, pack } = this.#exports;
    const step = INPUT_BYTES.value >>> 2;
    for (let from = 0; from < codes.length; from += step) {
      const to = Math.min(from + step, codes.length);
      this.#copyIn(bytesOf(codes, from, to), INPUT.value);
      pack(INPUT.value, bits, to - from, OUTPUT.value);
      const byteCount = Math.ceil(((to - from) * bits) / 8);
      packed.set(this.#bytes.subarray(OUTPUT.value, OUTPUT.value + byteCount), (from >>> 3) * bits);
    }
  }

  /** As many as there is room for at STEP, and a 0 after them: the last 64-bit word may be half theirs. Returns how many. */
  #copyWords(words: Uint32Array, from: number, at: number): number {
    const wordCount = Math.min(this.#stepWords, words.length - from);
    this.#bytes.fill(0, at + wordCount * 4, at + wordCount * 4 + 4);
    this.#copyIn(bytesOf(words, from, from + wordCount), at);
    return wordCount;
  }

  /**
   * Of shared memory `set` copies a word at a time, as if another thread were writing to it; `fill` with bytes as many
   * as there is room for is one memcpy, a third faster.
   */
  #copyIn(bytes: Uint8Array, at: number): void {
    if (bytes.length > 0) this.#bytes.fill(bytes, at, at + bytes.length);
  }

  #select(
    packed: Uint8Array,
    bits: number,
    count: number,
    words: Uint32Array,
    loop: (at: number, rowCount: number) => void,
  ): void {
    const { INPUT } = this.#exports;
    const resident = packed.buffer === this.#bytes.buffer;
    const pieceRows = this.pieceRows(bits);
    for (let row = 0; row < count; row += pieceRows) {
      const rowCount = Math.min(pieceRows, count - row);
      const from = (row >>> 3) * bits;
      if (resident) loop(packed.byteOffset + from, rowCount);
      else {
        this.#copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT.value);
        loop(INPUT.value, rowCount);
      }
      words.set(this.#outputWords.subarray(0, (rowCount + 31) >>> 5), row >>> 5);
    }
    clearPast(words, count);
  }
}

/** The bits of the last word from `count` on. */
function clearPast(words: Uint32Array, count: number): void {
  const used = count & 31;
  if (used !== 0) words[count >>> 5]! &= (1 << used) - 1;
}

function bytesOf(words: Uint32Array, from: number, to: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + from * 4, (to - from) * 4);
}
