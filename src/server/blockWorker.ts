import type { BlockJob, BlockResult } from '../store/blocks/blockJob.ts';
import { runBlockJob } from '../store/blocks/runBlockJob.ts';

/** The program of a thread of the pool that writes blocks: does one job to its end. */
export default function writeBlocks(job: BlockJob): BlockResult {
  const steps = runBlockJob(job);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
