import { DateTime } from 'luxon';
import { parseDuration, parseTime } from '../base/time.ts';
import { isArray, type Value } from '../base/value.ts';
import type { Json, OracleOptions } from './oracle.ts';

/** The oracle's operators (oracle.ts), word by word. */

const OPPOSITES: Readonly<Record<string, string>> = {
  neq: 'eq',
  notIn: 'in',
  notContains: 'contains',
  notExists: 'exists',
};

/** Whether the test, `op` and `value`, holds of the value of that name among these. */
export function holds(
  values: Readonly<Record<string, Value>>,
  name: string,
  { op, value: operand = '' }: Json,
  options: OracleOptions,
): boolean {
  const opposite = OPPOSITES[op!];
  if (opposite !== undefined) return !holds(values, name, { op: opposite, value: operand }, options);
  if (op === 'near')
    return isNear(values[`${name}.lat`], values[`${name}.lon`], operand as unknown as Circle);
  const value = values[name];
  if (value === undefined) return false;
  if (op === 'exists') return true;
  if (isArray(value) && op === 'contains') return value.some((one) => one === operand);
  return [value].flat().some((one) => element(one, op!, operand) || timeHolds(one, op!, operand, options));
}

/** Whether CMP, as JSON with one of its operators among its keys, holds of the number. */
export function compares(n: number, cmp: Readonly<Record<string, unknown>>): boolean {
  const [op, operand] = Object.entries(cmp).find(([key]) => key !== 'prop')! as [string, Value];
  return op === 'neq' ? n !== operand : element(n, op, operand);
}

export function pointMs(text: string, atMs: number, zone: string): number {
  return text.startsWith('-') ? atMs - parseDuration(text.slice(1))! : parseTime(text, zone)!;
}

function element(one: Value, op: string, operand: Value): boolean {
  const list = operand as readonly Value[];
  const comparable = typeof one === typeof operand;
  switch (op) {
    case 'eq':
      return one === operand;
    case 'in':
      return list.some((value) => one === value);
    case 'gt':
      return comparable && sign(one, operand) === 1;
    case 'gte':
      return comparable && sign(one, operand) !== -1;
    case 'lt':
      return comparable && sign(one, operand) === -1;
    case 'lte':
      return comparable && sign(one, operand) !== 1;
    case 'between':
      return element(one, 'gte', list[0]!) && element(one, 'lte', list[1]!);
    case 'contains':
      return typeof one === 'string' && typeof operand === 'string' && one.includes(operand);
    case 'startsWith':
      return typeof one === 'string' && one.startsWith(operand as string);
    case 'endsWith':
      return typeof one === 'string' && one.endsWith(operand as string);
    case 'matches':
      // Patterns that JavaScript and RE2 read alike.
      return typeof one === 'string' && new RegExp(operand as string, 'u').test(one);
    default:
      return false;
  }
}

function timeHolds(one: Value, op: string, operand: Value, { atMs, zone }: OracleOptions): boolean {
  const timeMs = typeof one === 'string' ? parseTime(one, zone) : undefined;
  if (timeMs === undefined) return false;
  const text = operand as string;
  switch (op) {
    case 'before':
      return timeMs < pointMs(text, atMs, zone);
    case 'after':
      return timeMs > pointMs(text, atMs, zone);
    case 'withinLast':
      return timeMs > atMs - parseDuration(text)! && timeMs <= atMs;
    case 'withinNext':
      return timeMs > atMs && timeMs <= atMs + parseDuration(text)!;
    case 'anniversary':
      return hasAnniversary(timeMs, operand as unknown as Anniversary, atMs, zone);
    default:
      return false;
  }
}

interface Anniversary {
  readonly on?: 'today';
  readonly last?: string;
  readonly next?: string;
}

/** Its month and day in any year, 1 March standing for 29 February where there is none. */
function hasAnniversary(timeMs: number, { last, next }: Anniversary, atMs: number, zone: string): boolean {
  const { month, day } = DateTime.fromMillis(timeMs, { zone });
  const now = DateTime.fromMillis(atMs, { zone });
  for (let year = now.year - 3; year <= now.year + 3; year++) {
    const own = DateTime.utc(year, month, day);
    const date = (own.isValid ? own : DateTime.utc(year, 3, 1)).toISODate()!;
    const midnightMs = parseTime(date, zone)!;
    if (last !== undefined) {
      if (midnightMs > atMs - parseDuration(last)! && midnightMs <= atMs) return true;
    } else if (next !== undefined) {
      if (midnightMs > atMs && midnightMs <= atMs + parseDuration(next)!) return true;
    } else if (date === now.toISODate()) return true;
  }
  return false;
}

interface Circle {
  readonly lat: number;
  readonly lon: number;
  readonly km: number;
}

function isNear(lat: Value | undefined, lon: Value | undefined, circle: Circle): boolean {
  const numbers = (value: Value | undefined) => [value ?? []].flat().filter((one) => typeof one === 'number');
  return numbers(lat).some((y) =>
    numbers(lon).some((x) => Math.abs(y) <= 90 && distanceKm(y, x, circle.lat, circle.lon) <= circle.km),
  );
}

/** By the angle between the two places seen from the centre of the sphere. */
function distanceKm(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const [a, b] = [direction(lat1, lon1), direction(lat2, lon2)];
  const cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]] as const;
  const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  return 6371.0088 * Math.atan2(Math.hypot(...cross), dot);
}

function direction(lat: number, lon: number): readonly [number, number, number] {
  const [phi, lambda] = [(lat * Math.PI) / 180, (lon * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

/** Numbers by size, text by code points, false before true. */
function sign(a: Value, b: Value): -1 | 0 | 1 {
  if (typeof a === 'string' && typeof b === 'string') {
    const [x, y] = [codePoints(a), codePoints(b)];
    const differing = x.findIndex((point, i) => point !== y[i]);
    if (differing === -1) return x.length < y.length ? -1 : 0;
    return differing >= y.length || x[differing]! > y[differing]! ? 1 : -1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!);
}
