import { sampleBucket } from '../base/hash.ts';
import type { SampleCriterion } from '../query/criterion.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition } from './condition.ts';

/** A share of the users, by a hash of their ids: never changes for a user. */
export class SampleCondition implements Condition {
  readonly events = new Set<string>();
  readonly readsTraits = false;
  readonly isTimed = false;
  readonly strategy = 'incremental';
  readonly memoryBytes = 0;
  readonly #view: TabletView;
  readonly #criterion: SampleCriterion;

  constructor(view: TabletView, criterion: SampleCriterion) {
    this.#view = view;
    this.#criterion = criterion;
  }

  isTrue(ordinal: number): boolean {
    const { salt, buckets } = this.#criterion;
    return sampleBucket(this.#view.users.refOf(ordinal).id, salt) < buckets;
  }

  nextChangeMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  onMoment(): void {}

  onEvent(): boolean {
    return false;
  }

  *inherit(): Generator<void> {}

  clear(): void {}
}
