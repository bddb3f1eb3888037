import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Cli } from '../io.ts';
import type { ServeReport } from '../serve.ts';

/** `muster serve` as a process of its own, so that it can be killed. */
export class DemoServer {
  readonly report: ServeReport;
  /** From the start of the process to its readiness. */
  readonly startMs: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, report: ServeReport, startMs: number) {
    this.#process = child;
    this.report = report;
    this.startMs = startMs;
  }

  static async start({ io, installation }: Cli, configFile: string): Promise<DemoServer> {
    const startedMs = performance.now();
    const args = [fileURLToPath(installation.program), 'serve', '--config', configFile, '--json'];
    // The demo's server is configured by its file alone.
    const env = Object.fromEntries(Object.entries(io.env).filter(([name]) => !name.startsWith('MUSTER_')));
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) {
      return new DemoServer(child, JSON.parse(line) as ServeReport, performance.now() - startedMs);
    }
    throw new Error('the server did not start');
  }

  /** Without any warning, as a crash would. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}
