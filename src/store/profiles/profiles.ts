import { Bitset } from '../../base/bitset.ts';
import type { Value } from '../../base/value.ts';
import type { TraitOperation } from '../../log/record.ts';
import { OrdinalBits } from '../ordinalBits.ts';
import type { ValuePredicate } from '../part.ts';
import { SetHash, StateHash } from '../stateHash.ts';
import type { ProfilesView, UsersView } from '../view.ts';
import { ProfilesSnapshot } from './profilesSnapshot.ts';
import { TraitColumn } from './traitColumn.ts';
import { applyOperation, type Drops, hasValue, merged, type TraitState, traitValue } from './traitState.ts';

/** Copied between two yields. */
const COUNTS_PER_STEP = 1 << 16;

/**
 * The traits of a tablet's users, a column per trait; what they mean is in traitState.ts. All ordinals are canonical
 * ones; which traits there may be is the schema's business.
 */
export class Profiles implements ProfilesView, Drops {
  readonly #columns = new Map<string, TraitColumn>();
  /** Traits with a value, by ordinal. */
  #counts = new Uint16Array(256);
  /** Where those are more than 0. */
  readonly #withTraits = new OrdinalBits();
  readonly #snapshots = new Set<ProfilesSnapshot>();
  /** Elements not added because the array was full. */
  droppedValues = 0;

  /** Bytes. */
  memoryByTrait(): Readonly<Record<string, number>> {
    const traits = [...this.#columns].map(([trait, column]) => [trait, column.memoryBytes] as const);
    return Object.fromEntries([
      ['(all traits)', this.#counts.byteLength + this.#withTraits.byteLength],
      ...traits,
    ]);
  }

  /** As it is now, for as long as it takes until `close`. */
  snapshot(): ProfilesSnapshot {
    const snapshot = new ProfilesSnapshot(this, this.#withTraits.share(), (closed) => {
      this.#snapshots.delete(closed);
      if (this.#snapshots.size === 0) this.#withTraits.unshare();
    });
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  apply(ordinal: number, operation: TraitOperation, timeMs: number): void {
    const column = this.#column(operation.trait);
    const before = column.state(ordinal);
    const after = applyOperation(before, operation, timeMs, this);
    if (after === before) return;
    this.#keepFor(ordinal, operation.trait, before);
    this.#put(column, ordinal, before, after);
  }

  get(ordinal: number, trait: string): Value | undefined {
    return this.#columns.get(trait)?.value(ordinal);
  }

  all(ordinal: number): Readonly<Record<string, Value>> {
    const traits: [string, Value][] = [];
    for (const [trait, column] of this.#columns) {
      const value = column.value(ordinal);
      if (value !== undefined) traits.push([trait, value]);
    }
    return Object.fromEntries(traits);
  }

  has(ordinal: number): boolean {
    return this.#withTraits.has(ordinal);
  }

  get withTraits(): Uint32Array {
    return this.#withTraits.words;
  }

  select(trait: string, predicate: ValuePredicate, size: number): Bitset {
    const steps = this.selectSteps(trait, predicate, size);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  *selectSteps(trait: string, predicate: ValuePredicate, size: number): Generator<void, Bitset> {
    const column = this.#columns.get(trait);
    if (column !== undefined) return yield* column.selectSteps(predicate, size);
    return predicate.missing ? Bitset.full(size) : new Bitset(size);
  }

  /** Everything kept of the user, plain JSON, for `mergeFrom`; undefined when that is nothing. */
  extract(ordinal: number): Readonly<Record<string, unknown>> | undefined {
    const states: [string, TraitState][] = [];
    for (const [trait, column] of this.#columns) {
      const state = column.state(ordinal);
      if (!isEmpty(state)) states.push([trait, state]);
    }
    return states.length === 0 ? undefined : Object.fromEntries(states);
  }

  /** Merges what `extract` gave of an anonymous user into a known one (traitState.ts, `merged`). */
  mergeFrom(extracted: unknown, ordinal: number): void {
    for (const [trait, anonymous] of Object.entries(extracted as Record<string, TraitState>)) {
      const column = this.#column(trait);
      const before = column.state(ordinal);
      this.#keepFor(ordinal, trait, before);
      this.#put(column, ordinal, before, isEmpty(before) ? anonymous : merged(before, anonymous, this));
    }
  }

  drop(ordinal: number): void {
    if (this.#snapshots.size > 0)
      for (const [trait, column] of this.#columns) this.#keepFor(ordinal, trait, column.state(ordinal));
    for (const column of this.#columns.values()) column.delete(ordinal);
    if (ordinal < this.#counts.length) this.#counts[ordinal] = 0;
    this.#withTraits.set(ordinal, false);
  }

  /** Takes over, while new, what another table has of ordinals that are `here`: page by page, in small steps. */
  *inherit(parent: Profiles, here: Bitset): Generator<void> {
    for (const [trait, column] of parent.#columns) yield* this.#column(trait).inherit(column, here);
    this.#withTraits.inherit(parent.#withTraits, here);
    this.#counts = new Uint16Array(parent.#counts.length);
    const end = Math.min(here.size, this.#counts.length);
    for (let ordinal = 0; ordinal < end; ordinal++) {
      if (ordinal % COUNTS_PER_STEP === 0) yield;
      if (here.has(ordinal)) this.#counts[ordinal] = parent.#counts[ordinal]!;
    }
  }

  /** By the users' ids, so that their numbering does not show. */
  hashInto(hash: StateHash, users: Pick<UsersView, 'refOf'>): void {
    const traits = new SetHash();
    const member = new StateHash();
    for (const [trait, column] of this.#columns) {
      column.forEach((ordinal) => {
        const { known, id } = users.refOf(ordinal);
        traits.add(hashState(member.text(trait).boolean(known).text(id), column.state(ordinal)));
      });
    }
    hash.set(traits);
  }

  /** What the snapshots see of a value that is about to change. */
  #keepFor(ordinal: number, trait: string, before: TraitState): void {
    if (this.#snapshots.size === 0) return;
    const value = traitValue(before);
    for (const snapshot of this.#snapshots) snapshot.keep(ordinal, trait, value);
  }

  #column(trait: string): TraitColumn {
    let column = this.#columns.get(trait);
    if (column === undefined) {
      column = new TraitColumn();
      this.#columns.set(trait, column);
    }
    return column;
  }

  #put(column: TraitColumn, ordinal: number, before: TraitState, after: TraitState): void {
    column.put(ordinal, after);
    while (ordinal >= this.#counts.length) {
      const counts = new Uint16Array(this.#counts.length * 2);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    this.#counts[ordinal]! += Number(hasValue(after)) - Number(hasValue(before));
    this.#withTraits.set(ordinal, this.#counts[ordinal]! > 0);
  }
}

function isEmpty({ set, once, increments, elements }: TraitState): boolean {
  return set === undefined && once === undefined && increments.length === 0 && elements.length === 0;
}

function hashState(hash: StateHash, { set, once, increments, elements }: TraitState): StateHash {
  for (const start of [set, once]) {
    hash.boolean(start !== undefined);
    if (start === undefined) continue;
    hash.number(start.timeMs).boolean(start.value !== null);
    if (start.value !== null) hash.value(start.value);
  }
  hash.number(increments.length);
  for (const { value, timeMs } of increments) hash.number(value).number(timeMs);
  for (const { value, timeMs, isIn } of elements) hash.value(value).number(timeMs).boolean(isIn);
  return hash;
}
