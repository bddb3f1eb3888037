import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { unreachable } from '../../src/base/assert.ts';
import { ownPlan, type Plan } from './process.ts';

/** The command, and the processes and threads it starts. The rivals' libraries are loaded only where they are used. */
async function main(): Promise<void> {
  const plan = ownPlan();
  const [command, ...args] = process.argv.slice(2);
  const program = fileURLToPath(import.meta.url);
  if (!isMainThread) await (await import('./queries/musterThread.ts')).runMusterThread();
  else if (plan !== undefined) await play(plan);
  else if (command === 'queries') await (await import('./queries/command.ts')).queriesCommand(args, program);
  else if (command === 'check') await (await import('./check/command.ts')).checkCommand(args);
  else await (await import('./sizesCommand.ts')).sizesCommand(process.argv.slice(2), program);
}

async function play(plan: Plan): Promise<void> {
  switch (plan.kind) {
    case 'load':
      await (await import('./queries/dataset.ts')).loadDataset(plan);
      break;
    case 'ask':
      await (await import('./queries/asking.ts')).askAll(plan, new URL(import.meta.url));
      break;
    case 'sizes':
      await (await import('./muster.ts')).measureMuster(plan);
      break;
    default:
      unreachable(plan);
  }
  process.disconnect();
}

await main();
