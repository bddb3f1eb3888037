import type { Bitset } from '../../base/bitset.ts';
import type { Value } from '../../base/value.ts';
import { hasBit } from '../ordinalBits.ts';
import type { ValuePredicate } from '../part.ts';
import type { ProfilesView } from '../view.ts';

/**
 * The traits of one moment, for a query that takes longer than it takes until the next write: what they are now, and
 * beside it what has changed since as it was before.
 */
export class ProfilesSnapshot implements ProfilesView {
  readonly withTraits: Uint32Array;
  readonly #now: ProfilesView;
  readonly #closed: (snapshot: ProfilesSnapshot) => void;
  /** By trait and ordinal, the values before their first change. */
  readonly #before = new Map<string, Map<number, Value | undefined>>();
  #keptCount = 0;

  /** `withTraits` are of the moment, and stay so. */
  constructor(now: ProfilesView, withTraits: Uint32Array, closed: (snapshot: ProfilesSnapshot) => void) {
    this.withTraits = withTraits;
    this.#now = now;
    this.#closed = closed;
  }

  /** Values that have changed since. */
  get keptCount(): number {
    return this.#keptCount;
  }

  /** A value is about to change. */
  keep(ordinal: number, trait: string, value: Value | undefined): void {
    let before = this.#before.get(trait);
    if (before === undefined) {
      before = new Map();
      this.#before.set(trait, before);
    }
    if (before.has(ordinal)) return;
    before.set(ordinal, value);
    this.#keptCount++;
  }

  get(ordinal: number, trait: string): Value | undefined {
    const before = this.#before.get(trait);
    return before?.has(ordinal) ? before.get(ordinal) : this.#now.get(ordinal, trait);
  }

  all(ordinal: number): Readonly<Record<string, Value>> {
    const traits = new Map(Object.entries(this.#now.all(ordinal)));
    for (const [trait, before] of this.#before) {
      if (!before.has(ordinal)) continue;
      const value = before.get(ordinal);
      if (value === undefined) traits.delete(trait);
      else traits.set(trait, value);
    }
    return Object.fromEntries(traits);
  }

  has(ordinal: number): boolean {
    return hasBit(this.withTraits, ordinal);
  }

  *selectSteps(trait: string, predicate: ValuePredicate, size: number): Generator<void, Bitset> {
    const selected = yield* this.#now.selectSteps(trait, predicate, size);
    for (const [ordinal, value] of this.#before.get(trait) ?? []) {
      if (ordinal >= size) continue;
      if (value === undefined ? predicate.missing : predicate.test(value)) selected.add(ordinal);
      else selected.delete(ordinal);
    }
    return selected;
  }

  /** It is not used any more. */
  close(): void {
    this.#closed(this);
  }
}
