/** Measures of the numbers that a user's matches have; NaN among `numbers` is none. See columns.ts. */

/** How many there are. */
export function countNumbers(
  numbers: Float64Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  let count = 0;
  for (let i = from; i < to; i++) if ((kinds[i]! & bit) !== 0 && !Number.isNaN(numbers[i]!)) count++;
  return count;
}

/** Their sum, added up in the order of the events; 0 without any. */
export function sumNumbers(
  numbers: Float64Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  let sum = 0;
  for (let i = from; i < to; i++)
    if ((kinds[i]! & bit) !== 0 && !Number.isNaN(numbers[i]!)) sum += numbers[i]!;
  return sum;
}

/** The least; Infinity without any. */
export function leastNumber(
  numbers: Float64Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = from; i < to; i++) if ((kinds[i]! & bit) !== 0 && numbers[i]! < least) least = numbers[i]!;
  return least;
}

/** The greatest; -Infinity without any. */
export function greatestNumber(
  numbers: Float64Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++)
    if ((kinds[i]! & bit) !== 0 && numbers[i]! > greatest) greatest = numbers[i]!;
  return greatest;
}
