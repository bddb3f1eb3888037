import type { BlockJob, BlockResult } from './blockJob.ts';
import { compactSteps } from './compact.ts';
import { sealSteps } from './seal.ts';

/**
 * Does a job to its end, yielding after at most about a millisecond of work each time. Pure: the result depends on the
 * job alone, which must not change meanwhile. Throws DamageError when a block to be compacted is damaged.
 */
export function runBlockJob(job: BlockJob): Generator<void, BlockResult> {
  return job.kind === 'seal' ? sealSteps(job) : compactSteps(job);
}
