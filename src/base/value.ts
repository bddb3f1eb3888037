/**
 * What a property or trait holds. Null is the same as missing and never stored; objects are flattened before they get
 * here; an array of objects arrives as its JSON text (INTERFACE §2). Numbers are finite doubles.
 */
export type Scalar = string | number | boolean;
export type Value = Scalar | readonly Scalar[];

export function isArray(value: Value): value is readonly Scalar[] {
  return typeof value === 'object';
}

/** Same type and same content; arrays element by element. */
export function sameValue(a: Value, b: Value): boolean {
  if (!isArray(a) || !isArray(b)) return a === b;
  return a.length === b.length && a.every((element, i) => element === b[i]);
}
