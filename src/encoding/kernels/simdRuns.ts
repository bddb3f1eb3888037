import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { countRange } from './runs.ts';
import { bytesOf, clearPast, type SimdMemory } from './simdMemory.ts';

/** For fewer it costs more to copy in and out. */
const REPEATED_ROWS_MIN = 256;

/** Runs to rows and back, and what is counted of them. */
export function runsKernels(
  memory: SimdMemory,
): Pick<
  Kernels,
  | 'fillRuns'
  | 'fillStarts'
  | 'repeat'
  | 'classRuns'
  | 'positions'
  | 'positionsOf'
  | 'countUsers'
  | 'countRuns'
  | 'sum'
> {
  const { exports } = memory;
  return {
    fillRuns(runs, firstEnd, lengths, words) {
      const { OUTPUT, RUNS, STEP, fillRuns } = exports;
      const runCount = 1 + lengths.count;
      memory.runs[0] = 0;
      memory.runs[1] = firstEnd;
      memory.sum(lengths, 0, lengths.count, firstEnd, RUNS + 8);
      const rowCount = memory.runs[runCount]!;
      const wordCount = (rowCount + 31) >>> 5;
      memory.copyWords(runs, 0, STEP);
      fillRuns(STEP, runCount, RUNS, (wordCount + 1) >>> 1, OUTPUT);
      words.set(memory.outputWords.subarray(0, wordCount));
      clearPast(words, rowCount);
    },

    fillStarts(runs, starts, rowCount, words) {
      const { INPUT, STEP, OUTPUT, fillStarts } = exports;
      memory.copyIn(starts, STEP);
      memory.copyIn(bytesOf(runs, 0, runs.length), INPUT + 1);
      fillStarts(INPUT, STEP, (rowCount + 127) >>> 7, OUTPUT);
      words.set(memory.outputWords.subarray(0, (rowCount + 31) >>> 5));
      clearPast(words, rowCount);
    },

    repeat(codes, ends, row, target) {
      if (target.length < REPEATED_ROWS_MIN || target.length > memory.outputWords.length) {
        return plainKernels.repeat(codes, ends, row, target);
      }
      const { INPUT, OUTPUT, RUNS, repeat } = exports;
      memory.copyIn(bytesOf(codes, 0, codes.length), INPUT);
      memory.copyIn(bytesOf(ends, 0, ends.length), RUNS);
      const next = repeat(INPUT, RUNS, codes.length, row, row + target.length, OUTPUT);
      target.set(memory.outputWords.subarray(0, next - row));
      return next;
    },

    classRuns(codes, bounds, rowCount, table, shift, target) {
      if (table.length > memory.outputWords.length) {
        return plainKernels.classRuns(codes, bounds, rowCount, table, shift, target);
      }
      const { CODES, OUTPUT, RUNS, classRuns } = exports;
      const runCount = memory.listEnds(bounds, rowCount);
      memory.unpackTo(codes, runCount, CODES);
      memory.copyIn(bytesOf(table, 0, table.length), OUTPUT);
      const found = classRuns(CODES, RUNS, runCount, OUTPUT, shift, table.length - 1);
      target.classes.set(memory.codes.subarray(0, found));
      target.ends.set(memory.runs.subarray(0, found));
      return found;
    },

    positions(words, base, skip, target) {
      const { RUNS, STEP, positions } = exports;
      const wordCount = memory.copyWords(words, 0, STEP);
      const end = positions(STEP, (wordCount + 1) >>> 1, base, RUNS);
      const count = Math.max(0, Math.min(end - skip, target.length));
      target.set(memory.runs.subarray(skip, skip + count));
      return count;
    },

    positionsOf(words, base, rows, first, target) {
      const { INPUT, OUTPUT, RUNS, positionsOf } = exports;
      memory.copyWords(words, 0, INPUT);
      memory.copyIn(bytesOf(rows, 0, rows.length), RUNS);
      positionsOf(INPUT, base, RUNS, rows.length, first, OUTPUT);
      target.set(memory.outputWords.subarray(0, rows.length));
    },

    countUsers(rows, firsts, found) {
      const { INPUT, RUNS, STEP, countUsers } = exports;
      const wordCount = memory.copyWords(rows, 0, STEP);
      memory.copyWords(firsts, 0, INPUT);
      const count = countUsers(STEP, INPUT, (wordCount + 1) >>> 1, RUNS);
      found.set(memory.runs.subarray(0, count + 1));
      return count;
    },

    countRuns(words, offsets, counts) {
      const { INPUT, INPUT_BYTES, STEP, OUTPUT, countRuns } = exports;
      const runCount = offsets.length - 1;
      const runsMax = memory.steps.length - 1;
      const rowsMax = INPUT_BYTES * 8;
      for (let run = 0; run < runCount; ) {
        const base = offsets[run]! & ~63;
        let end = Math.min(run + runsMax, runCount);
        while (end > run + 1 && offsets[end]! - base > rowsMax) end = (run + end) >>> 1;
        if (offsets[end]! - base > rowsMax) counts[run] = countRange(words, offsets[run]!, offsets[end]!);
        else {
          memory.copyIn(bytesOf(words, base >>> 5, (offsets[end]! + 31) >>> 5), INPUT);
          memory.copyIn(bytesOf(offsets, run, end + 1), STEP);
          countRuns(INPUT, base, STEP, end - run, OUTPUT);
          counts.set(memory.outputWords.subarray(0, end - run), run);
        }
        run = end;
      }
    },

    sum(differences, fromRow, count, start, target) {
      const skip = fromRow & 7;
      memory.sum(differences, fromRow, count, start, exports.RUNS);
      target.set(memory.runs.subarray(skip, skip + count));
    },
  };
}
