import { unreachable } from '../base/assert.ts';
import { isoTime } from '../base/time.ts';
import type { Value } from '../base/value.ts';
import type { MessageOutcome } from '../delivery/message.ts';
import type { EventCall, OutcomeRecord, TraitOperation, TraitsCall } from '../log/record.ts';
import type { Effects } from './effects.ts';
import type { Tablet } from './tablet.ts';

/**
 * A call of a user who lives here. `place` names it for ever. False when there is no room for its event name or its
 * user any more, which no collector could know for sure: then it is a dead letter.
 */
export function applyCall(
  tablet: Tablet,
  call: EventCall | TraitsCall,
  place: string,
  effects: Effects,
): boolean {
  const ordinal = tablet.users.ensure(call.user);
  if (ordinal === -1) return refuse(tablet, call, place, 'too_many_users');
  if (call.kind === 'traits') {
    for (const operation of call.operations) {
      if (tablet.schema.isTraitDeclared(operation.trait)) {
        tablet.profiles.apply(ordinal, operation, call.timeMs);
      } else tablet.totals.droppedValues++;
    }
    tablet.live.onTraits(ordinal, tablet.clockMs);
    announceChanges(tablet, effects);
    return true;
  }
  const read = storeEvent(tablet, ordinal, call);
  if (read === undefined) return refuse(tablet, call, place, 'too_many_event_names');
  tellLive(tablet, ordinal, call, read, effects);
  const over = tablet.outbox.onEvent({ ordinal, call, occurrence: place, valueOf: read }, tablet.clockMs);
  storeOutcomes(tablet, over, tablet.clockMs, effects);
  return true;
}

/** Keeps the call as an item that can be collected again. */
function refuse(tablet: Tablet, call: EventCall | TraitsCall, place: string, reason: string): false {
  const { user, messageId, timeMs } = call;
  const item = {
    ...(call.kind === 'event'
      ? { type: 'track', event: call.event, properties: call.properties }
      : { type: 'identify', traits: Object.fromEntries(call.operations.map(traitOf)) }),
    ...(user.known ? { userId: user.id } : { anonymousId: user.id }),
    ...(messageId === undefined ? {} : { messageId }),
    timestamp: isoTime(timeMs),
  };
  tablet.deadLetters.add(place, {
    reason,
    item: JSON.stringify(item),
    receivedAtMs: tablet.clockMs,
  });
  return false;
}

/** An operation as `identify` sends it. */
function traitOf(operation: TraitOperation): [string, unknown] {
  const { op, trait } = operation;
  switch (op) {
    case 'set':
      return [trait, operation.value];
    case 'unset':
      return [trait, null];
    case 'setOnce':
      return [trait, { $setOnce: operation.value }];
    case 'increment':
      return [trait, { $inc: operation.by }];
    case 'add':
      return [trait, { $add: operation.elements }];
    case 'remove':
      return [trait, { $remove: operation.elements }];
    default:
      return unreachable(op);
  }
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

/** Appends to the trail of an ordinal. Gives the way to its properties; undefined when the event is not declared. */
export function storeEvent(
  tablet: Tablet,
  ordinal: number,
  call: NewEvent,
  origin: 'new' | 'moved' = 'new',
): ReadValue | undefined {
  const { event, timeMs, properties } = call;
  const { schema } = tablet;
  const eventCode = schema.eventCode(event);
  if (eventCode === undefined) return undefined;
  const coded: [number, Value][] = [];
  for (const property of Object.keys(properties)) {
    if (schema.isPropertyDeclared(event, property))
      coded.push([schema.propertyCode(property)!, properties[property]!]);
    else tablet.totals.droppedValues++;
  }
  coded.sort((a, b) => a[0] - b[0]);
  tablet.events.append(ordinal, eventCode, timeMs, coded);
  tablet.users.noteEvent(ordinal, timeMs);
  tablet.rowsHere++;
  if (origin === 'new') schema.note(eventCode, timeMs, coded);
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
