import { ARRAY_VALUES_MAX, VALUE_BYTES_MAX } from '../base/limits.ts';
import type { Scalar, Value } from '../base/value.ts';
import { fitsBytes, wellFormed } from './json.ts';

/** What is kept of a scalar or an array; undefined when it is over a limit. Not for null or an object. */
export function keptValue(raw: unknown): Value | undefined {
  return Array.isArray(raw) ? keptArray(raw) : keptScalar(raw);
}

/** Scalars without the nulls; an array of anything else as its JSON text. */
function keptArray(raw: readonly unknown[]): Value | undefined {
  if (raw.some((element) => typeof element === 'object' && element !== null)) {
    return keptScalar(JSON.stringify(raw));
  }
  return keptScalars(raw);
}

/** Scalars without the nulls; undefined when there are too many or one of them is no scalar or over a limit. */
export function keptScalars(raw: readonly unknown[]): Scalar[] | undefined {
  const scalars: Scalar[] = [];
  for (const element of raw) {
    if (element === null) continue;
    const scalar = keptScalar(element);
    if (scalar === undefined || scalars.length === ARRAY_VALUES_MAX) return undefined;
    scalars.push(scalar);
  }
  return scalars;
}

function keptScalar(raw: unknown): Scalar | undefined {
  if (typeof raw === 'string') return fitsBytes(raw, VALUE_BYTES_MAX) ? wellFormed(raw) : undefined;
  if (typeof raw === 'boolean') return raw;
  // JSON.parse reads 1e999 as Infinity.
  return typeof raw === 'number' && Number.isFinite(raw) ? raw : undefined;
}
