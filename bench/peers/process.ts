import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { MusterSizesPlan } from './muster.ts';
import type { AskPlan } from './queries/asking.ts';
import type { LoadPlan } from './queries/dataset.ts';

/**
 * What a process of this program is started for. Each engine has one to itself, so that none holds memory or threads
 * while another is measured; it tells what it finds, a message each, and ends.
 */
export type Plan = LoadPlan | AskPlan | MusterSizesPlan;

/** The option that makes this program such a process. */
const ROLE = '--process';

/** What this process was started for, when it is one. */
export function ownPlan(): Plan | undefined {
  const [role, plan] = process.argv.slice(2);
  return role === ROLE && plan !== undefined ? (JSON.parse(plan) as Plan) : undefined;
}

/**
 * Runs a process of the built program to its end. `heard` gets each thing it tells.
 *
 * @throws what `heard` throws, once the process has ended, or where it failed
 */
export async function runProcess<T>(program: string, plan: Plan, heard: (told: T) => void): Promise<void> {
  const child = fork(program, [ROLE, JSON.stringify(plan)], { serialization: 'advanced' });
  let thrown: { readonly error: unknown } | undefined;
  child.on('message', (told) => {
    try {
      heard(told as T);
    } catch (error) {
      thrown ??= { error };
      child.kill();
    }
  });
  const [status, signal] = await once(child, 'close');
  if (thrown !== undefined) throw thrown.error;
  if (status !== 0) throw new Error(`the process for "${plan.kind}" ended with ${status ?? signal}`);
}

export function tell(found: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(found, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}
