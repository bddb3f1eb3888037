import { EVENT_NAMES_MAX, PROPERTIES_PER_EVENT_MAX, TRAITS_MAX } from '../base/limits.ts';
import type { Value } from '../base/value.ts';
import { isArray } from '../base/value.ts';
import type { DeclareRecord } from '../log/record.ts';
import { SetHash, StateHash } from './stateHash.ts';
import type { SchemaView } from './view.ts';

export interface SchemaLimits {
  readonly eventNames: number;
  readonly propertiesPerEvent: number;
  readonly traits: number;
}

/**
 * The account's names, and what was seen under them. Names come in by `declare` only, in log order, so that every
 * tablet and every replay gives the same codes and draws the limits at the same name. An event's properties are its
 * own, but one property name has one code under all events.
 */
export class Schema implements SchemaView {
  readonly #limits: SchemaLimits;
  readonly #events: EventSchema[] = [];
  readonly #eventCodes = new Map<string, number>();
  readonly #propertyNames: string[] = [];
  readonly #propertyCodes = new Map<string, number>();
  readonly #traits = new Set<string>();

  constructor(
    limits: SchemaLimits = {
      eventNames: EVENT_NAMES_MAX,
      propertiesPerEvent: PROPERTIES_PER_EVENT_MAX,
      traits: TRAITS_MAX,
    },
  ) {
    this.#limits = limits;
  }

  /** Takes the names that are new, in their order, as far as the limits leave room. */
  declare({ events, traits }: Pick<DeclareRecord, 'events' | 'traits'>): void {
    for (const { event, properties } of events) {
      this.#declareEvent(event);
      for (const property of properties) this.#declareProperty(event, property);
    }
    for (const trait of traits) if (this.hasRoomForTrait()) this.#traits.add(trait);
  }

  /** Takes over another one's names, with their codes; what was seen under them only `withSeen`. */
  inherit(parent: Schema, withSeen: boolean): void {
    for (const name of parent.#propertyNames) {
      this.#propertyCodes.set(name, this.#propertyNames.length);
      this.#propertyNames.push(name);
    }
    for (const { event, seen, properties } of parent.#events) {
      const copy = (of: Seen) => (withSeen ? { ...of } : neverSeen());
      const copies = new Map([...properties].map(([code, propertySeen]) => [code, copy(propertySeen)]));
      this.#eventCodes.set(event, this.#events.length);
      this.#events.push({ event, seen: copy(seen), properties: copies });
    }
    for (const trait of parent.#traits) this.#traits.add(trait);
  }

  isDeclared(event: string): boolean {
    return this.#eventCodes.has(event);
  }

  isPropertyDeclared(event: string, property: string): boolean {
    const code = this.#propertyCodes.get(property);
    return code !== undefined && (this.#find(event)?.properties.has(code) ?? false);
  }

  isTraitDeclared(trait: string): boolean {
    return this.#traits.has(trait);
  }

  hasRoomForEvent(pending = 0): boolean {
    return this.#events.length + pending < this.#limits.eventNames;
  }

  /** Also for an event that is not declared yet: then, whether an event may have properties at all. */
  hasRoomForProperty(event: string, pending = 0): boolean {
    return (this.#find(event)?.properties.size ?? 0) + pending < this.#limits.propertiesPerEvent;
  }

  hasRoomForTrait(pending = 0): boolean {
    return this.#traits.size + pending < this.#limits.traits;
  }

  get eventCount(): number {
    return this.#events.length;
  }

  get traits(): readonly string[] {
    return [...this.#traits];
  }

  eventCode(event: string): number | undefined {
    return this.#eventCodes.get(event);
  }

  eventName(code: number): string {
    return this.#events[code]!.event;
  }

  propertyCode(property: string): number | undefined {
    return this.#propertyCodes.get(property);
  }

  propertyName(code: number): string {
    return this.#propertyNames[code]!;
  }

  /** Counts one stored event with its properties, [code, value], all of them declared for it. */
  note(eventCode: number, timeMs: number, properties: readonly (readonly [number, Value])[]): void {
    const event = this.#events[eventCode]!;
    noteSeen(event.seen, timeMs);
    for (const [code, value] of properties) {
      const seen = event.properties.get(code)!;
      noteSeen(seen, timeMs);
      seen.types |= 1 << typeIndex(value);
    }
  }

  describe(): SchemaDescription {
    const events = this.#events.map(({ event, seen, properties }) => ({
      event,
      ...describeSeen(seen),
      properties: [...properties]
        .map(([code, propertySeen]) => ({
          property: this.#propertyNames[code]!,
          types: TYPES.filter((_, i) => (propertySeen.types >> i) & 1),
          ...describeSeen(propertySeen),
        }))
        .sort((a, b) => byText(a.property, b.property)),
    }));
    return { events: events.sort((a, b) => byText(a.event, b.event)), traits: this.traits.toSorted(byText) };
  }

  /** Codes are state too: stored rows refer to them. */
  hashInto(hash: StateHash): void {
    hash.number(this.#propertyNames.length);
    for (const name of this.#propertyNames) hash.text(name);
    hash.number(this.#events.length);
    for (const { event, seen, properties } of this.#events) {
      const members = new SetHash();
      const member = new StateHash();
      for (const [code, propertySeen] of properties) {
        members.add(hashSeen(member.number(code), propertySeen).number(propertySeen.types));
      }
      hashSeen(hash.text(event), seen).set(members);
    }
    for (const trait of this.#traits) hash.text(trait);
  }

  #find(event: string): EventSchema | undefined {
    const code = this.#eventCodes.get(event);
    return code === undefined ? undefined : this.#events[code];
  }

  #declareEvent(event: string): void {
    if (this.isDeclared(event) || !this.hasRoomForEvent()) return;
    this.#eventCodes.set(event, this.#events.length);
    this.#events.push({ event, seen: neverSeen(), properties: new Map() });
  }

  #declareProperty(event: string, property: string): void {
    if (this.isPropertyDeclared(event, property) || !this.hasRoomForProperty(event)) return;
    const declared = this.#find(event);
    if (declared === undefined) return;
    let code = this.#propertyCodes.get(property);
    if (code === undefined) {
      code = this.#propertyNames.length;
      this.#propertyCodes.set(property, code);
      this.#propertyNames.push(property);
    }
    declared.properties.set(code, neverSeen());
  }
}

const TYPES = ['number', 'text', 'boolean', 'array'] as const;

/** Of the account's part in one tablet, or of several merged; plain JSON, sorted by name. */
export interface SchemaDescription {
  readonly events: readonly EventDescription[];
  readonly traits: readonly string[];
}

export interface SeenDescription {
  readonly count: number;
  /** By the events' own time; null when there was none. */
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
}

export interface EventDescription extends SeenDescription {
  readonly event: string;
  readonly properties: readonly PropertyDescription[];
}

export interface PropertyDescription extends SeenDescription {
  readonly property: string;
  readonly types: readonly (typeof TYPES)[number][];
}

/** What two tablets saw together. */
export function mergeDescriptions(a: SchemaDescription, b: SchemaDescription): SchemaDescription {
  return {
    events: mergeByName(a.events, b.events, 'event', (x, y) => ({
      event: x.event,
      ...mergeSeen(x, y),
      properties: mergeByName(x.properties, y.properties, 'property', (p, q) => ({
        property: p.property,
        types: TYPES.filter((type) => p.types.includes(type) || q.types.includes(type)),
        ...mergeSeen(p, q),
      })),
    })),
    traits: [...new Set([...a.traits, ...b.traits])].sort(byText),
  };
}

interface EventSchema {
  readonly event: string;
  readonly seen: Seen;
  /** By property code, in the order of declaration. */
  readonly properties: Map<number, Seen>;
}

interface Seen {
  count: number;
  firstMs: number;
  lastMs: number;
  /** Bit i for TYPES[i]; unused for events. */
  types: number;
}

function neverSeen(): Seen {
  return { count: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY, types: 0 };
}

function noteSeen(seen: Seen, timeMs: number): void {
  seen.count++;
  if (timeMs < seen.firstMs) seen.firstMs = timeMs;
  if (timeMs > seen.lastMs) seen.lastMs = timeMs;
}

function hashSeen(hash: StateHash, { count, firstMs, lastMs }: Seen): StateHash {
  return hash.number(count).number(firstMs).number(lastMs);
}

function typeIndex(value: Value): number {
  if (isArray(value)) return 3;
  return typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : 2;
}

function describeSeen({ count, firstMs, lastMs }: Seen): SeenDescription {
  return { count, firstSeenMs: count === 0 ? null : firstMs, lastSeenMs: count === 0 ? null : lastMs };
}

function mergeSeen(a: SeenDescription, b: SeenDescription): SeenDescription {
  return {
    count: a.count + b.count,
    firstSeenMs: pickTime(Math.min, a.firstSeenMs, b.firstSeenMs),
    lastSeenMs: pickTime(Math.max, a.lastSeenMs, b.lastSeenMs),
  };
}

function pickTime(pick: (a: number, b: number) => number, a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : pick(a, b);
}

function mergeByName<Key extends string, T extends Readonly<Record<Key, string>>>(
  a: readonly T[],
  b: readonly T[],
  key: Key,
  merge: (x: T, y: T) => T,
): T[] {
  const merged = new Map(a.map((item) => [item[key] as string, item]));
  for (const item of b) {
    const same = merged.get(item[key]);
    merged.set(item[key], same === undefined ? item : merge(same, item));
  }
  return [...merged.values()].sort((x, y) => byText(x[key], y[key]));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
