import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MusterClient } from '../client/client.ts';
import type { MethodName, Params, Result } from '../client/types.ts';
import type { ServeReport } from './serve.ts';

/** For end-to-end tests: real processes of the built program (`npm run build`), with a temporary data directory. */

export const KEYS = { write: 'wk_test', read: 'rk_test', admin: 'ak_test' } as const;
export const WEBHOOK_SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`;

/** What a program printed, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes `import('uWebSockets.js')` fail in that process, as it does where the library has no binary. */
const WITHOUT_UWS = importOption(`
  import { register } from 'node:module';
  register(${JSON.stringify(
    dataUrl(`export async function resolve(name, context, next) {
      if (name === 'uWebSockets.js') throw new Error('left out by a test');
      return next(name, context);
    }`),
  )});`);

function importOption(program: string): string {
  return `--import=${dataUrl(program)}`;
}

function dataUrl(program: string): string {
  return `data:text/javascript;base64,${Buffer.from(program).toString('base64')}`;
}

export interface TestServerOptions {
  readonly listener?: ServeReport['listener'];
  readonly threads?: number;
  /** Of the account. */
  readonly account?: object;
  readonly delivery?: object;
  readonly memoryLimit?: string;
  readonly queryMemoryLimit?: string;
}

export class TestServer {
  /** Holds the configuration and the data. */
  readonly directory: string;
  readonly #nodeOptions: string;
  #report: ServeReport | undefined;
  #running: Program | undefined;
  #clients: MusterClient[] = [];

  /** Resolves once it is ready. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(
      await mkdtemp(join(tmpdir(), 'muster-test-')),
      options.listener === 'node:http' ? WITHOUT_UWS : '',
    );
    const { threads = 2, account, delivery, memoryLimit, queryMemoryLimit } = options;
    const config = {
      data: server.dataDirectory,
      threads,
      ...(memoryLimit !== undefined && { memoryLimit }),
      ...(queryMemoryLimit !== undefined && { queryMemoryLimit }),
      accounts: [
        { name: 'shop', keys: Object.entries(KEYS).map(([role, key]) => ({ role, key })), ...account },
      ],
      delivery: { allowPrivateNetworks: true, webhook: { secret: WEBHOOK_SECRET }, ...delivery },
    };
    await writeFile(server.configFile, JSON.stringify(config));
    await server.restart();
    return server;
  }

  private constructor(directory: string, nodeOptions: string) {
    this.directory = directory;
    this.#nodeOptions = nodeOptions;
  }

  get dataDirectory(): string {
    return join(this.directory, 'data');
  }

  get configFile(): string {
    return join(this.directory, 'muster.yaml');
  }

  get report(): ServeReport {
    return this.#report!;
  }

  get url(): string {
    return this.report.url;
  }

  get output(): Omit<Ended, 'code'> {
    return this.#running!.output;
  }

  /** Resident memory of the process. */
  get memoryBytes(): number {
    const status = readFileSync(`/proc/${this.#running!.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  /** Starts it again after `kill` or `stop`, on the same port. */
  async restart(): Promise<void> {
    const port = this.#report === undefined ? '0' : new URL(this.url).port;
    const args = ['serve', '--config', this.configFile, '--port', port, '--json'];
    this.#running = new Program(args, { NODE_OPTIONS: this.#nodeOptions });
    this.#report = JSON.parse(await this.#running.line()) as ServeReport;
  }

  /** As a power cut would, but for what the system still writes. */
  async kill(): Promise<void> {
    await this.#running!.end('SIGKILL');
  }

  stop(): Promise<Ended> {
    return this.#running!.end('SIGTERM');
  }

  /** Ends everything and removes the directory. */
  async dispose(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.kill();
    await rm(this.directory, { recursive: true });
  }

  async client(role: keyof typeof KEYS = 'admin'): Promise<MusterClient> {
    const client = await MusterClient.connect({ url: this.url, key: KEYS[role] });
    this.#clients.push(client);
    return client;
  }

  /** Over a connection of its own, since the server closes idle ones while a busy test is not looking. */
  post(path: string, body: unknown, key: string = KEYS.admin): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, connection: 'close' },
      body: JSON.stringify(body),
    });
  }

  /** Rejects unless the answer is 200. */
  async call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    const response = await this.post(`/rpc/${method}`, params);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${method} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Result<M>;
  }

  /** Rejects unless the answer is 200. */
  async collect(...batch: readonly object[]): Promise<void> {
    const response = await this.post('/v1/import', { batch }, KEYS.write);
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  }

  /** A command against this server; not waited for. */
  command(...args: readonly string[]): Program {
    return new Program(args, { MUSTER_URL: this.url, MUSTER_KEY: KEYS.admin });
  }
}

/** Tests and scripts run in the project's directory. */
const BIN = resolve('bin/muster');

/** One process of `bin/muster`; it never outlives this one. */
export class Program {
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, [BIN, ...args], {
      env: { ...cleanEnvironment(), ...environment },
    });
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    const kill = () => this.#process.kill('SIGKILL');
    process.once('exit', kill);
    this.ended = new Promise((resolve) => {
      this.#process.on('close', (code) => {
        process.removeListener('exit', kill);
        resolve({ code, ...this.output });
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get output(): Omit<Ended, 'code'> {
    return { stdout: this.#stdout, stderr: this.#stderr };
  }

  /** The first line that it prints. Rejects when it ends before. */
  async line(): Promise<string> {
    const printed = new Promise<void>((resolve) => {
      this.#process.stdout!.on('data', () => {
        if (this.#stdout.includes('\n')) resolve();
      });
    });
    await Promise.race([printed, this.ended]);
    if (!this.#stdout.includes('\n')) throw new Error(`it ended: ${this.#stderr}`);
    return this.#stdout.slice(0, this.#stdout.indexOf('\n'));
  }

  end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<Ended> {
    this.#process.kill(signal);
    return this.ended;
  }
}

/** Runs a command to its end. */
export function runProgram(args: readonly string[], environment = {}): Promise<Ended> {
  return new Program(args, environment).ended;
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MUSTER_')));
}

/** Waits until it holds; rejects with what `describe` says when it does not in time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  options: {
    readonly withinMs?: number;
    readonly everyMs?: number;
    readonly describe?: () => string;
  } = {},
): Promise<void> {
  const { withinMs = 20_000, everyMs = 10, describe = () => 'it did not come true' } = options;
  const deadlineMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`after ${withinMs} ms: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
