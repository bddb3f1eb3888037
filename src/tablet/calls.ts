import type { Value } from '../base/value.ts';
import type { MessageOutcome } from '../delivery/message.ts';
import type { EventCall, OutcomeRecord, TraitsCall } from '../log/record.ts';
import type { Effects } from './effects.ts';
import type { Tablet } from './tablet.ts';

/** A call of a user who lives here. `place` names it for ever. */
export function applyCall(
  tablet: Tablet,
  call: EventCall | TraitsCall,
  place: string,
  effects: Effects,
): void {
  const ordinal = tablet.users.ensure(call.user);
  if (ordinal === -1) {
    tablet.totals.rejected++;
    return;
  }
  if (call.kind === 'traits') {
    for (const operation of call.operations) {
      if (tablet.schema.isTraitDeclared(operation.trait))
        tablet.profiles.apply(ordinal, operation, call.timeMs);
      else tablet.totals.droppedValues++;
    }
    tablet.live.onTraits(ordinal, tablet.clockMs);
    announceChanges(tablet, effects);
    return;
  }
  const read = storeEvent(tablet, ordinal, call);
  if (read === undefined) return;
  tellLive(tablet, ordinal, call, read, effects);
  const over = tablet.outbox.onEvent({ ordinal, call, occurrence: place, valueOf: read }, tablet.clockMs);
  storeOutcomes(tablet, over, tablet.clockMs, effects);
}

/**
 * An outcome ends up as an event like any other, but triggers no campaign by itself: a campaign about messages would
 * feed itself.
 */
export function applyOutcomeHere(tablet: Tablet, outcome: OutcomeRecord, effects: Effects): void {
  storeOutcomes(tablet, tablet.outbox.onOutcome(outcome, tablet.clockMs), outcome.atMs, effects);
}

type NewEvent = Pick<EventCall, 'event' | 'timeMs' | 'properties'>;
type ReadValue = (propertyCode: number) => Value | undefined;

/**
 * Appends to the trail of an ordinal. Gives the way to its properties; undefined, and counted, when the name came too
 * late for the account's limit of event names.
 */
export function storeEvent(tablet: Tablet, ordinal: number, call: NewEvent): ReadValue | undefined {
  const { event, timeMs, properties } = call;
  const { schema } = tablet;
  const eventCode = schema.eventCode(event);
  if (eventCode === undefined) {
    tablet.totals.rejected++;
    return undefined;
  }
  const coded: [number, Value][] = [];
  for (const property of Object.keys(properties)) {
    if (schema.isPropertyDeclared(event, property))
      coded.push([schema.propertyCode(property)!, properties[property]!]);
    else tablet.totals.droppedValues++;
  }
  coded.sort((a, b) => a[0] - b[0]);
  tablet.events.append(ordinal, eventCode, timeMs, coded);
  tablet.users.noteEvent(ordinal, timeMs);
  schema.note(eventCode, timeMs, coded);
  return (code) => coded.find(([property]) => property === code)?.[1];
}

/** Changes of membership go to the watchers and to the campaigns that a segment triggers. */
export function announceChanges(tablet: Tablet, effects: Effects): void {
  for (const { ordinal, ...change } of tablet.live.takeChanges()) {
    effects.changes.push({ ...change, user: tablet.users.refOf(ordinal) });
    const over = tablet.outbox.onChange({ ordinal, ...change }, tablet.clockMs);
    storeOutcomes(tablet, over, tablet.clockMs, effects);
  }
}

function tellLive(
  tablet: Tablet,
  ordinal: number,
  { event, timeMs }: NewEvent,
  read: ReadValue,
  effects: Effects,
): void {
  tablet.live.onEvent(ordinal, tablet.schema.eventCode(event)!, timeMs, read, tablet.clockMs);
  announceChanges(tablet, effects);
}

function storeOutcomes(
  tablet: Tablet,
  outcomes: readonly MessageOutcome[],
  timeMs: number,
  effects: Effects,
): void {
  for (const { ordinal, event, properties } of outcomes) {
    const read = storeEvent(tablet, ordinal, { event, timeMs, properties });
    if (read !== undefined) tellLive(tablet, ordinal, { event, timeMs, properties }, read, effects);
  }
}
