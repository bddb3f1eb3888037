import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServeReport } from '../src/cli/serve.ts';
import { MusterClient } from '../src/client/client.ts';
import { CPU_TICK_MS, isAsleep, type ProcessCpuMs, processCpu } from './cpu.ts';

export const KEY = 'ak_bench';

/** One account with a key known beforehand; everything else as for anyone. */
const CONFIG = { accounts: [{ name: 'bench', keys: [{ role: 'admin', key: KEY }] }] };

export type ListenerKind = ServeReport['listener'];

/** Those of bin/muster, by which glibc gives memory back. */
export const MALLOC_SETTINGS = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_MMAP_MAX_: '32768',
};

/** Loaded before the server, it makes the native listener's library fail to load, so that the other one is used. */
const WITHOUT_NATIVE_LISTENER = moduleUrl(`
  import { register } from 'node:module';
  register(${JSON.stringify(
    moduleUrl(`export async function resolve(name, context, next) {
      if (name === 'uWebSockets.js') throw new Error('left out of this measurement');
      return next(name, context);
    }`),
  )});`);

const COLLECTING_MS = 1000;

/**
 * Loaded into every thread of the server: SIGUSR2 makes each collect its garbage. The last resort gives heaps back, but
 * leaves the memory of dead arrays as it is (seen with Node 20), and so do all later ones of its kind: a plain
 * collection lets go of it, in the background, by the time of the next.
 */
const COLLECTING = moduleUrl(`
  import { BroadcastChannel, isMainThread } from 'node:worker_threads';
  const channel = new BroadcastChannel('collect');
  channel.onmessage = collect;
  channel.unref();
  function collect() {
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    gc();
    setTimeout(gc, ${COLLECTING_MS / 2});
  }
  if (isMainThread) process.on('SIGUSR2', () => { channel.postMessage(null); collect(); });`);

/** How often each thread looks whether it is late. With 1 ms, the timers of all threads slowed down what they measured. */
const DELAY_RESOLUTION_MS = 10;

/** The same: from one SIGHUP to the next, each thread measures for how long its event loop is busy at a time. */
const DELAYS = moduleUrl(`
  import { writeFileSync } from 'node:fs';
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
  const delay = monitorEventLoopDelay({ resolution: ${DELAY_RESOLUTION_MS} });
  delay.enable();
  const channel = new BroadcastChannel('delays');
  channel.onmessage = report;
  channel.unref();
  function report() {
    const late = (ns) => Math.max(0, ns / 1e6 - ${DELAY_RESOLUTION_MS});
    const ms = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
    writeFileSync(process.env.BENCH_DELAYS + '.' + threadId, JSON.stringify(ms));
    delay.reset();
  }
  if (isMainThread) process.on('SIGHUP', () => { channel.postMessage(null); report(); });`);

/** By how much a thread's event loop was late. */
export interface DelayMs {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** `muster serve` as a process of its own, with its threads, its log on the disk, and its syncs. Linux only. */
export class BenchServer {
  readonly report: ServeReport;
  /** From the start of the process to its readiness. */
  readonly startMs: number;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(child: ChildProcess, directory: string, report: ServeReport, startMs: number) {
    this.#process = child;
    this.#directory = directory;
    this.report = report;
    this.startMs = startMs;
  }

  /** Flags that this process was given for Node, such as --cpu-prof, go to the server as well. */
  static async start(options: {
    readonly program: URL;
    readonly directory: string;
    readonly threads: number;
    readonly listener?: ListenerKind;
  }): Promise<BenchServer> {
    const { program, directory, threads, listener } = options;
    const configFile = `${directory}.json`;
    await writeFile(configFile, JSON.stringify(CONFIG));
    const startedMs = performance.now();
    const child = spawn(
      process.execPath,
      [
        ...process.execArgv,
        ...(listener === 'node:http' ? ['--import', WITHOUT_NATIVE_LISTENER] : []),
        ...['--expose-gc', '--import', COLLECTING, '--import', DELAYS],
        fileURLToPath(program),
        ...['serve', '--json', '--data', directory, '--port', '0', '--threads', String(threads)],
        ...['--config', configFile],
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...MALLOC_SETTINGS, ...withoutSettings(), BENCH_DELAYS: `${directory}.delay` },
      },
    );
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    for await (const line of createInterface(child.stdout)) {
      const report = JSON.parse(line) as ServeReport;
      return new BenchServer(child, directory, report, performance.now() - startedMs);
    }
    throw new Error('the server did not start');
  }

  connect(): Promise<MusterClient> {
    return MusterClient.connect({ url: this.report.url, key: KEY });
  }

  /** The CPU time once nothing is left to do: what was acknowledged is applied, what was full is sealed. */
  async settledCpu(): Promise<ProcessCpuMs> {
    const pid = this.#process.pid!;
    for (let before = await processCpu(pid); ; ) {
      await sleep(QUIET_MS);
      const after = await processCpu(pid);
      if (after.all - before.all <= CPU_TICK_MS && (await isAsleep(pid))) return after;
      before = after;
    }
  }

  /** Makes every thread collect its garbage. */
  async collectGarbage(): Promise<void> {
    this.#process.kill('SIGUSR2');
    await sleep(COLLECTING_MS);
    await this.settledCpu();
  }

  /** Since the last call: of the main thread, which writes the log, and of the shards' threads. */
  async delays(threads: number): Promise<{ readonly main: DelayMs; readonly shards: readonly DelayMs[] }> {
    this.#process.kill('SIGHUP');
    await sleep(QUIET_MS);
    const [main, ...shards] = await Promise.all(
      Array.from(
        { length: threads + 1 },
        async (_, id) => JSON.parse(await readFile(`${this.#directory}.delay.${id}`, 'utf8')) as DelayMs,
      ),
    );
    return { main: main!, shards };
  }

  async rssBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await exited;
  }
}

const QUIET_MS = 100;

/** What an account holds: the same in whatever order requests arrived, and after a replay. */
export async function contentOf(client: MusterClient): Promise<unknown> {
  const { events, users, accepted, rejected } = await client.call('account.stats', {});
  const schema = await client.call('schema.get', {});
  const names = schema.events.map(({ event, count, firstSeenMs, lastSeenMs }) => [
    event,
    count,
    firstSeenMs,
    lastSeenMs,
  ]);
  return { events, users, accepted, rejected, names: names.map((name) => JSON.stringify(name)).sort() };
}

/** Bytes of the log's files. */
export async function logBytes(directory: string): Promise<number> {
  const log = join(directory, 'log');
  const sizes = (await readdir(log)).map(async (name) => (await stat(join(log, name))).size);
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}

function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MUSTER_')));
}

function moduleUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
