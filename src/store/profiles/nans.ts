/**
 * What a double is that is no number: its upper word says what, and with its lower word which. Arithmetic makes none but
 * NAN_WORD with a lower word of 0, and nothing here is arithmetic.
 */

/** The lower word is a reference. */
export const NAN_WORD = 0x7ff80000;
/** The upper half of the upper word; all below it is a moment, in ms. */
const MOMENT_HALF = 0x7ffc;
const WORD = 2 ** 32;

export function isMoment(upper: number): boolean {
  return upper >>> 16 === MOMENT_HALF;
}

export function momentIn(upper: number, lower: number): number {
  return (upper & 0xffff) * WORD + lower;
}

/** 0 <= timeMs < 2 ** 48 */
export function upperOfMoment(timeMs: number): number {
  return MOMENT_HALF * 2 ** 16 + Math.floor(timeMs / WORD);
}
