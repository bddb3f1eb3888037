import { sampleBucket } from '../base/hash.ts';
import { daySpan, parseDuration, parseTime } from '../base/time.ts';
import { isArray, type Value } from '../base/value.ts';

/**
 * The segment language read word by word over plain lists: slow, and sharing nothing with the evaluation it is held
 * against. For tests and the simulator only; definitions are taken to be well-formed.
 */

export interface OracleUser {
  readonly id: string;
  readonly events: readonly OracleEvent[];
  readonly traits: Readonly<Record<string, Value>>;
}

export interface OracleEvent {
  readonly event: string;
  readonly timeMs: number;
  readonly properties: Readonly<Record<string, Value>>;
}

export interface OracleOptions {
  readonly atMs: number;
  readonly nowMs: number;
  readonly zone: string;
  readonly retentionMs?: number;
  readonly saved?: Readonly<Record<string, unknown>>;
}

/** Ids of the users in the segment. */
export function oracleEvaluate(
  users: readonly OracleUser[],
  definition: unknown,
  options: OracleOptions,
): Set<string> {
  return new Set(
    oracleUsers(users, options)
      .filter((user) => isIn(user, definition as Json, options))
      .map(({ id }) => id),
  );
}

/** Those who still have an event or a trait. */
export function oracleUsers(users: readonly OracleUser[], options: OracleOptions): OracleUser[] {
  return users.filter(
    ({ events, traits }) =>
      events.some((event) => isRetained(event, options)) || Object.keys(traits).length > 0,
  );
}

/** Any criterion or test: whichever keys it has. */
interface Json {
  readonly and?: readonly Json[];
  readonly or?: readonly Json[];
  readonly not?: Json;
  readonly all?: true;
  readonly segment?: string;
  readonly sample?: { readonly percent: number; readonly salt: string };
  readonly profile?: string;
  readonly event?: string | readonly string[];
  readonly where?: readonly Json[];
  readonly within?: Readonly<Record<string, string>>;
  readonly count?: Readonly<Record<string, Value>>;
  readonly prop?: string;
  readonly op?: string;
  readonly value?: Value;
}

function isRetained({ timeMs }: OracleEvent, { nowMs, retentionMs }: OracleOptions): boolean {
  return retentionMs === undefined || timeMs > nowMs - retentionMs;
}

function isIn(user: OracleUser, c: Json, options: OracleOptions): boolean {
  if (c.and) return c.and.every((inner) => isIn(user, inner, options));
  if (c.or) return c.or.some((inner) => isIn(user, inner, options));
  if (c.not) return !isIn(user, c.not, options);
  if (c.all) return true;
  if (c.segment) return isIn(user, options.saved![c.segment] as Json, options);
  if (c.profile) return holds(user.traits[c.profile], c, options);
  if (c.sample) return sampleBucket(user.id, c.sample.salt) < c.sample.percent * 100;
  const matches = user.events.filter(
    (event) =>
      isRetained(event, options) &&
      event.timeMs <= options.atMs &&
      [c.event].flat().includes(event.event) &&
      (c.where ?? []).every((p) => passes(event, p, options)) &&
      isWithin(event.timeMs, c.within, options),
  );
  return compares(matches.length, c.count ?? { gte: 1 });
}

function passes(event: OracleEvent, p: Json, options: OracleOptions): boolean {
  if (p.or) return p.or.some((inner) => passes(event, inner, options));
  return holds(event.properties[p.prop!], p, options);
}

function isWithin(timeMs: number, w: Json['within'], { atMs, zone }: OracleOptions): boolean {
  if (w === undefined) return true;
  if (w.last) return timeMs > atMs - parseDuration(w.last)! && timeMs <= atMs;
  if (w.on) {
    const { fromMs, toMs } = daySpan(w.on, zone)!;
    return timeMs >= fromMs && timeMs < toMs;
  }
  const from = w.from === undefined || timeMs >= pointMs(w.from, atMs, zone);
  const to = w.to === undefined || timeMs < pointMs(w.to, atMs, zone);
  return from && to;
}

function pointMs(text: string, atMs: number, zone: string): number {
  return text.startsWith('-') ? atMs - parseDuration(text.slice(1))! : parseTime(text, zone)!;
}

function compares(n: number, cmp: NonNullable<Json['count']>): boolean {
  const [op, operand] = Object.entries(cmp)[0]!;
  return op === 'neq' ? n !== operand : element(n, op, operand);
}

const OPPOSITES: Readonly<Record<string, string>> = {
  neq: 'eq',
  notIn: 'in',
  notContains: 'contains',
  notExists: 'exists',
};

function holds(value: Value | undefined, { op, value: operand = '' }: Json, options: OracleOptions): boolean {
  const opposite = OPPOSITES[op!];
  if (opposite !== undefined) return !holds(value, { op: opposite, value: operand }, options);
  if (value === undefined) return false;
  if (op === 'exists') return true;
  if (isArray(value) && op === 'contains') return value.some((one) => one === operand);
  return [value].flat().some((one) => element(one, op!, operand) || timeHolds(one, op!, operand, options));
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
    default:
      return false;
  }
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
