import { Piscina } from 'piscina';
import { HEAP_YOUNG_MIB_MAX } from '../base/limits.ts';
import { arraysOf, type BlockJob, type BlockResult } from '../store/blocks/blockJob.ts';

/** How long a thread without work is kept: starting one costs less than the 50 to 150 MB that it holds. */
const IDLE_MS = 5000;

/**
 * A shard's helper thread, which writes its blocks beside it: one, so that as many are busy as there are shards, and
 * started when there is something to do. A job's arrays go there and end there; blocks' bytes are shared.
 */
export class BlockPool {
  readonly #pool: Piscina<BlockJob, BlockResult>;

  /** `program` is blockWorker.ts. */
  constructor(program: URL) {
    this.#pool = new Piscina({
      filename: program.href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      resourceLimits: { maxYoungGenerationSizeMb: HEAP_YOUNG_MIB_MAX },
    });
  }

  /** The job is a sendable one (blockJob.ts), and gone from this thread. */
  write(job: BlockJob): Promise<BlockResult> {
    const transferList = arraysOf(job).map(({ buffer }) => buffer as ArrayBuffer);
    return this.#pool.run(job, { transferList });
  }
}
