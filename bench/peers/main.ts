import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { playProcess, processPlan } from './queries/engineProcess.ts';

/** The command, and the processes and threads it starts. The rivals' libraries are loaded only where they are used. */
async function main(): Promise<void> {
  const plan = processPlan();
  const [command, ...args] = process.argv.slice(2);
  if (!isMainThread) await (await import('./queries/musterThread.ts')).runMusterThread();
  else if (plan !== undefined) await playProcess(plan, new URL(import.meta.url));
  else if (command === 'queries')
    await (await import('./queries/command.ts')).queriesCommand(args, fileURLToPath(import.meta.url));
  else await (await import('./sizesCommand.ts')).sizesCommand(process.argv.slice(2));
}

await main();
