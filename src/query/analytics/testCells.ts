import { isArray, type Scalar, type Value } from '../../base/value.ts';
import type { TestEvent } from '../testView.ts';
import { NO_KEY, OTHER_KEY } from './breakdown.ts';

/** For tests of trends and pivots: what their cells have, from plain lists of events. */

export interface OracleEvent extends TestEvent {
  /** Equal for events of one user. */
  readonly user: number;
  readonly traits: Readonly<Record<string, Value>>;
}

export interface OracleKey {
  readonly source: 'prop' | 'profile';
  readonly name: string;
}

export function measureOf(measure: unknown, events: readonly OracleEvent[]): number | null {
  if (measure === 'events') return events.length;
  if (measure === 'users') return new Set(events.map(({ user }) => user)).size;
  const [[kind, prop]] = Object.entries(measure as Record<string, string>) as [[string, string]];
  const numbers = events
    .map(({ properties }) => properties[prop])
    .filter((value) => typeof value === 'number');
  const sum = numbers.reduce((total, number) => total + number, 0);
  if (kind === 'sum') return sum;
  if (numbers.length === 0) return null;
  if (kind === 'avg') return sum / numbers.length;
  return kind === 'min' ? Math.min(...numbers) : Math.max(...numbers);
}

export function elementKeys(value: Value | undefined): readonly Scalar[] {
  const elements = value === undefined ? [] : isArray(value) ? [...new Set(value)] : [value];
  return elements.length === 0 ? [NO_KEY] : elements;
}

/** The keys in order, `(other)` and `(none)` where there are events of them, and which an event counts for. */
export function topKeysOf(events: readonly OracleEvent[], { source, name }: OracleKey, top: number) {
  const keysOf = ({ properties, traits }: OracleEvent) =>
    elementKeys((source === 'prop' ? properties : traits)[name]);
  const counts = new Map<Scalar, number>();
  for (const event of events) for (const key of keysOf(event)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const isNone = counts.delete(NO_KEY);
  const order = ([a, m]: [Scalar, number], [b, n]: [Scalar, number]) =>
    n - m || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  const sorted = [...counts].sort(order).map(([key]) => key);
  const heaviest = new Set(sorted.slice(0, top));
  const slotsOf = (event: OracleEvent) =>
    new Set(keysOf(event).map((key) => (key === NO_KEY || heaviest.has(key) ? key : OTHER_KEY)));
  const keys = [...heaviest, ...(sorted.length > top ? [OTHER_KEY] : []), ...(isNone ? [NO_KEY] : [])];
  return { keys, slotsOf };
}
