import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { bytesOf, type SimdMemory } from './simdMemory.ts';
import { addDifferences as addPlainDifferences } from './walked.ts';

/** Fewer are done sooner than a kernel is called. */
const SCALED_MIN = 64;
/** Bits of numbers that come out together. */
const GROUP_NUMBERS = 16;

/** What selected events add up to: of arrays in the kernels' memory, which are read and written where they are. */
export function walkedKernels(
  memory: SimdMemory,
): Pick<
  Kernels,
  'scale' | 'lookUp' | 'take' | 'addUsers' | 'addSizes' | 'addNumbers' | 'listUsers' | 'selectNumbers'
> {
  const { exports } = memory;
  return {
    scale(numbers, count, base, unit) {
      if (count < SCALED_MIN || !memory.has(numbers)) plainKernels.scale(numbers, count, base, unit);
      else if (numbers instanceof Uint32Array) {
        exports.scaleIntegers(numbers.byteOffset, count, base, unit);
      } else exports.scaleDoubles(numbers.byteOffset, count, base, unit);
    },

    lookUp(numbers, first, table) {
      if (!memory.has(numbers, table)) plainKernels.lookUp(numbers, first, table);
      else exports.lookUp(numbers.byteOffset, numbers.length, first, table.byteOffset);
    },

    take(source, places, target) {
      if (!memory.has(source, places, target)) plainKernels.take(source, places, target);
      else {
        const take = source instanceof Uint32Array ? exports.takeIntegers : exports.takeDoubles;
        take(source.byteOffset, places.byteOffset, places.length, target.byteOffset);
      }
    },

    addUsers(rows, firsts, ordinals, counts) {
      const { CODES, INPUT, RUNS, STEP, addDifferences, countBefore } = exports;
      const wordCount = memory.copyWords(rows, 0, STEP);
      memory.copyWords(firsts, 0, INPUT);
      countBefore(STEP, INPUT, (wordCount + 1) >>> 1, RUNS);
      if (!memory.has(counts)) {
        addPlainDifferences(memory.runs, ordinals, counts);
        return;
      }
      let at = ordinals.byteOffset;
      if (!memory.has(ordinals)) {
        at = CODES;
        memory.copyIn(bytesOf(ordinals, 0, ordinals.length), at);
      }
      addDifferences(RUNS, at, ordinals.length, counts.byteOffset);
    },

    addSizes(places, sizes, sums) {
      if (!memory.has(places, sizes, sums)) plainKernels.addSizes(places, sizes, sums);
      else exports.addSizes(places.byteOffset, sizes.byteOffset, places.length, sums.byteOffset);
    },

    addNumbers(events, bit, sums) {
      const { ordinals, kinds, numbers } = events;
      if (!memory.has(ordinals, kinds, numbers, sums)) plainKernels.addNumbers(events, bit, sums);
      else {
        exports.addNumbers(
          ...([ordinals.byteOffset, kinds.byteOffset, bit] as const),
          ...([numbers.byteOffset, ordinals.length, sums.byteOffset] as const),
        );
      }
    },

    listUsers(ordinals, users, starts) {
      if (!memory.has(ordinals, users, starts)) return plainKernels.listUsers(ordinals, users, starts);
      return exports.listUsers(ordinals.byteOffset, ordinals.length, users.byteOffset, starts.byteOffset);
    },

    selectNumbers(numbers, low, high, isWithin, words) {
      const { OUTPUT, OUTPUT_BYTES, selectNumbers } = exports;
      const groupCount = Math.floor(numbers.length / GROUP_NUMBERS);
      if (!memory.has(numbers) || groupCount * 2 > OUTPUT_BYTES) {
        plainKernels.selectNumbers(numbers, low, high, isWithin, words);
        return;
      }
      selectNumbers(numbers.byteOffset, groupCount, low, high, isWithin ? 1 : 0, OUTPUT);
      const whole = groupCount >>> 1;
      words.set(memory.outputWords.subarray(0, whole));
      const rest = numbers.subarray(32 * whole);
      if (rest.length > 0) plainKernels.selectNumbers(rest, low, high, isWithin, words.subarray(whole));
    },
  };
}
