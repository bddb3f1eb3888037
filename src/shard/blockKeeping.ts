import type { Clock } from '../base/clock.ts';
import { QUIET_MS } from '../base/limits.ts';
import type { BlockJob, BlockResult } from '../store/blocks/blockJob.ts';
import { storeJobOptions } from '../tablet/storeJobs.ts';
import type { Tablet } from '../tablet/tablet.ts';
import { ErasedRows } from './erasedRows.ts';
import type { Slicer } from './slicer.ts';

/** Does a job: in steps on the shard's thread, which leave it as it is, or away from it, where a sendable one ends. */
export type BlockWriter = (job: BlockJob) => Promise<BlockResult>;

/** Has one tablet's blocks written: full heads as they come, compaction behind them, the rest when it is quiet. */
export class BlockKeeping {
  readonly #tablet: Tablet;
  readonly #write: BlockWriter;
  readonly #slicer: Slicer;
  readonly #clock: Clock;
  readonly #ifUnread: (work: () => Promise<void>) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  readonly #waiting: (() => void)[] = [];
  #working = false;
  #appendedAtMs = 0;
  #timed = false;
  readonly #erased: ErasedRows;

  constructor(options: {
    readonly tablet: Tablet;
    readonly write: BlockWriter;
    readonly slicer: Slicer;
    readonly clock: Clock;
    /** Does the work once nobody reads the tablet; not at all when a query does, which may be for long. */
    readonly ifUnread: (work: () => Promise<void>) => Promise<void>;
    readonly failed: (error: unknown) => void;
  }) {
    this.#tablet = options.tablet;
    this.#write = options.write;
    this.#slicer = options.slicer;
    this.#clock = options.clock;
    this.#ifUnread = options.ifUnread;
    this.#failed = options.failed;
    this.#erased = new ErasedRows(options.tablet, options.clock);
  }

  /** Whether the tablet may take rows: not while too many heads wait to be sealed. */
  get hasRoom(): boolean {
    return !this.#tablet.events.isBehind;
  }

  async room(): Promise<void> {
    while (!this.hasRoom) {
      this.#start();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Rows were appended. */
  appended(): void {
    this.#appendedAtMs = this.#clock.monotonicMs();
    this.#start();
    if (!this.#timed) this.#timeQuiet();
  }

  get #quietInMs(): number {
    return Math.max(0, this.#appendedAtMs + QUIET_MS - this.#clock.monotonicMs());
  }

  #timeQuiet(): void {
    this.#timed = true;
    this.#clock.schedule(this.#quietInMs, () => {
      if (this.#quietInMs > 0) {
        this.#timeQuiet();
        return;
      }
      this.#timed = false;
      this.#tablet.events.freezeIfWorth();
      this.#start();
    });
  }

  #start(): void {
    if (this.#working) return;
    this.#working = true;
    this.#work().catch(this.#failed);
  }

  async #work(): Promise<void> {
    for (;;) {
      const { events } = this.#tablet; // a tablet that splits ends with an empty store
      const isQuiet = this.#quietInMs === 0;
      const goneDue = this.#erased.goneDue(isQuiet);
      const job = events.nextJob(storeJobOptions(this.#tablet, isQuiet, goneDue));
      if (job === undefined) {
        this.#working = false;
        return;
      }
      const sealed = await this.#slicer.run(events.adoptSteps(job, await this.#write(job.job)), {
        isWrite: true,
      });
      if (sealed !== undefined) {
        const release = () => this.#slicer.run(sealed.releaseSteps(), { isWrite: true });
        this.#ifUnread(release).catch(this.#failed);
      }
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }
}
