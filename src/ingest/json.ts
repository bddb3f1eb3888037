/// <reference lib="es2024.string" />
import { isUtf8 } from 'node:buffer';
import { badRequest } from '../base/errors.ts';
import { EVENT_BYTES_MAX, NESTING_DEPTH_MAX } from '../base/limits.ts';

/** An object as JSON.parse makes it: own properties only, and `__proto__` may be one of them. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Any more bytes of UTF-8 than this a UTF-16 unit never takes. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object that may be left out. PHP's SDK sends an empty one as `[]`. Throws bad_request. */
export function optionalObject(value: unknown, path: string): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  if (Array.isArray(value) && value.length === 0) return undefined;
  throw badRequest('must be an object', path);
}

/** The text without its byte order mark; undefined when it is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Lone surrogates become U+FFFD, which is what UTF-8 makes of them: a text equals itself after storing. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** Whether the text takes at most `bytesMax` bytes of UTF-8. */
export function fitsBytes(text: string, bytesMax: number): boolean {
  if (text.length * UTF8_BYTES_PER_UNIT_MAX <= bytesMax) return true;
  return text.length <= bytesMax && Buffer.byteLength(text) <= bytesMax;
}

/** Throws bad_request for an item that is nested too deep or whose JSON is too long. */
export function checkBulk(item: unknown, path: string): void {
  if (jsonBytesBound(item, NESTING_DEPTH_MAX, path) <= EVENT_BYTES_MAX) return;
  if (Buffer.byteLength(JSON.stringify(item)) <= EVENT_BYTES_MAX) return;
  throw badRequest(`is over ${EVENT_BYTES_MAX} bytes`, path);
}

/** No less than the length of the value's JSON. Several times quicker than writing it, and mostly enough to know. */
function jsonBytesBound(value: unknown, depthLeft: number, path: string): number {
  if (typeof value === 'string') return textBytesBound(value);
  if (typeof value !== 'object' || value === null) return 24;
  if (depthLeft === 0) throw badRequest(`is nested deeper than ${NESTING_DEPTH_MAX}`, path);
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const element of value) bytes += jsonBytesBound(element, depthLeft - 1, path) + 1;
    return bytes;
  }
  const object = value as JsonObject;
  for (const key in object)
    bytes += textBytesBound(key) + jsonBytesBound(object[key], depthLeft - 1, path) + 2;
  return bytes;
}

/** `\u0000` is the longest that one unit becomes. */
function textBytesBound(text: string): number {
  return text.length * 6 + 2;
}

/** The value's JSON, cut to `bytesMax` bytes of UTF-8; what is nested past the limit is left out. */
export function jsonText(value: unknown, bytesMax: number): string {
  const text = JSON.stringify(pruned(value, NESTING_DEPTH_MAX));
  if (fitsBytes(text, bytesMax)) return text;
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(bytesMax)).read);
}

/** JSON.stringify recurses and would exhaust the stack on what JSON.parse could read. */
function pruned(value: unknown, depthLeft: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depthLeft === 0) return '…';
  if (Array.isArray(value)) return value.map((element) => pruned(element, depthLeft - 1));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, pruned(child, depthLeft - 1)]));
}
