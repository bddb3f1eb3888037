import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import { type Kernels, type Packed, PLACES_MAX } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { bytesOf, type SimdMemory } from './simdMemory.ts';

/** The rows of a chunk, a bit each, and a word more. */
const BITMAP_BYTES = (CHUNK_ROWS_MAX >>> 3) + 8;

/** What selected rows of a block add up to. */
export function selectedKernels(
  memory: SimdMemory,
): Pick<Kernels, 'addCodes' | 'addPlaces' | 'placeLengths' | 'placeRuns' | 'rankRows' | 'countGroups'> {
  const { exports } = memory;

  return {
    addCodes(selected, row, codes, factor, target) {
      const { CODES, INPUT, STEP, addCodes, addRunCodes } = exports;
      const { packed, bits, bounds } = codes;
      const rowEnd = row + 32 * selected.length;
      const before = bounds === undefined ? 0 : memory.markStarts(bounds, rowEnd);
      const words64 = (memory.copyWords(selected, 0, INPUT) + 1) >>> 1;
      const at = memory.targetIn(target);
      if (bounds === undefined) {
        memory.copyIn(packed.subarray((row >>> 3) * bits, Math.ceil((rowEnd * bits) / 8)), CODES);
        addCodes(INPUT, words64, CODES, bits, factor, at);
      } else {
        memory.copyIn(packed, CODES);
        addRunCodes(INPUT, words64, STEP, row, before, CODES, bits, factor, at);
      }
      memory.targetOut(target);
    },

    addPlaces(selected, row, { packed, bits, bounds }, places, target, others) {
      const { CODES, INPUT, RUNS, STEP, addRunPlaces } = exports;
      const before = memory.markStarts(bounds, row + 32 * selected.length);
      const words64 = (memory.copyWords(selected, 0, INPUT) + 1) >>> 1;
      memory.copyIn(packed, CODES);
      memory.copyIn(bytesOf(places, 0, places.length), RUNS);
      const at = memory.targetIn(target);
      const found = addRunPlaces(
        ...([INPUT, words64, STEP, row, before, CODES, bits] as const),
        ...([RUNS, at, RUNS + places.byteLength] as const),
      );
      memory.targetOut(target);
      others.set(memory.runs.subarray(places.length, places.length + 3 * found));
      return found;
    },

    placeLengths(startsMs, base, length, places) {
      const { INPUT, OUTPUT, placeLengths } = exports;
      memory.copyIn(new Uint8Array(startsMs.buffer, startsMs.byteOffset, startsMs.byteLength), INPUT);
      const at = memory.resultAt(places, OUTPUT);
      placeLengths(INPUT, startsMs.length - 1, base, length, at, places.length);
      if (at === OUTPUT) places.set(memory.outputWords.subarray(0, places.length));
    },

    placeRuns(from, to) {
      const { selected, row, runs, isSum, firsts, usersBefore, areApart } = from;
      const { places, seconds, users, sizes, others } = to;
      if (!memory.has(places, seconds, users, sizes)) return plainKernels.placeRuns(from, to);
      const { CODES, INPUT, LISTED, OUTPUT, RUNS, STEP, placeRuns } = exports;
      const rowEnd = row + 32 * selected.length;
      const [startsAt, secondStartsAt] = [STEP, STEP + BITMAP_BYTES];
      const before = memory.markStarts(runs[0].codes.bounds, rowEnd, startsAt);
      const secondBefore = memory.markStarts(runs[1].codes.bounds, rowEnd, secondStartsAt);
      // From here on over what marking took.
      memory.unpackTo(runs[0].codes, runCount(runs[0].codes), CODES);
      memory.unpackTo(runs[1].codes, runCount(runs[1].codes), RUNS);
      const words64 = (memory.copyWords(selected, 0, INPUT) + 1) >>> 1;
      const firstsAt = INPUT + BITMAP_BYTES;
      if (firsts === undefined) memory.bytes.fill(0, firstsAt, firstsAt + 8 * words64);
      else memory.copyWords(firsts, 0, firstsAt);
      const placesAt = memory.place(runs[0].places, OUTPUT);
      const secondPlacesAt = memory.place(runs[1].places, OUTPUT + 4 * PLACES_MAX);
      const found = placeRuns(
        ...([INPUT, words64, row] as const),
        ...([startsAt, before, CODES, placesAt] as const),
        ...([secondStartsAt, secondBefore, RUNS, secondPlacesAt] as const),
        ...([firstsAt, usersBefore, areApart ? -1 : 0, isSum ? -1 : 0] as const),
        ...([places.byteOffset, seconds.byteOffset, users.byteOffset, sizes.byteOffset, LISTED] as const),
      );
      const otherCount = found >>> 16;
      others.set(memory.listed.subarray(0, otherCount));
      return { entries: found & 0xffff, others: otherCount };
    },

    rankRows(selected, firsts, before, target) {
      const { INPUT, STEP, rankRows } = exports;
      const wordCount = memory.copyWords(selected, 0, INPUT);
      memory.copyWords(firsts, 0, STEP);
      rankRows(INPUT, STEP, (wordCount + 1) >>> 1, before, memory.targetIn(target));
      memory.targetOut(target);
    },

    countGroups(rows, width, tallies, several) {
      const { users, codes, intervals, sizes } = rows;
      if (!memory.has(users, codes, intervals, sizes, tallies)) {
        return plainKernels.countGroups(rows, width, tallies, several);
      }
      const { OUTPUT, countGroups } = exports;
      const found = countGroups(
        ...([users.byteOffset, codes.byteOffset, intervals.byteOffset, sizes.byteOffset] as const),
        ...([users.length, width, tallies.byteOffset, OUTPUT] as const),
      );
      several.set(memory.outputWords.subarray(0, found));
      return found;
    },
  };
}

/** As many as there are, or a few more, since a byte may have several. */
function runCount({ packed, bits }: Packed): number {
  return Math.floor((packed.length * 8) / bits);
}
