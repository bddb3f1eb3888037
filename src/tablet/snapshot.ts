import type { MemoryBudget } from '../base/memoryBudget.ts';
import type { ProfilesSnapshot } from '../store/profiles/profilesSnapshot.ts';
import type { Schema } from '../store/schema.ts';
import type { UsersSnapshot } from '../store/users.ts';
import type { AccountSettings, EventsView, TabletView } from '../store/view.ts';
import type { SegmentValue } from './account.ts';
import type { Tablet } from './tablet.ts';
import type { MergeEpochs } from './transfers.ts';

/**
 * A tablet between two frames, for one query: it stays so while the query runs and further frames are applied
 * (docs/decisions/0007-queries-read-snapshots.md). Taking one costs microseconds; what changes is copied when it does.
 * The schema goes on, since codes are only ever added. Must be closed; a tablet that splits waits for that.
 */
export class TabletSnapshot implements TabletView {
  /** As it is now. For what is of no one moment, and for what is read in one step before the first yield. */
  readonly tablet: Tablet;
  readonly budget: MemoryBudget;
  readonly users: UsersSnapshot;
  readonly profiles: ProfilesSnapshot;
  readonly events: EventsView;
  readonly settings: AccountSettings;
  readonly clockMs: number;
  readonly epochs: MergeEpochs;
  /** How many tablets the account had. */
  readonly tablets: number;
  readonly #segments: ReadonlyMap<string, SegmentValue>;

  constructor(tablet: Tablet, budget: MemoryBudget) {
    this.tablet = tablet;
    this.budget = budget;
    this.users = tablet.users.snapshot();
    this.profiles = tablet.profiles.snapshot();
    this.events = tablet.events.snapshot();
    this.settings = tablet.settings;
    this.clockMs = tablet.clockMs;
    this.epochs = tablet.transfers.epochs();
    this.tablets = tablet.account.tree.leaves.length;
    this.#segments = tablet.account.segments;
  }

  get schema(): Schema {
    return this.tablet.schema;
  }

  savedSegment(name: string): unknown {
    return this.#segments.get(name)?.definition;
  }

  /** The query of this tablet is over; of those that share a budget one is asked at a time. */
  close(): void {
    this.users.close();
    this.profiles.close();
    this.budget.close();
  }
}
