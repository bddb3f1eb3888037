import { MessageChannel } from 'node:worker_threads';

const { port1: nowhere, port2: otherEnd } = new MessageChannel();
otherEnd.close();

/** Smaller ones lie among others, and cost more to release than they take until they are collected. */
const RELEASED_BYTES_MIN = 1 << 16;

/**
 * Gives an array's memory back at once, instead of when V8 comes to collect it; every view of the buffer is empty from
 * then on. A buffer is transferred even to a port that nobody listens to (HTML, "posting messages"), where the message
 * and what it carries end. Takes about 0.1 ms for some MB: the kernel takes the pages back. Small and shared ones are
 * left to the collector.
 */
export function release({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= RELEASED_BYTES_MIN) {
    nowhere.postMessage(null, [buffer]);
  }
}
