import { badRequest } from '../base/errors.ts';
import type { Scalar } from '../base/value.ts';

/** Checks of JSON's shape: each returns its input typed, or throws `bad_request` with the input's path. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(json: unknown, path: string): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badRequest('must be an object', path);
  }
  return json as JsonObject;
}

export function asList(json: unknown, path: string, lengthMax: number): readonly unknown[] {
  if (!Array.isArray(json)) throw badRequest('must be a list', path);
  if (json.length > lengthMax) throw badRequest(`must have at most ${lengthMax} entries`, path);
  return json;
}

export function asFilledList(json: unknown, path: string, lengthMax: number): readonly unknown[] {
  const list = asList(json, path, lengthMax);
  if (list.length === 0) throw badRequest('must not be empty', path);
  return list;
}

export function asText(json: unknown, path: string): string {
  if (typeof json !== 'string') throw badRequest('must be text', path);
  return json;
}

export function asName(json: unknown, path: string): string {
  if (typeof json !== 'string' || json === '') throw badRequest('must be a name', path);
  return json;
}

export function asNumber(json: unknown, path: string): number {
  if (typeof json !== 'number' || !Number.isFinite(json)) throw badRequest('must be a number', path);
  return json;
}

export function asWholeNumber(
  json: unknown,
  path: string,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const n = asNumber(json, path);
  if (!Number.isInteger(n) || n < from || n > to) {
    throw badRequest(`must be a whole number from ${from} to ${to}`, path);
  }
  return n;
}

export function asScalar(json: unknown, path: string): Scalar {
  if (typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number' && Number.isFinite(json)) return json;
  throw badRequest('must be text, a number or a boolean', path);
}

/** Keys that have a value; undefined (which only MessagePack can carry) is as good as absent. */
export function keysOf(object: JsonObject): readonly string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}

/** Every key must be among `known`; one of `later` is refused as not supported yet. */
export function checkKeys(
  object: JsonObject,
  path: string,
  known: readonly string[],
  later: readonly string[] = [],
): void {
  for (const key of keysOf(object)) {
    if (later.includes(key)) throw notSupportedYet(key, keyPath(path, key));
    if (!known.includes(key)) throw unknownKey(key, path);
  }
}

/** The one key of the object that is among `keys`; it may have others, which are the caller's to check. */
export function oneOf<K extends string>(object: JsonObject, path: string, keys: readonly K[]): K {
  const found = keys.filter((key) => object[key] !== undefined);
  if (found.length !== 1) throw badRequest(`must have exactly one of ${keys.join(', ')}`, path);
  return found[0]!;
}

/** The one key of the object, which must be among `known`. */
export function onlyKey<K extends string>(object: JsonObject, path: string, known: readonly K[]): K {
  checkKeys(object, path, known);
  return oneOf(object, path, known);
}

export function unknownKey(key: string, path: string): Error {
  return badRequest(`unknown key ${JSON.stringify(key)}`, keyPath(path, key));
}

export function notSupportedYet(what: string, path: string): Error {
  return badRequest(`${what} is not supported yet`, path);
}

/** Of a key in the object at `path`; the empty path is that of the params themselves. */
export function keyPath(path: string, key: string): string {
  if (path === '') return key;
  return /^[\w$]+$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
