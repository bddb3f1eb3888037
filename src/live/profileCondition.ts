import type { ProfileCriterion } from '../query/criterion.ts';
import { compileTest } from '../query/predicate.ts';
import type { ValuePredicate } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition } from './condition.ts';
import { changeOffsetsMs, nextTestChangeMs } from './timedTest.ts';

/** A test of a trait: keeps nothing, the profile is at hand. */
export class ProfileCondition implements Condition {
  readonly events = new Set<string>();
  readonly readsTraits = true;
  readonly isTimed: boolean;
  readonly strategy = 'incremental';
  readonly memoryBytes = 0;
  readonly #view: TabletView;
  readonly #criterion: ProfileCriterion;
  readonly #zone: string;
  readonly #offsetsMs: readonly number[];
  /** The test as of `#compiledAtMs`; it is another one at other times only when it is timed. */
  #predicate: ValuePredicate;
  #compiledAtMs: number;

  constructor(view: TabletView, criterion: ProfileCriterion) {
    this.#view = view;
    this.#criterion = criterion;
    this.#zone = view.settings.timezone;
    this.#offsetsMs = changeOffsetsMs(criterion.test);
    this.isTimed = this.#offsetsMs.length > 0;
    this.#compiledAtMs = view.clockMs;
    this.#predicate = compileTest(criterion.test, { atMs: view.clockMs, zone: this.#zone });
  }

  isTrue(ordinal: number, atMs: number): boolean {
    if (this.isTimed && this.#compiledAtMs !== atMs) {
      this.#compiledAtMs = atMs;
      this.#predicate = compileTest(this.#criterion.test, { atMs, zone: this.#zone });
    }
    const value = this.#view.profiles.get(ordinal, this.#criterion.trait);
    return value === undefined ? this.#predicate.missing : this.#predicate.test(value);
  }

  nextChangeMs(ordinal: number, afterMs: number): number {
    const value = this.#view.profiles.get(ordinal, this.#criterion.trait);
    return nextTestChangeMs(value, this.#offsetsMs, this.#zone, afterMs);
  }

  onMoment(): void {}

  onEvent(): boolean {
    return false;
  }

  *inherit(): Generator<void> {}

  clear(): void {}
}
