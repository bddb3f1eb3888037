/** Kept by a thread: fresh memory costs more to touch than to compute with, and threads wait for it. */
const SPARE_BYTES_MAX = 32 << 20;

/** Less is as soon made anew. */
const WORTH_BYTES_MIN = 64 << 10;

/** The largest first. */
const spares: ArrayBuffer[] = [];
let spareBytes = 0;

/** All 0. */
export function takeCounts(length: number): Uint32Array {
  return takeWords(length).fill(0);
}

/** What is in them may be anything. */
export function takeWords(length: number): Uint32Array {
  return new Uint32Array(take(length * Uint32Array.BYTES_PER_ELEMENT), 0, length);
}

/** What is in them may be anything. */
export function takeNumbers(length: number): Float64Array {
  return new Float64Array(take(length * Float64Array.BYTES_PER_ELEMENT), 0, length);
}

/** One that was taken, and that nobody uses from now on. Those of a query that is not finished are left to the collector. */
export function giveBack({ buffer }: Uint32Array | Float64Array): void {
  if (buffer.byteLength < WORTH_BYTES_MIN || buffer.byteLength > SPARE_BYTES_MAX) return;
  const place = spares.findIndex(({ byteLength }) => byteLength < buffer.byteLength);
  spares.splice(place === -1 ? spares.length : place, 0, buffer as ArrayBuffer);
  spareBytes += buffer.byteLength;
  while (spareBytes > SPARE_BYTES_MAX) spareBytes -= spares.pop()!.byteLength;
}

export function spareArrayBytes(): number {
  return spareBytes;
}

/** The smallest that is large enough, else a new one. */
function take(byteLength: number): ArrayBuffer {
  if (byteLength < WORTH_BYTES_MIN) return new ArrayBuffer(byteLength);
  const at = spares.findLastIndex((spare) => spare.byteLength >= byteLength);
  if (at === -1) return new ArrayBuffer(roundedUp(byteLength));
  const [spare] = spares.splice(at, 1);
  spareBytes -= spare!.byteLength;
  return spare!;
}

/** By an eighth at most: tablets have nearly the same number of users, and are asked one after the other. */
function roundedUp(byteLength: number): number {
  const step = 2 ** (Math.floor(Math.log2(byteLength)) - 3);
  return Math.ceil(byteLength / step) * step;
}
