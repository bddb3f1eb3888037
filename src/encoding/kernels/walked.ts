import type { NumberVector } from '../contract.ts';
import type { WalkedNumbers } from './kernels.ts';

/** See Kernels.scale. */
export function scale(numbers: NumberVector, count: number, base: number, unit: number): void {
  if (numbers instanceof Uint32Array) scaleIntegers(numbers, count, base | 0, unit | 0);
  else scaleDoubles(numbers, count, base, unit);
}

/** In 32-bit integers, which the engine adds in a cycle. */
function scaleIntegers(numbers: Uint32Array, count: number, base: number, unit: number): void {
  for (let i = 0; i < count; i++) numbers[i] = base + Math.imul(unit, numbers[i]!);
}

function scaleDoubles(numbers: Float64Array, count: number, base: number, unit: number): void {
  for (let i = 0; i < count; i++) numbers[i] = base + unit * numbers[i]!;
}

/** See Kernels.lookUp. */
export function lookUp(numbers: Uint32Array, first: number, table: Uint32Array): void {
  for (let i = 0; i < numbers.length; i++) numbers[i] = table[numbers[i]! - first]!;
}

/** See Kernels.take. */
export function take<T extends Uint32Array | Float64Array>(source: T, places: Uint32Array, target: T): void {
  for (let i = 0; i < places.length; i++) target[i] = source[places[i]!]!;
}

/** counts[ordinals[i]] += before[i] - before[i - 1], the first of which is 0, for as many as there are ordinals. */
export function addDifferences(before: Uint32Array, ordinals: Uint32Array, counts: Uint32Array): void {
  let last = 0;
  for (let i = 0; i < ordinals.length; i++) {
    const number = before[i]! | 0;
    counts[ordinals[i]!]! += number - last;
    last = number;
  }
}

/** See Kernels.addSizes. */
export function addSizes(places: Uint32Array, sizes: Uint32Array, sums: Uint32Array): void {
  for (let i = 0; i < places.length; i++) sums[places[i]!]! += sizes[i]!;
}

/** See Kernels.addNumbers. */
export function addNumbers(
  { ordinals, kinds, numbers }: WalkedNumbers,
  bit: number,
  sums: Float64Array,
): void {
  for (let i = 0; i < ordinals.length; i++) {
    if ((kinds[i]! & bit) !== 0 && !Number.isNaN(numbers[i]!)) sums[ordinals[i]!]! += numbers[i]!;
  }
}

/** See Kernels.listUsers. */
export function listUsers(ordinals: Uint32Array, users: Uint32Array, starts: Uint32Array): number {
  let count = 0;
  let before = -1;
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i]!;
    // Written for each event: where a user begins cannot be predicted.
    users[count] = ordinal;
    starts[count] = i;
    count += ordinal === before ? 0 : 1;
    before = ordinal;
  }
  starts[count] = ordinals.length;
  return count;
}

/** See Kernels.selectNumbers. */
export function selectNumbers(
  numbers: Float64Array,
  low: number,
  high: number,
  isWithin: boolean,
  words: Uint32Array,
): void {
  for (let w = 0; w << 5 < numbers.length; w++) {
    const end = Math.min((w + 1) << 5, numbers.length);
    let word = 0;
    for (let i = w << 5; i < end; i++) {
      const number = numbers[i]!;
      if ((number >= low && number <= high) === isWithin && !Number.isNaN(number)) word |= 1 << (i & 31);
    }
    words[w] = word;
  }
}
