import { constants, setPriority } from 'node:os';
import { release } from '../base/release.ts';
import { arraysOf, type BlockJob, type BlockResult } from '../store/blocks/blockJob.ts';
import { runBlockJob } from '../store/blocks/runBlockJob.ts';

// Whoever waits for a shard goes first where there are fewer cores than threads. Of one thread only on Linux.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

/** The program of a thread of the pool that writes blocks: does one job to its end, and lets go of its arrays. */
export default function writeBlocks(job: BlockJob): BlockResult {
  const steps = runBlockJob(job);
  for (;;) {
    const { done, value } = steps.next();
    if (done !== true) continue;
    for (const array of arraysOf(job)) release(array);
    return value;
  }
}
