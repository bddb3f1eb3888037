import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** CPU time from Linux's /proc: what a shared machine does besides does not count in it, as it does in the clock's. */

/** Since the start of a process: all its threads, and the main one, which in a server writes the log. */
export interface ProcessCpuMs {
  readonly all: number;
  readonly main: number;
}

/** USER_HZ, in which /proc counts, is 100 on every Linux that Node runs on. */
export const CPU_TICK_MS = 10;

export async function processCpu(pid: number): Promise<ProcessCpuMs> {
  const [all, main] = await Promise.all([
    ticksOf(`/proc/${pid}/stat`),
    ticksOf(`/proc/${pid}/task/${pid}/stat`),
  ]);
  return { all: all * CPU_TICK_MS, main: main * CPU_TICK_MS };
}

/**
 * Of the calling thread, as of the kernel's last tick, so over many ms only. The engine's helpers, which compile and
 * collect garbage, are other threads.
 */
export function threadCpuMs(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0]) / 1e6;
}

/** Whether all threads sleep: on a busy machine one that waits for a core, or for the disk, takes no CPU time either. */
export async function isAsleep(pid: number): Promise<boolean> {
  const tasks = await readdir(`/proc/${pid}/task`);
  // A thread that has ended meanwhile has nothing to do.
  const states = tasks.map((task) =>
    fieldsOf(`/proc/${pid}/task/${task}/stat`).then(
      ([state]) => state!,
      () => 'S',
    ),
  );
  return (await Promise.all(states)).every((state) => state === 'S' || state === 'I');
}

/** User and system time: fields 14 and 15. */
async function ticksOf(path: string): Promise<number> {
  const fields = await fieldsOf(path);
  return Number(fields[11]) + Number(fields[12]);
}

/** From the third, the state, on: the second, the program's name in brackets, may hold spaces. */
async function fieldsOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
