import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from './testCli.ts';
import { KEYS, TestServer } from './testServer.ts';

/** `muster analyze` against a real server of two threads, whose users live in several tablets. */

let server: TestServer;
let directory: string;

/** All three steps by every second user, the second step an hour later, the third a day later. */
const USERS = 40;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'muster-analyze-'));
  server = await TestServer.start({ threads: 2, account: { tablets: 4, timezone: 'Europe/Berlin' } });
  const batch = Array.from({ length: USERS }, (_, i) => i).flatMap((i) => {
    const userId = `user ${i}`;
    const city = i % 4 === 0 ? 'Tokyo' : 'Berlin';
    const track = (event: string, timestamp: string, properties = {}) => ({
      ...{ type: 'track', userId, event, timestamp },
      properties: { city, ...properties },
    });
    const viewed = track('Product Viewed', '2026-03-28T10:00:00Z');
    if (i % 2 === 1) return [viewed];
    return [
      viewed,
      track('Product Added', '2026-03-28T11:00:00Z'),
      track('Order Completed', '2026-03-29T11:00:00Z', { total: 10 + i }),
    ];
  });
  const plans = Array.from({ length: USERS }, (_, i) => ({
    type: 'identify',
    userId: `user ${i}`,
    traits: { plan: i < 10 ? 'pro' : 'free' },
  }));
  await server.collect(...batch, ...plans);
  await server.call('segment.save', { name: 'pro', definition: { profile: 'plan', op: 'eq', value: 'pro' } });
});
afterAll(async () => {
  await server.dispose();
  await rm(directory, { recursive: true });
});

function analyze(kind: string, question: object, ...flags: readonly string[]) {
  return runCli(['analyze', kind, '-', ...flags], {
    stdin: JSON.stringify(question),
    env: { MUSTER_URL: server.url, MUSTER_KEY: KEYS.read },
  });
}

/** What is printed, without the line about the cost. */
async function printed(kind: string, question: object, ...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await analyze(kind, question, ...flags);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/\n\n[\d,]+ rows? in [\d.]+ m?s\n$/);
  return stdout.slice(0, stdout.lastIndexOf('\n\n'));
}

const FUNNEL = {
  steps: [{ event: 'Product Viewed' }, { event: 'Product Added' }, { event: 'Order Completed' }],
  window: '7d',
};

test('a funnel has a bar for each step', async () => {
  expect(await printed('funnel', FUNNEL)).toBe(
    [
      `${' '.repeat(54)}users  of first  of previous  median time`,
      '1  Product Viewed   ████████████████████████████████     40     100 %',
      '2  Product Added    ████████████████                     20      50 %         50 %        1.0 h',
      '3  Order Completed  ████████████████                     20      50 %        100 %        1.0 d',
    ].join('\n'),
  );
  const withKeys = await printed('funnel', { ...FUNNEL, breakdown: { prop: 'city', top: 1 } });
  expect(withKeys).toContain('\n\nBerlin\n');
  expect(withKeys).toContain('\n\n(other)\n');
});

test('--json has all of it, --segment narrows it down, --at asks as of a time', async () => {
  const { stdout } = await analyze(
    'funnel',
    FUNNEL,
    '--json',
    '--segment',
    'pro',
    '--at',
    '2026-03-28T12:00:00Z',
  );
  expect(JSON.parse(stdout)).toEqual({
    steps: [
      { users: 10, fromStart: 1, fromPrevious: 1, medianMs: null },
      { users: 5, fromStart: 0.5, fromPrevious: 0.5, medianMs: 3_600_000 },
      { users: 0, fromStart: 0, fromPrevious: 0, medianMs: null },
    ],
    stats: expect.objectContaining({ tablets: 4 }),
  });
});

test('retention is a grid of shares', async () => {
  const question = {
    start: { event: 'Product Viewed' },
    return: { event: ['Product Added', 'Order Completed'] },
    interval: 'day',
    periods: 2,
  };
  expect(await printed('retention', question)).toBe(
    ['cohort               users     0     1    2', '2026-03-27 23:00:00     40  50 %  50 %  0 %'].join('\n'),
  );
  expect(await printed('retention', { ...question, to: '2020-01-01' })).toBe('no cohorts');
});

test('a flow is indented by its steps', async () => {
  const question = { start: { event: 'Product Viewed' }, steps: 2, window: '3h' };
  expect(await printed('flow', question)).toBe(
    [
      '40 paths           users  share',
      'Product Viewed        40  100 %',
      '  → Product Added     20   50 %',
      '  → (end)             20   50 %',
      '    Product Added     20   50 %',
      '      → (end)         20  100 %',
    ].join('\n'),
  );
  const back = await printed('flow', { end: { event: 'Order Completed' }, steps: 1, window: '2d' });
  expect(back).toContain('  ← Product Added');
});

test('a trend has a bar for each interval', async () => {
  const question = {
    events: [{ event: 'Order Completed' }],
    measure: { sum: 'total' },
    interval: 'day',
    from: '2026-03-28',
    to: '2026-03-30',
  };
  expect(await printed('trend', question)).toBe(
    [
      'Order Completed',
      '2026-03-27 23:00:00    0',
      '2026-03-28 23:00:00  580  ████████████████████████████████',
    ].join('\n'),
  );
  const withKeys = { ...question, breakdown: { prop: 'city' } };
  expect(await printed('trend', withKeys)).toContain('\n\nOrder Completed, Tokyo\n');
});

test('a pivot marks the cells that stand out', async () => {
  const question = {
    ...{ event: ['Product Viewed', 'Product Added', 'Order Completed'], measure: 'users' },
    ...{ rows: { prop: 'city' }, columns: { profile: 'plan' } },
  };
  const text = await printed('pivot', question);
  expect(text).toMatch(/^ +free +pro +total\n/);
  expect(text).toMatch(/\nTokyo +7 +3 +10\n/);
  expect(text).toMatch(/\ntotal +30 +10 +40$/);
});

test('rfm is a grid of users and a list of groups', async () => {
  const text = await printed('rfm', { event: 'Order Completed', monetary: 'total' });
  expect(text).toMatch(/\n +1 +2 +3 +4 +5\n5( +\d+){5}\n/);
  expect(text).toMatch(/\nChampions +\d+ +\d+ %/);
  expect(text).toMatch(/\nall +20 +580$/);
});

test('a question comes from a file, too', async () => {
  const file = join(directory, 'funnel.json');
  await writeFile(file, JSON.stringify(FUNNEL));
  const env = { MUSTER_URL: server.url, MUSTER_KEY: KEYS.read };
  const { code, stdout } = await runCli(['analyze', 'funnel', file], { env });
  expect(code).toBe(0);
  expect(stdout).toContain('1  Product Viewed');
});

test.each<[what: string, kind: string, question: object, error: string]>([
  [
    'of the question',
    'funnel',
    { ...FUNNEL, steps: [{ event: 'A' }, { evnt: 'B' }] },
    'analyze: unknown key "evnt" at steps[1].evnt',
  ],
  ['of what is no question', 'flow', [], 'analyze: stdin is not a JSON object'],
])('an error %s is one line and exit code 1', async (_, kind, question, error) => {
  expect(await analyze(kind, question)).toEqual({ code: 1, stdout: '', stderr: `muster: ${error}\n` });
});

test('an analysis that does not exist is wrong usage', async () => {
  const { code, stderr } = await analyze('sankey', {});
  expect(code).toBe(2);
  expect(stderr).toContain("unknown command 'sankey'");
});
