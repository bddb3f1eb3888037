import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { bytesOf, clearPast, type SimdMemory } from './simdMemory.ts';

/** Wider codes may spread over more bytes than a lane has. */
const BOUNDS_BITS_MAX = 25;

/** Codes to bitmaps of rows. */
export function selectKernels(
  memory: SimdMemory,
): Pick<Kernels, 'selectEqual' | 'selectRange' | 'selectRangeBounds' | 'selectSet' | 'and'> {
  const { exports } = memory;
  return {
    selectEqual(packed, bits, code, count, words) {
      if (bits !== 8 || code > 255) this.selectRange(packed, bits, code, code, count, words);
      else {
        const { OUTPUT, equal8 } = exports;
        selectPieces(memory, packed, bits, count, words, (at, rowCount) =>
          equal8(at, code, rowCount, OUTPUT),
        );
      }
    },

    selectRange(packed, bits, from, to, count, words) {
      const codeMax = 2 ** bits - 1;
      const span = Math.min(to, codeMax) - from;
      if (span < 0) words.fill(0, 0, (count + 31) >>> 5);
      else if (bits === 1 || bits === 2 || bits === 4) {
        const table = new Uint8Array(codeMax + 1).fill(1, from, from + span + 1);
        this.selectSet(packed, bits, table, count, words);
      } else {
        const { OUTPUT, prepare, selectRange } = exports;
        prepare(bits, from, span);
        selectPieces(memory, packed, bits, count, words, (at, rowCount) =>
          selectRange(at, bits, from, span, rowCount, OUTPUT),
        );
      }
    },

    selectRangeBounds(packed, bits, from, to, count, words, groups) {
      const { INPUT, OUTPUT, RUNS, selectRangeBounds } = exports;
      const span = Math.min(to, 2 ** bits - 1) - from;
      if (bits > BOUNDS_BITS_MAX || count > memory.pieceRows(bits) || span < 0 || to !== from + span) {
        return plainKernels.selectRangeBounds(packed, bits, from, to, count, words, groups);
      }
      memory.copyIn(packed.subarray(0, Math.ceil((count * bits) / 8)), INPUT);
      const found = selectRangeBounds(INPUT, bits, from, span, count, OUTPUT, RUNS);
      words.set(memory.outputWords.subarray(0, (count + 31) >>> 5));
      clearPast(words, count);
      groups.set(memory.runs.subarray(0, Math.min(found, groups.length)));
      return found;
    },

    selectSet(packed, bits, table, count, words) {
      const { SET, OUTPUT, prepare, prepareSet, selectSet } = exports;
      const codes = 2 ** bits;
      memory.bytes.fill(0, SET, SET + Math.max(codes, 256));
      memory.bytes.set(table.length > codes ? table.subarray(0, codes) : table, SET);
      prepareSet(bits);
      prepare(bits, 0, 0);
      selectPieces(memory, packed, bits, count, words, (at, rowCount) =>
        selectSet(at, bits, rowCount, OUTPUT),
      );
    },

    and(words, others) {
      const { INPUT, STEP, and } = exports;
      for (let from = 0; from < words.length; from += memory.steps.length) {
        const wordCount = memory.copyWords(words, from, STEP);
        memory.copyIn(bytesOf(others, from, from + wordCount), INPUT);
        and(STEP, INPUT, (wordCount + 3) >>> 2);
        words.set(memory.steps.subarray(0, wordCount), from);
      }
    },
  };
}

/** Has a loop select rows piece by piece, each where it lies or copied in. */
function selectPieces(
  memory: SimdMemory,
  packed: Uint8Array,
  bits: number,
  count: number,
  words: Uint32Array,
  loop: (at: number, rowCount: number) => void,
): void {
  const { INPUT } = memory.exports;
  const resident = packed.buffer === memory.bytes.buffer;
  const pieceRows = memory.pieceRows(bits);
  for (let row = 0; row < count; row += pieceRows) {
    const rowCount = Math.min(pieceRows, count - row);
    const from = (row >>> 3) * bits;
    if (resident) loop(packed.byteOffset + from, rowCount);
    else {
      memory.copyIn(packed.subarray(from, from + Math.ceil((rowCount * bits) / 8)), INPUT);
      loop(INPUT, rowCount);
    }
    words.set(memory.outputWords.subarray(0, (rowCount + 31) >>> 5), row >>> 5);
  }
  clearPast(words, count);
}
