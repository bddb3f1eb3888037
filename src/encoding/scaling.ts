import { assert } from '../base/assert.ts';
import { scratch } from './arena.ts';
import type { Values } from './contract.ts';
import { kernels } from './kernels/chosen.ts';
import type { WideCodes } from './picker.ts';
import { PLACES_MAX, type Scale } from './scaled.ts';

export interface Scaled {
  readonly scale: Scale;
  /** value = (base + unit * code) / 10^places, exactly. */
  readonly codes: Uint32Array | WideCodes;
}

/** Finds the scale of values, at least one; undefined when they have none. */
export function scaledOf(values: Values): Scaled | undefined {
  if (values instanceof Uint32Array) {
    const { min, max } = kernels().bounds(values);
    return scaledWhole(values, min, max, 0);
  }
  const { min, max, whole, negativeZero } = statisticsOf(values);
  if (negativeZero) return undefined;
  if (whole) return scaledWhole(values, min, max, 0);
  const decimals = decimalsOf(values);
  if (decimals === undefined) return undefined;
  const scale = 10 ** decimals.places;
  return scaledWhole(decimals.numerators, Math.round(min * scale), Math.round(max * scale), decimals.places);
}

interface Statistics {
  readonly min: number;
  readonly max: number;
  /** All are integers. */
  readonly whole: boolean;
  readonly negativeZero: boolean;
}

function statisticsOf(values: Float64Array): Statistics {
  let min = Infinity;
  let max = -Infinity;
  let finite = true;
  let whole = true;
  let negativeZero = false;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value < min) min = value;
    if (value > max) max = value;
    if (Math.floor(value) !== value) {
      whole = false;
      if (Number.isNaN(value)) finite = false;
    }
    if (value === 0 && 1 / value < 0) negativeZero = true;
  }
  assert(finite && Number.isFinite(min) && Number.isFinite(max), 'a column holds finite numbers');
  return { min, max, whole, negativeZero };
}

interface Decimals {
  readonly places: number;
  /** Value times 10^places. */
  readonly numerators: Float64Array;
}

/** The fewest places that give every value back; undefined when PLACES_MAX do not. */
function decimalsOf(values: Float64Array): Decimals | undefined {
  const numerators = new Float64Array(values.length);
  for (let places = 1, row = 0; places <= PLACES_MAX; places++) {
    // What fewer places held, these hold too: only the numerators change.
    if (!isDecimal(values[row]!, 10 ** places)) continue;
    row = numerate(values, 10 ** places, numerators);
    if (row === values.length) return { places, numerators };
  }
  return undefined;
}

function isDecimal(value: number, scale: number): boolean {
  const numerator = Math.round(value * scale);
  return numerator / scale === value && Math.abs(numerator) <= Number.MAX_SAFE_INTEGER;
}

/** The first row that has more places; as many as there are rows when none has. */
function numerate(values: Float64Array, scale: number, numerators: Float64Array): number {
  for (let row = 0; row < values.length; row++) {
    const numerator = Math.round(values[row]! * scale);
    if (numerator / scale !== values[row]! || Math.abs(numerator) > Number.MAX_SAFE_INTEGER) return row;
    numerators[row] = numerator;
  }
  return values.length;
}

/** Whole numbers of `min` to `max`. */
function scaledWhole(values: Values, min: number, max: number, places: number): Scaled | undefined {
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || !Number.isSafeInteger(max - min)) {
    return undefined;
  }
  let unit = divisor(values, min, Math.ceil(values.length / DIVISOR_ROWS), 0);
  if (min === 0 && unit === 1 && values instanceof Uint32Array) {
    return { scale: { base: 0, unit, places, codeMax: max }, codes: values };
  }
  if (unit !== 1) unit = divisor(values, min, 1, unit);
  if (unit === 0) unit = 1;
  const codeMax = (max - min) / unit;
  const codes = codeMax <= 0xffffffff ? narrow(values, min, unit) : wide(values, min, unit);
  return { scale: { base: min, unit, places, codeMax }, codes };
}

/** Rows that mostly show that there is no divisor. */
const DIVISOR_ROWS = 64;

/** The greatest divisor of `known` and of every step-th difference from `base`; 0 when all of them are 0. */
function divisor(values: Values, base: number, step: number, known: number): number {
  let found = known;
  for (let row = 0; row < values.length && found !== 1; row += step) {
    const difference = values[row]! - base;
    // A division is several times quicker than %, which is left to the few values that change the divisor.
    const quotient = difference / found;
    if (found === 0 || quotient !== Math.floor(quotient)) found = greatestCommonDivisor(difference, found);
  }
  return found;
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Codes below 2^32. */
function narrow(values: Values, base: number, unit: number): Uint32Array {
  const codes = scratch(values.length);
  if (unit === 1) for (let row = 0; row < codes.length; row++) codes[row] = values[row]! - base;
  else for (let row = 0; row < codes.length; row++) codes[row] = (values[row]! - base) / unit;
  return codes;
}

function wide(values: Values, base: number, unit: number): WideCodes {
  const high = scratch(values.length);
  const low = scratch(values.length);
  for (let row = 0; row < values.length; row++) {
    const code = (values[row]! - base) / unit;
    const upper = Math.floor(code / 0x1_0000_0000);
    high[row] = upper;
    low[row] = code - upper * 0x1_0000_0000;
  }
  return { high, low };
}
