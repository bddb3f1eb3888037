/** Kept by a thread: fresh memory costs more to touch than to compute with, and threads wait for it. */
const SPARE_BYTES_MAX = 32 << 20;

/** The largest first. */
const spares: ArrayBuffer[] = [];

/** All 0. */
export function takeCounts(length: number): Uint32Array {
  const spare = take(length * Uint32Array.BYTES_PER_ELEMENT);
  return spare === undefined ? new Uint32Array(length) : new Uint32Array(spare, 0, length).fill(0);
}

/** What is in them may be anything. */
export function takeNumbers(length: number): Float64Array {
  const spare = take(length * Float64Array.BYTES_PER_ELEMENT);
  return spare === undefined ? new Float64Array(length) : new Float64Array(spare, 0, length);
}

/** One that was taken, and that nobody uses from now on. Those of a query that is not finished are left to the collector. */
export function giveBack({ buffer }: Uint32Array | Float64Array): void {
  if (buffer.byteLength === 0 || buffer.byteLength > SPARE_BYTES_MAX) return;
  spares.push(buffer as ArrayBuffer);
  spares.sort((a, b) => b.byteLength - a.byteLength);
  while (spareArrayBytes() > SPARE_BYTES_MAX) spares.pop();
}

export function spareArrayBytes(): number {
  return spares.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The smallest that is large enough; none for nothing. */
function take(byteLength: number): ArrayBuffer | undefined {
  const at = byteLength === 0 ? -1 : spares.findLastIndex((spare) => spare.byteLength >= byteLength);
  return at === -1 ? undefined : spares.splice(at, 1)[0];
}
