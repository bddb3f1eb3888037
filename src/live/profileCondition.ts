import type { ProfileCriterion } from '../query/criterion.ts';
import { type CompiledPropertyTest, compilePropertyTest, passesTest } from '../query/filter.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition } from './condition.ts';
import { isTimed, nextTestChangeMs } from './timedTest.ts';

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
  /** The test as of `#compiledAtMs`; it is another one at other times only when it is timed. */
  #test: CompiledPropertyTest;
  #compiledAtMs: number;

  constructor(view: TabletView, criterion: ProfileCriterion) {
    this.#view = view;
    this.#criterion = criterion;
    this.#zone = view.settings.timezone;
    this.isTimed = isTimed(criterion.test);
    this.#compiledAtMs = view.clockMs;
    this.#test = this.#compile(view.clockMs);
  }

  isTrue(ordinal: number, atMs: number): boolean {
    if (this.isTimed && this.#compiledAtMs !== atMs) {
      this.#compiledAtMs = atMs;
      this.#test = this.#compile(atMs);
    }
    return passesTest(this.#test, (trait) => this.#view.profiles.get(ordinal, trait));
  }

  nextChangeMs(ordinal: number, afterMs: number): number {
    const value = this.#view.profiles.get(ordinal, this.#criterion.trait);
    return nextTestChangeMs(value, this.#criterion.test, this.#zone, afterMs);
  }

  onMoment(): void {}

  onEvent(): boolean {
    return false;
  }

  *inherit(): Generator<void> {}

  clear(): void {}

  #compile(atMs: number): CompiledPropertyTest {
    const { trait, test } = this.#criterion;
    return compilePropertyTest(trait, test, { atMs, zone: this.#zone });
  }
}
