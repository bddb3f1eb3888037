import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadUws } from '../server/listener.ts';
import type { ServeReport } from './serve.ts';
import { until } from './testServer.ts';

const run = promisify(execFile);

let directory: string;
let executable: string;
let running: ChildProcess | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'muster-executable-'));
  executable = join(directory, 'muster');
  await mkdir(join(directory, 'unpacked'));
  await run(process.execPath, ['scripts/executable.mjs', executable]);
}, 180_000);

afterAll(async () => {
  running?.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

/** A host that has nothing but the executable. */
const bare = () => ({ cwd: directory, env: { TMPDIR: join(directory, 'unpacked') } });

async function serve(): Promise<ServeReport> {
  const args = ['serve', '--data', 'data', '--port', '0', '--threads', '2', '--json'];
  running = spawn(executable, args, { ...bare(), stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(running.stdout!)) return JSON.parse(line) as ServeReport;
  throw new Error('it ended before it was ready');
}

async function stop(): Promise<number> {
  const ended = once(running!, 'exit');
  running!.kill('SIGTERM');
  return (await ended)[0] as number;
}

async function post(url: string, key: string, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return response.json();
}

it('serves, and starts again with what it was told', async () => {
  const first = await serve();
  const { write, read } = first.keys!;
  const listener = 'uws' in (await loadUws()) ? 'uWebSockets.js' : 'node:http';
  expect(await (await fetch(`${first.url}/health`)).json()).toMatchObject({ status: 'ok', listener });

  await post(`${first.url}/v1/track`, write, { userId: 'ada', event: 'Order Completed' });
  const countOf = ({ url }: ServeReport) =>
    post(`${url}/rpc/segment.count`, read, { segment: { event: 'Order Completed' } });
  await until(async () => ((await countOf(first)) as { count: number }).count === 1);
  expect(await stop()).toBe(0);

  const second = await serve();
  expect(second.replayedFrames).toBeGreaterThan(0);
  expect(await countOf(second)).toMatchObject({ count: 1, total: 1 });
  expect(await stop()).toBe(0);
});

it('can start itself as `node PROGRAM ARGS`', async () => {
  const unpacked = join(directory, 'unpacked');
  const [name] = await readdir(unpacked);
  const program = join(unpacked, name!, 'dist', 'muster.mjs');
  const { stdout } = await run(executable, [program, '--version'], bare());
  expect(stdout).toMatch(/^muster \d+\.\d+\.\d+\n$/);
});
