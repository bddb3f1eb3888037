import type { Value } from '../base/value.ts';
import type { ValuePredicate } from '../store/part.ts';
import type { SchemaView } from '../store/view.ts';
import type { EventFilter, ValueTest } from './criterion.ts';
import { type Circle, compileNear, coordinatesOf } from './near.ts';
import { compileTest, type Moment, type Span } from './predicate.ts';

/** An EventFilter that can be asked about events; good for its moment only. */
export interface CompiledFilter {
  readonly events: ReadonlySet<string>;
  /** Of each group at least one must hold. */
  readonly where: readonly (readonly CompiledPropertyTest[])[];
}

export type CompiledPropertyTest =
  | { readonly kind: 'value'; readonly prop: string; readonly predicate: ValuePredicate }
  /** Of two properties. */
  | { readonly kind: 'near'; readonly lat: string; readonly lon: string; readonly circle: Circle };

/** Which events of a tablet are wanted. */
export interface WantedEvents extends Span {
  readonly filter: CompiledFilter;
  /** Of the filter's events that the tablet's schema knows, ascending. */
  readonly eventCodes: readonly number[];
}

export function wantedEvents(
  schema: SchemaView,
  filter: EventFilter,
  { fromMs, toMs }: Span,
  moment: Moment,
): WantedEvents {
  const codes = filter.events.map((event) => schema.eventCode(event));
  return {
    fromMs,
    toMs,
    filter: compileFilter(filter, moment),
    eventCodes: codes.filter((code) => code !== undefined).sort((a, b) => a - b),
  };
}

export function compileFilter(filter: EventFilter, moment: Moment): CompiledFilter {
  return {
    events: new Set(filter.events),
    where: filter.where.map((group) =>
      group.map(({ prop, test }) => compilePropertyTest(prop, test, moment)),
    ),
  };
}

/** Of a property or a trait. */
export function compilePropertyTest(prop: string, test: ValueTest, moment: Moment): CompiledPropertyTest {
  if (test.op === 'near') return { kind: 'near', ...coordinatesOf(prop), circle: compileNear(test, moment) };
  return { kind: 'value', prop, predicate: compileTest(test, moment) };
}

/** Whether the test holds of what `property` answers, undefined being nothing. */
export function passesTest(
  test: CompiledPropertyTest,
  property: (prop: string) => Value | undefined,
): boolean {
  if (test.kind === 'near') return test.circle.contains(property(test.lat), property(test.lon));
  const value = property(test.prop);
  return value === undefined ? test.predicate.missing : test.predicate.test(value);
}

/** Whether an event passes, whenever it happened. `property` answers undefined for a property it does not have. */
export function matchesEvent(
  filter: CompiledFilter,
  event: string,
  property: (prop: string) => Value | undefined,
): boolean {
  if (!filter.events.has(event)) return false;
  return filter.where.every((group) => group.some((test) => passesTest(test, property)));
}
