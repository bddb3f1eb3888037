import type { Bitset } from '../base/bitset.ts';
import type { MemoryBudget } from '../base/memoryBudget.ts';
import type { Value } from '../base/value.ts';
import type { UserRef } from '../log/record.ts';
import type { Part, ValuePredicate } from './part.ts';

/** What queries, live segments and campaigns read of a tablet. Everything here is a view; nothing is copied. */
export interface TabletView {
  readonly users: UsersView;
  readonly schema: SchemaView;
  readonly profiles: ProfilesView;
  readonly events: EventsView;
  readonly settings: AccountSettings;
  /** The largest stamp applied: the tablet's now. */
  readonly clockMs: number;
  /** A saved segment's definition (query/parse.ts's JSON, already checked), or undefined. */
  savedSegment(name: string): unknown;
  /** Of the query that this is a view for: it charges what it allocates for every user, row or group. */
  readonly budget?: MemoryBudget;
}

export interface AccountSettings {
  /** IANA name: days, weeks and bare dates are in this zone. */
  readonly timezone: string;
  /** Events are visible while time > now − retentionMs; undefined = unlimited. */
  readonly retentionMs?: number;
}

/** Users ⇄ dense ordinals. A merged anonymous user keeps its ordinal, whose canonical ordinal is the known user's. */
export interface UsersView {
  /** Ordinals are [0, count). */
  readonly count: number;
  /** canonical[ordinal] = the ordinal that stands for the user; itself unless merged. Longer than `count`. */
  readonly canonical: Uint32Array;
  /** Bit i = ordinal i is canonical and has an event. At least as long as `count`; the bits past it are 0. */
  readonly withEvents: Uint32Array;
  /** Bit i = ordinal i is not canonical; as long as `withEvents`. */
  readonly merged: Uint32Array;
  /** The canonical ordinal, or -1 when this tablet knows no such user. */
  find(user: UserRef): number;
  refOf(ordinal: number): UserRef;
  /** Ordinals merged into this one, in the order of the merges. */
  mergedInto(ordinal: number): readonly number[];
  /**
   * Whether the ordinal stands for nobody any more: its user lives in another tablet or was deleted, and its rows do not
   * count.
   */
  isGone(ordinal: number): boolean;
  /** The latest event time of the user (merged ones included), -Infinity without events. Canonical ordinals only. */
  latestEventMs(ordinal: number): number;
}

/** Event, property and trait names ⇄ small codes; codes grow from 0 in the order of declaration. */
export interface SchemaView {
  readonly eventCount: number;
  eventCode(event: string): number | undefined;
  eventName(code: number): string;
  propertyCode(property: string): number | undefined;
  propertyName(code: number): string;
  isTraitDeclared(trait: string): boolean;
}

export interface ProfilesView {
  /** The trait's value of a canonical ordinal. */
  get(ordinal: number, trait: string): Value | undefined;
  /** Every trait of the user, by name. */
  all(ordinal: number): Readonly<Record<string, Value>>;
  /** Whether the user has any trait. */
  has(ordinal: number): boolean;
  /** Bit i = ordinal i, a canonical one, has a trait. Where it ends before `count`, the others have none. */
  readonly withTraits: Uint32Array;
  /**
   * Canonical ordinals whose value passes, in a bitset of `size`, in small steps. With `missing`, ordinals that stand for
   * nobody are in it too: the caller keeps the users among them.
   */
  selectSteps(trait: string, predicate: ValuePredicate, size: number): Generator<void, Bitset>;
}

export interface EventsView {
  /** Windows in time order, in each the blocks in order of sealing, then heads being sealed, then the head. */
  parts(): readonly Part[];
  readonly rowCount: number;
}
