import type { Value } from '../src/base/value.ts';
import type { DeclareRecord, UserRef } from '../src/log/record.ts';
import { runBlockJob } from '../src/store/blocks/runBlockJob.ts';
import { PrefixTree } from '../src/tablet/placement.ts';
import { storeJobOptions } from '../src/tablet/storeJobs.ts';
import { Tablet } from '../src/tablet/tablet.ts';
import { threadCpuMs } from './cpu.ts';

/** What writing blocks took, without what filled them. */
export interface WritingCost {
  cpuMs: number;
  rows: number;
  jobs: number;
  /** Bytes that the largest job's blocks took while those they replaced were there too. */
  extraBytesMax: number;
}

/**
 * Fills the tablets of an account with events, many millions a minute: past the collector, the log, dedupe, live
 * segments and campaigns, into the same stores. Heads are sealed and blocks compacted as in a server.
 */
export class BulkLoader {
  /** In the order of their prefixes. */
  readonly tablets: readonly Tablet[];
  readonly sealing: WritingCost = { cpuMs: 0, rows: 0, jobs: 0, extraBytesMax: 0 };
  readonly compaction: WritingCost = { cpuMs: 0, rows: 0, jobs: 0, extraBytesMax: 0 };
  readonly #tree: PrefixTree;

  /** Only the tablets that `holds` says yes to, by their place among all, are made. */
  constructor(
    tabletCount: number,
    declared: Pick<DeclareRecord, 'events' | 'traits'>,
    holds: (index: number) => boolean = () => true,
  ) {
    this.#tree = PrefixTree.even(tabletCount);
    this.tablets = this.#tree.leaves
      .filter((_, index) => holds(index))
      .map((bits) => new Tablet('bench', bits));
    for (const { schema } of this.tablets) schema.declare(declared);
  }

  /** Where the user's events go; undefined when the tablet is not held here. */
  place(user: UserRef): Place | undefined {
    const bits = this.#tree.tabletOf(user.id);
    const tablet = this.tablets.find((each) => each.bits === bits);
    return tablet && { tablet, ordinal: tablet.users.ensure(user) };
  }

  /** Sets traits, all of them declared. */
  identify({ tablet, ordinal }: Place, traits: Readonly<Record<string, Value>>, timeMs: number): void {
    for (const [trait, value] of Object.entries(traits))
      tablet.profiles.apply(ordinal, { op: 'set', trait, value }, timeMs);
  }

  /** Properties by their codes, ascending. */
  add(
    { tablet, ordinal }: Place,
    eventCode: number,
    timeMs: number,
    properties: readonly (readonly [number, Value])[],
  ): void {
    const { events, users } = tablet;
    events.append(ordinal, eventCode, timeMs, properties);
    users.noteEvent(ordinal, timeMs);
    if (events.isBehind) this.#write(tablet, false);
  }

  /** Everything is sealed and compacted, as when a server has been quiet for a while. */
  finish(): void {
    for (const tablet of this.tablets) {
      this.#write(tablet, false);
      tablet.events.freeze();
      this.#write(tablet, true);
    }
  }

  #write(tablet: Tablet, quiet: boolean): void {
    const { events } = tablet;
    for (;;) {
      const job = events.nextJob(storeJobOptions(tablet, quiet));
      if (job === undefined) return;
      const startedMs = threadCpuMs();
      const result = finished(runBlockJob(job.job));
      const sealed = finished(events.adoptSteps(job, result));
      if (sealed !== undefined) finished(sealed.releaseSteps());
      const cost = job.job.kind === 'seal' ? this.sealing : this.compaction;
      cost.cpuMs += threadCpuMs() - startedMs;
      cost.jobs++;
      cost.rows += result.blocks.reduce((sum, { rowCount }) => sum + rowCount, 0);
      const bytes = result.blocks.reduce((sum, block) => sum + block.bytes.length, 0);
      cost.extraBytesMax = Math.max(cost.extraBytesMax, bytes);
    }
  }
}

export interface Place {
  readonly tablet: Tablet;
  readonly ordinal: number;
}

export function finished<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
