import { Piscina } from 'piscina';
import type { BlockJob, BlockResult } from '../store/blocks/blockJob.ts';

/** How long a thread without work is kept: starting one costs less than the 50 to 150 MB that it holds. */
const IDLE_MS = 5000;

/**
 * A shard's helper thread, which writes its blocks beside it: one, so that as many are busy as there are shards, and
 * started when there is something to do. A job's numbers lie in shared memory and are not copied.
 */
export class BlockPool {
  readonly #pool: Piscina<BlockJob, BlockResult>;

  /** `program` is blockWorker.ts. */
  constructor(program: URL) {
    this.#pool = new Piscina({ filename: program.href, minThreads: 0, maxThreads: 1, idleTimeout: IDLE_MS });
  }

  write(job: BlockJob): Promise<BlockResult> {
    return this.#pool.run(job);
  }
}
