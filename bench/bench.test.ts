import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Report } from './harness.ts';

/** Built before the tests, by `npm test`. */
const PROGRAM = fileURLToPath(new URL('../dist/bench.mjs', import.meta.url));

async function run(...args: string[]): Promise<Report[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args, '--tiny', '--json']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Report);
}

function expectSane({ name, rows, checksum }: Report, expectedChecksum: string): void {
  expect(checksum, name).toBe(expectedChecksum);
  expect(rows.length, name).toBeGreaterThan(0);
  for (const row of rows) {
    // JSON has no NaN and no Infinity: null is what they become.
    for (const [column, cell] of Object.entries(row)) expect(cell, `${name} ${column}`).not.toBeNull();
  }
}

test('collect: both listeners collect the same', async () => {
  const [report] = await run('collect');
  expectSane(report!, 'b0b55ef9e07e');
  expect(report!.rows.map(({ eventsPerRequest }) => eventsPerRequest).slice(-4)).toEqual([1, 1, 10, 100]);
});

test('blocks: small ones are measured in every way', async () => {
  const reports = await run('blocks');
  expect(reports.map(({ name }) => name)).toEqual([
    'blocks',
    'writing',
    'scans',
    'trails',
    'acknowledgements',
  ]);
  for (const report of reports) expectSane(report, 'ea30c7f9c808');
  expect(reports[0]!.rows[0]).toMatchObject({ set: 'sessions', events: 5000 });
});

test('import: every event is there, and again after a replay', async () => {
  const reports = await run('import');
  expect(reports.map(({ name }) => name)).toEqual(['import', 'memory', 'replay']);
  for (const report of reports) expectSane(report, 'aaeddcfa98d1');
  const [imported, memory, replay] = reports;
  expect(imported!.rows[0]).toMatchObject({ file: 'synthetic.ndjson', events: 1000, rejected: 0 });
  expect(memory!.rows.map(({ part }) => part)).toContain('all parts');
  expect(replay!.rows[0]).toMatchObject({ events: 1000 });
});

test('large: a machine full of users answers as the oracle does', async () => {
  const reports = await run('large');
  expect(reports.map(({ name }) => name)).toEqual(['large', 'memory', 'segments', 'texts']);
  for (const report of reports) expectSane(report, '88b0b1d2c23b');
  const [loaded, memory, segments, texts] = reports;
  expect(loaded!.rows[0]).toMatchObject({ users: 1000, events: 20_000 });
  expect(memory!.rows.map(({ part }) => part)).toContain('- email');
  expect([segments!.rows.length, texts!.rows.length]).toEqual([10, 6]);
});

test('memory: the parts add up', async () => {
  const [report] = await run('memory');
  expectSane(report!, 'de90a2e132cc');
  const megabytes = (of: string) => report!.rows.find(({ part }) => part === of)!.megabytes as number;
  const end = report!.rows.findIndex(({ part }) => part === 'sum');
  const parts = report!.rows.slice(0, end).filter(({ part }) => !(part as string).startsWith('- '));
  const total = parts.reduce((sum, row) => sum + (row.megabytes as number), 0);
  expect(total).toBeCloseTo(megabytes('sum'), 6);
  expect(megabytes('process')).toBeGreaterThan(megabytes('sum'));
});

test('mixed: the same is there after collecting at three rates, with queries and without', async () => {
  const [report] = await run('mixed');
  expectSane(report!, 'd7452476edd6');
  expect(report!.rows.map(({ phase }) => phase)).toEqual([
    'as fast as it goes',
    'half of that',
    'half, and queries',
  ]);
  expect(report!.rows[2]!.queriesPerSecond).toBeGreaterThan(0);
});

test('segments: one thread and two answer the same', async () => {
  const [apply, segments] = await run('segments');
  expectSane(apply!, '113da952851a');
  expectSane(segments!, '113da952851a');
  expect(apply!.rows.map(({ threads, events }) => [threads, events])).toEqual([
    [1, 2000],
    [2, 2000],
  ]);
  expect(segments!.rows).toHaveLength(20);
});

test('split: tablets of all contents become two', async () => {
  const [report] = await run('split');
  expectSane(report!, '86c177713013');
  expect(report!.rows).toHaveLength(4);
});

test('a workload that is not there is wrong usage', async () => {
  await expect(run('nothing')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no workload'),
  });
});
