import type { ByteReader } from './bytes.ts';
import type { Draft, NumberVector } from './contract.ts';
import { type Frame, FramedValues } from './frame.ts';
import { kernels } from './kernels/chosen.ts';
import { expectAtMost, openCodes } from './openCodes.ts';

/**
 * value = (base + unit * code) / 10^places: whole numbers, times in whole seconds or minutes, prices in cents. The base
 * is the least value and the unit divides every difference from it, so that codes are small.
 *
 *   u8      tag: 2 + places, of which there are at most PLACES_MAX; and 128 when the base is negative
 *   varint  |base|
 *   varint  unit, at least 1
 *   varint  the greatest code
 *   codes
 *
 * Valid: base + unit * the greatest code is a safe integer.
 */
export const SCALED_TAG = 2;
const NEGATIVE = 128;
/** Coordinates have 6 or 7 places. */
export const PLACES_MAX = 9;

export interface Scale {
  readonly base: number;
  readonly unit: number;
  readonly places: number;
  readonly codeMax: number;
}

export function scaledDraft({ base, unit, places, codeMax }: Scale, codes: Draft): Draft {
  return {
    bytes: 6 + codes.bytes,
    scanNsPerRow: codes.scanNsPerRow,
    write(target) {
      target.byte(SCALED_TAG + places + (base < 0 ? NEGATIVE : 0));
      target.varint(Math.abs(base));
      target.varint(unit);
      target.varint(codeMax);
      codes.write(target);
    },
  };
}

/** After the tag. */
export function openScaled(reader: ByteReader, tag: number, rowCount: number): FramedValues {
  const places = (tag & ~NEGATIVE) - SCALED_TAG;
  reader.expect(places <= PLACES_MAX, 'a known tag', String(tag));
  const magnitude = reader.varint('a base', 0, Number.MAX_SAFE_INTEGER);
  const base = tag >= NEGATIVE ? -magnitude : magnitude;
  const unit = reader.varint('a unit', 1, Number.MAX_SAFE_INTEGER);
  const codeMax = reader.varint('the greatest code', 0, Number.MAX_SAFE_INTEGER);
  reader.expect(Number.isSafeInteger(base + unit * codeMax), 'values that are safe integers', 'others');
  const codes = openCodes(reader, rowCount);
  if (!reader.trusted) expectAtMost(reader, codes, codeMax);
  return new FramedValues(new ScaledFrame({ base, unit, places, codeMax }), codes);
}

class ScaledFrame implements Frame {
  readonly codeMax: number;
  readonly #base: number;
  readonly #unit: number;
  readonly #scale: number;

  constructor({ base, unit, places, codeMax }: Scale) {
    this.codeMax = codeMax;
    this.#base = base;
    this.#unit = unit;
    this.#scale = 10 ** places;
  }

  valueOf(code: number): number {
    return (this.#base + this.#unit * code) / this.#scale;
  }

  codeNear(value: number): number {
    const code = Math.ceil((value * this.#scale - this.#base) / this.#unit);
    return code > 0 ? Math.min(code, this.codeMax + 1) : 0;
  }

  get linear() {
    return this.#scale === 1 ? { base: this.#base, unit: this.#unit } : undefined;
  }

  get isIdentity(): boolean {
    return this.#base === 0 && this.#unit === 1 && this.#scale === 1 && this.codeMax <= 0xffffffff;
  }

  toValues(target: NumberVector, count: number): void {
    if (this.#scale !== 1) scaleAll(target, count, this.#base, this.#unit, this.#scale);
    else if (this.#base === 0 && this.#unit === 1) return;
    else kernels().scale(target, count, this.#base, this.#unit);
  }
}

function scaleAll(target: NumberVector, count: number, base: number, unit: number, scale: number): void {
  for (let i = 0; i < count; i++) target[i] = (base + unit * target[i]!) / scale;
}
