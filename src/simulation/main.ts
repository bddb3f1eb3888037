import { parseArgs } from 'node:util';
import { initHash } from '../base/hash.ts';
import { BUGS, NO_BUGS } from './faults.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string' },
    first: { type: 'string', default: '1' },
    bug: { type: 'string' },
  },
});
const faults = values.bug === undefined ? NO_BUGS : BUGS[values.bug];
if (faults === undefined) {
  console.error(`no bug ${values.bug}; there are: ${Object.keys(BUGS).join(', ')}`);
  process.exit(2);
}
const first = Number(values.seed ?? values.first);
const seeds = values.seed === undefined ? Number(values.seeds) : 1;

await initHash();
const sum = { crashes: 0, frames: 0, splits: 0, submissions: 0, deletions: 0, messages: 0 };
let failed = 0;
for (let seed = first; seed < first + seeds; seed++) {
  try {
    const report = await simulate(seed, faults);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += report[key];
    if (seeds === 1) console.log(report);
  } catch (error) {
    failed++;
    console.error(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    console.error(
      `again: npm run simulate -- --seed ${seed}${values.bug === undefined ? '' : ` --bug ${values.bug}`}`,
    );
  }
}
console.log(
  `${seeds - failed} of ${seeds} seeds clean: ${sum.crashes} crashes, ${sum.frames} frames, ${sum.splits} splits, ` +
    `${sum.submissions} events, ${sum.deletions} deletions, ${sum.messages} messages`,
);
process.exitCode = failed === 0 ? 0 : 1;
