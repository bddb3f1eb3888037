/** Kept by a thread for the next who asks: fresh memory costs more to touch than to compute with, and threads wait for it. */
const SPARE_BYTES_MAX = 32 << 20;

/** The largest first. */
const spares: Float64Array[] = [];

/** What is in them may be anything. */
export function takeNumbers(length: number): Float64Array {
  // The smallest that is large enough; none for none.
  const at = length === 0 ? -1 : spares.findLastIndex((spare) => spare.length >= length);
  return at === -1 ? new Float64Array(length) : spares.splice(at, 1)[0]!.subarray(0, length);
}

/** Nobody may use them from now on. Those of a query that is not finished are left to the collector. */
export function giveBackNumbers(numbers: Float64Array): void {
  if (numbers.length === 0) return;
  spares.push(new Float64Array(numbers.buffer));
  spares.sort((a, b) => b.length - a.length);
  while (spares.reduce((sum, { byteLength }) => sum + byteLength, 0) > SPARE_BYTES_MAX) spares.pop();
}
