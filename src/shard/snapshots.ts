import { SNAPSHOT_VALUES_MAX } from '../base/limits.ts';
import type { MemoryBudget } from '../base/memoryBudget.ts';
import { TabletSnapshot } from '../tablet/snapshot.ts';
import type { Tablet } from '../tablet/tablet.ts';

/** The snapshots of one tablet that queries are reading. */
export class Snapshots {
  readonly #tablet: Tablet;
  readonly #open = new Set<TabletSnapshot>();
  #waiting: (() => void)[] = [];

  constructor(tablet: Tablet) {
    this.#tablet = tablet;
  }

  /** To be called between two frames. */
  open(budget: MemoryBudget): TabletSnapshot {
    const snapshot = new TabletSnapshot(this.#tablet, budget);
    this.#open.add(snapshot);
    return snapshot;
  }

  get isAnyOpen(): boolean {
    return this.#open.size > 0;
  }

  close(snapshot: TabletSnapshot): void {
    snapshot.close();
    this.#open.delete(snapshot);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Whether a frame may be applied: not while too many changes are kept for one query. */
  get hasRoom(): boolean {
    return ![...this.#open].some(({ profiles }) => profiles.keptCount > SNAPSHOT_VALUES_MAX);
  }

  async room(): Promise<void> {
    await this.#until(() => this.hasRoom);
  }

  /** Resolves when none is open. */
  async closed(): Promise<void> {
    await this.#until(() => this.#open.size === 0);
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
