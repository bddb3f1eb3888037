import { badRequest } from '../../base/errors.ts';
import { BREAKDOWN_TOP, BREAKDOWN_TOP_MAX } from '../../base/limits.ts';
import { isArray, type Scalar, type Value } from '../../base/value.ts';
import { asName, asObject, asWholeNumber, checkKeys } from '../shape.ts';

/** By which values an answer is taken apart: of an event's property, or of the user's trait. */
export interface Breakdown {
  readonly source: 'prop' | 'profile';
  readonly name: string;
  /** So many values are told apart. */
  readonly top: number;
}

/** What the values past the top fold into. */
export const OTHER_KEY = '(other)';
/** Where there is no value. */
export const NO_KEY = '(none)';

export function parseBreakdown(json: unknown, path: string): Breakdown {
  const object = asObject(json, path);
  checkKeys(object, path, ['prop', 'profile', 'top']);
  const { prop, profile, top = BREAKDOWN_TOP } = object;
  if ((prop === undefined) === (profile === undefined)) {
    throw badRequest('must have exactly one of prop, profile', path);
  }
  const source = prop === undefined ? 'profile' : 'prop';
  return {
    source,
    name: asName(object[source], `${path}.${source}`),
    top: asWholeNumber(top, `${path}.top`, { from: 1, to: BREAKDOWN_TOP_MAX }),
  };
}

/** Equal for equal values of one type, different otherwise. */
export function textOfValue(value: Value): string {
  return JSON.stringify(value);
}

/** A value as a key of an answer: an array as its JSON. */
export function keyOfValue(value: Value): Scalar {
  return isArray(value) ? textOfValue(value) : value;
}
