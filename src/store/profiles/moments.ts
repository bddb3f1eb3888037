import { isoTime } from '../../base/time.ts';

/**
 * Texts that say a time as Date.prototype.toISOString does, which is what most SDKs send: as a number they take a third
 * of the room, and are compared without being read.
 */

/** Later years have more than four digits. */
export const MOMENTS_END_MS = Date.UTC(10_000, 0);
const CHARS = '2026-11-20T09:30:00.000Z'.length;
const Z = 0x5a;

/** The moment's Unix ms; undefined for any other text, also where that is a time. */
export function momentOf(text: string): number | undefined {
  if (text.length !== CHARS || text.charCodeAt(CHARS - 1) !== Z) return undefined;
  const timeMs = Date.parse(text);
  if (!(timeMs >= 0 && timeMs < MOMENTS_END_MS)) return undefined;
  return isoTime(timeMs) === text ? timeMs : undefined;
}
