import { sampleBucket } from '../base/hash.ts';
import { daySpan, parseDuration } from '../base/time.ts';
import type { Value } from '../base/value.ts';
import { hasSequence, measures } from './oracleMeasures.ts';
import { holds, pointMs } from './oracleTests.ts';

/**
 * The segment language read word by word over plain lists: slow, and sharing nothing with the evaluation it is held
 * against. For tests and the simulator only; definitions are taken to be well-formed.
 */

export interface OracleUser {
  readonly id: string;
  /** In order of arrival; those of merged users before the user's own. */
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

/** Any criterion, step, measure or test: whichever keys it has. */
export interface Json {
  readonly and?: readonly Json[];
  readonly or?: readonly Json[];
  readonly not?: Json;
  readonly all?: true;
  readonly segment?: string;
  readonly sample?: { readonly percent: number; readonly salt: string };
  readonly profile?: string;
  readonly event?: string | readonly string[];
  readonly sequence?: readonly Json[];
  readonly window?: string;
  readonly where?: readonly Json[];
  /** Of a step a duration. */
  readonly within?: Readonly<Record<string, string>> | string;
  readonly count?: Readonly<Record<string, unknown>>;
  readonly days?: Readonly<Record<string, unknown>>;
  readonly sum?: MeasureOfProperty;
  readonly avg?: MeasureOfProperty;
  readonly min?: MeasureOfProperty;
  readonly max?: MeasureOfProperty;
  readonly distinct?: MeasureOfProperty;
  readonly first?: Readonly<Record<string, string>>;
  readonly last?: Readonly<Record<string, string>>;
  readonly lastValue?: Json & { readonly prop: string };
  readonly mostFrequent?: { readonly prop: string; readonly value: Value };
  readonly prop?: string;
  readonly op?: string;
  readonly value?: Value;
}

interface MeasureOfProperty extends Readonly<Record<string, unknown>> {
  readonly prop: string;
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
  if (c.profile) return holds(user.traits, c.profile, c, options);
  if (c.sample) return sampleBucket(user.id, c.sample.salt) < c.sample.percent * 100;
  const events = user.events
    .filter((event) => isRetained(event, options) && event.timeMs <= options.atMs)
    .sort((a, b) => a.timeMs - b.timeMs);
  if (c.sequence) return hasSequence(events, c, options);
  const matches = events.filter(
    (event) => passesAll(event, c, options) && isWithin(event.timeMs, c.within, options),
  );
  return measures(matches, c, options);
}

/** Whether it is an event of the names, and all tests of `where` hold. */
export function passesAll(event: OracleEvent, c: Json, options: OracleOptions): boolean {
  return [c.event].flat().includes(event.event) && (c.where ?? []).every((p) => passes(event, p, options));
}

function passes(event: OracleEvent, p: Json, options: OracleOptions): boolean {
  if (p.or) return p.or.some((inner) => passes(event, inner, options));
  return holds(event.properties, p.prop!, p, options);
}

export function isWithin(timeMs: number, w: Json['within'], { atMs, zone }: OracleOptions): boolean {
  if (w === undefined || typeof w === 'string') return true;
  if (w.last) return timeMs > atMs - parseDuration(w.last)! && timeMs <= atMs;
  if (w.on) {
    const { fromMs, toMs } = daySpan(w.on, zone)!;
    return timeMs >= fromMs && timeMs < toMs;
  }
  const from = w.from === undefined || timeMs >= pointMs(w.from, atMs, zone);
  const to = w.to === undefined || timeMs < pointMs(w.to, atMs, zone);
  return from && to;
}
