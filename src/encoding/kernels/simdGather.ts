import { firstFrom } from '../../base/search.ts';
import type { Kernels } from './kernels.ts';
import { bytesOf, type SimdMemory } from './simdMemory.ts';

/** Codes of rows, wherever they lie. */
export function gatherKernels(
  memory: SimdMemory,
): Pick<
  Kernels,
  'unpack' | 'gather' | 'ranks' | 'gatherRuns' | 'gatherSplit' | 'places' | 'listRows' | 'markKinds'
> {
  const { exports } = memory;
  return {
    unpack(packed, bits, fromRow, count, target) {
      const { INPUT, OUTPUT, unpack } = exports;
      const pieceRows = Math.min(memory.outputWords.length, memory.pieceRows(bits));
      const skip = fromRow & 7;
      for (let row = fromRow - skip; row < fromRow + count; row += pieceRows) {
        const rowCount = Math.min(pieceRows, fromRow + count - row);
        const from = (row >>> 3) * bits;
        memory.copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT);
        unpack(INPUT, bits, rowCount, OUTPUT);
        const first = Math.max(fromRow, row);
        target.set(memory.outputWords.subarray(first - row, rowCount), first - fromRow);
      }
    },

    gather(packed, bits, rows, first, target) {
      const { INPUT, OUTPUT, RUNS, gather } = exports;
      const pieceRows = memory.pieceRows(bits);
      for (let i = 0; i < rows.length; ) {
        // From a whole byte on, as far as there is room for.
        const pieceFrom = (rows[i]! - first) & ~7;
        const end = firstFrom(rows, i, rows.length, first + pieceFrom + pieceRows);
        const from = (pieceFrom >>> 3) * bits;
        const to = Math.ceil(((rows[end - 1]! - first + 1) * bits) / 8);
        memory.copyIn(packed.subarray(from, to), INPUT);
        const [own, result] = [rows.subarray(i, end), target.subarray(i, end)];
        const at = memory.resultAt(result, OUTPUT);
        gather(INPUT, bits, memory.place(own, RUNS), first + pieceFrom, end - i, at);
        if (at === OUTPUT) result.set(memory.outputWords.subarray(0, end - i));
        i = end;
      }
    },

    ranks(words, rows, first, before, target) {
      const { INPUT, OUTPUT, RUNS, ranks } = exports;
      if (rows.length === 0) return;
      const wordCount = (rows[rows.length - 1]! - first + 32) >>> 5;
      memory.copyIn(bytesOf(words, 0, wordCount), INPUT);
      const at = memory.resultAt(target, OUTPUT);
      ranks(INPUT, memory.place(rows, RUNS), first, rows.length, before, at);
      if (at === OUTPUT) target.set(memory.outputWords.subarray(0, rows.length));
    },

    gatherRuns(codes, bounds, rows, first, target) {
      if (rows.length === 0) return;
      const { OUTPUT, RUNS, STEP, gatherRanked } = exports;
      const { packed, bits } = codes;
      const rowEnd = rows[rows.length - 1]! - first + 1;
      const runsBefore = memory.markStarts(bounds, rowEnd);
      memory.copyIn(packed, RUNS);
      memory.copyIn(bytesOf(rows, 0, rows.length), OUTPUT);
      gatherRanked(STEP, runsBefore, RUNS, bits, OUTPUT, first, rows.length);
      target.set(memory.outputWords.subarray(0, rows.length));
    },

    gatherSplit(codes, bounds, low, rows, first, target) {
      if (rows.length === 0) return;
      const { CODES, INPUT, OUTPUT, RUNS, STEP, gatherSplit } = exports;
      const rowEnd = rows[rows.length - 1]! - first + 1;
      const runsBefore = memory.markStarts(bounds, rowEnd);
      memory.copyIn(codes.packed, RUNS);
      // Of these as many as lie between the first row and the last.
      const lowFrom = ((rows[0]! - first) >>> 3) * low.bits;
      memory.copyIn(low.packed.subarray(lowFrom, Math.ceil((rowEnd * low.bits) / 8)), CODES);
      const at = memory.resultAt(target, OUTPUT);
      gatherSplit(
        STEP,
        runsBefore,
        RUNS,
        codes.bits,
        CODES - lowFrom,
        low.bits,
        memory.place(rows, INPUT),
        first,
        rows.length,
        at,
      );
      if (at === OUTPUT) target.set(memory.outputDoubles.subarray(0, rows.length));
    },

    places(words, rows, first, before, target) {
      if (rows.length === 0) return 0;
      const { OUTPUT, STEP, places } = exports;
      const wordCount = (rows[rows.length - 1]! - first + 32) >>> 5;
      memory.copyWords(words.subarray(0, wordCount), 0, STEP);
      memory.copyIn(bytesOf(rows, 0, rows.length), OUTPUT);
      const missing = places(STEP, OUTPUT, first, rows.length, before);
      target.set(memory.outputWords.subarray(0, rows.length));
      return missing;
    },

    listRows(selected, firsts, before, rows, users) {
      const { INPUT, OUTPUT, RUNS, STEP, listRows } = exports;
      const wordCount = memory.copyWords(selected, 0, STEP);
      memory.copyWords(firsts, 0, INPUT);
      const { row, user } = before;
      const words64 = (wordCount + 1) >>> 1;
      const [rowsAt, usersAt] = [memory.resultAt(rows, OUTPUT), memory.resultAt(users, RUNS)];
      const count = listRows(STEP, INPUT, words64, row, user, rowsAt, usersAt);
      if (rowsAt === OUTPUT) rows.set(memory.outputWords.subarray(0, count));
      if (usersAt === RUNS) users.set(memory.runs.subarray(0, count));
      return count;
    },

    markKinds(selected, bitmaps, target) {
      const { RUNS, STEP, markKinds } = exports;
      const words64 = (memory.copyWords(selected, 0, STEP) + 1) >>> 1;
      const at = (kind: number) => RUNS + kind * words64 * 8;
      memory.bytes.fill(0, at(0), at(bitmaps.length));
      for (const [kind, words] of bitmaps.entries()) {
        if (words !== undefined) memory.copyIn(bytesOf(words, 0, words.length), at(kind));
      }
      const result = memory.has(target) ? target : memory.outputWords.subarray(0, target.length);
      result.fill(0);
      markKinds(STEP, at(0), bitmaps.length, words64, result.byteOffset);
      if (result !== target) target.set(result);
    },
  };
}
