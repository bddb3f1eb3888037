import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { FakeServer, type Request } from '../client/fakeServer.ts';
import { runCli } from './testCli.ts';

const directory = mkdtempSync(join(tmpdir(), 'muster-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('any command', () => {
  const groups = {
    segment: ['count', 'explain', 'members', 'save', 'list', 'show', 'delete', 'watch'],
    user: ['profile', 'timeline', 'segments'],
    campaign: ['save', 'list', 'show', 'pause', 'resume', 'delete', 'stats'],
    'dead-letter': ['list', 'show', 'replay'],
    keys: ['create', 'list', 'revoke'],
    config: ['print'],
  };
  const commands = [
    ...['serve', 'demo', 'import', 'stats', 'version'].map((name) => [name]),
    ...Object.entries(groups).flatMap(([group, names]) => [[group], ...names.map((name) => [group, name])]),
  ];

  test.each(commands)('%s %s has --help', async (...command) => {
    const { code, stdout, stderr } = await runCli([...command, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Usage: muster ${command.join(' ')}`);
  });

  test('says its version', async () => {
    for (const args of [['version'], ['--version']]) {
      expect(await runCli(args)).toEqual({ code: 0, stdout: 'muster 1.2.3\n', stderr: '' });
    }
  });

  test.each([
    [['invent'], "muster: unknown command 'invent'"],
    [['segment', 'invent'], "muster: unknown command 'invent'"],
    [['segment', 'count'], "muster: missing required argument 'definition'"],
    [['segment', 'count', 'a', 'b'], 'muster: too many arguments'],
    [['segment', 'count', 'a', '--jsn'], "muster: unknown option '--jsn' (Did you mean --json?)"],
    [['segment', 'count', 'a'], 'muster: segment: a key is needed'],
    [['segment', 'members', 'a', '--limit', '0'], "muster: option '--limit <n>' argument '0' is invalid"],
    [['serve', '--port', 'x'], "muster: option '--port <n>' argument 'x' is invalid"],
    [
      ['import', 'a.ndjson', '--format', 'xml'],
      "muster: option '--format <format>' argument 'xml' is invalid",
    ],
    [['import', 'a.csv.gz', '--key', 'k'], 'muster: import: a.csv.gz: csv is not supported yet'],
    [['import', 'a', '--format', 'csv', '--key', 'k'], 'muster: import: a: csv is not supported yet'],
    [['keys', 'create', 'root', '--key', 'k'], "muster: command-argument value 'root' is invalid"],
  ])('%j is wrong usage, said in one line', async (args, line) => {
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(line);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('config print', () => {
  test('puts flags over environment over file, and hides secrets', async () => {
    const config = file(
      'config.yaml',
      'listen: { host: 0.0.0.0, port: 1 }\ndata: /d\ndelivery: { webhook: { secret: whsec_YWJj } }\n',
    );
    const env = { MUSTER_CONFIG: config, MUSTER_LISTEN_PORT: '2', MUSTER_DATA: '/e' };
    const { code, stdout } = await runCli(['config', 'print', '--data', '/f'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain('host: 0.0.0.0\n  port: 2\ndata: /f\n');
    expect(stdout).not.toContain('YWJj');
  });

  test('names what is wrong', async () => {
    const unknown = await runCli(['config', 'print', '--config', file('bad.yaml', 'lisen: {}')]);
    expect(unknown).toEqual({ code: 1, stdout: '', stderr: 'muster: config: unknown key at lisen\n' });
    const missing = await runCli(['config', 'print', '--config', '/no/such/file']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^muster: config: cannot read \/no\/such\/file: .*\n$/);
  });
});

describe('a command that asks a server', () => {
  const server = new FakeServer();
  const ask = (args: readonly string[], stdin?: string) =>
    runCli(args, {
      env: { MUSTER_URL: server.url, MUSTER_KEY: 'k' },
      ...(stdin !== undefined && { stdin }),
    });
  const stats = { ms: 1.234, rowsScanned: 1, bytesScanned: 1, blocksSkipped: 0, tablets: 1 };
  const paramsOf = ({ params }: Request) => {
    const { timeoutMs: _, ...rest } = params as Record<string, unknown>;
    return rest;
  };

  beforeEach(async () => {
    server.requests.length = 0;
    server.authError = undefined;
    await server.start();
  });
  afterEach(() => server.stop());

  test('takes a definition from a file, from stdin, or by its name', async () => {
    server.answer = () => ({ count: 1234, total: 5000, stats });
    const definition = { event: 'Order' };
    const path = file('definition.json', JSON.stringify(definition));
    expect(await ask(['segment', 'count', path])).toMatchObject({
      code: 0,
      stdout: '1,234 of 5,000 users (1.2 ms)\n',
    });
    await ask(['segment', 'count', '-', '--at', '2026-01-01'], JSON.stringify(definition));
    await ask(['segment', 'count', 'buyers']);
    expect(server.requests.map(paramsOf)).toEqual([
      { segment: definition },
      { segment: definition, at: '2026-01-01' },
      { segment: 'buyers' },
    ]);
  });

  test('prints the result as JSON when asked to', async () => {
    const result = { count: 1, total: 2, stats };
    server.answer = () => result;
    expect(JSON.parse((await ask(['segment', 'count', 'x', '--json'])).stdout)).toEqual(result);
    const letters = [{ id: '1.0.0', reason: 'no', item: '{}', receivedAt: '2026-01-01T00:00:00.000Z' }];
    server.answer = () => ({ letters, total: 1 });
    expect(JSON.parse((await ask(['dead-letter', 'list', '--json'])).stdout)).toEqual(letters);
  });

  test('says in one line what is wrong', async () => {
    server.answer = () => {
      throw new MusterError('bad_request', 'unknown key "evnt"', { path: '$.evnt' });
    };
    expect(await ask(['segment', 'count', '-'], '{"evnt":"x"}')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'muster: segment: unknown key "evnt" at $.evnt\n',
    });
    const lines = [
      [['segment', 'count', '-'], 'muster: segment: stdin is not JSON: '],
      [['segment', 'count', 'no/such'], 'muster: segment: cannot read no/such: '],
      [['stats', '--url', 'ftp://x'], 'muster: stats: must be an http or https URL at ftp://x'],
    ] as const;
    for (const [args, line] of lines) {
      const { code, stderr } = await ask(args);
      expect([code, stderr.startsWith(line)], stderr).toEqual([1, true]);
    }
    server.authError = { code: 'unauthorized', message: 'the key is not known' };
    expect((await ask(['stats'])).stderr).toBe('muster: stats: the key is not known\n');
    await server.stop();
    expect(await ask(['stats'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `muster: stats: no server at ${server.url}: connection refused\n`,
    });
    await server.start();
  });

  test('reads as many pages of members as it needs', async () => {
    const users = Array.from({ length: 25_000 }, (_, i) => ({ id: `u${i}`, traits: { plan: 'pro' } }));
    server.answer = (request) => {
      const { after = '0', limit } = paramsOf(request) as { after?: string; limit: number };
      const end = Number(after) + limit;
      return {
        users: users.slice(Number(after), end),
        ...(end < users.length && { next: String(end) }),
        stats,
      };
    };
    const { stdout } = await ask(['segment', 'members', 'all', '--limit', '24000', '--traits', 'plan']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(24_001);
    expect(lines[0]!.split(/ +/)).toEqual(['u0', 'plan:', 'pro']);
    expect(lines.at(-1)).toBe('more: --after 24000');
    expect(server.requests.map((request) => paramsOf(request).limit)).toEqual([10_000, 10_000, 4000]);
  });

  test('shows a timeline as a table', async () => {
    server.answer = () => ({
      events: [
        { event: 'Order', time: '2026-01-02T03:04:05.000Z', properties: { total: 9, tags: ['a', 'b'] } },
        { event: 'Page Viewed', time: '2026-01-02T03:04:00.120Z', properties: {} },
      ],
    });
    const { stdout } = await ask(['user', 'timeline', 'u1', '--events', 'Order,Page Viewed']);
    expect(stdout.split('\n')).toEqual([
      '2026-01-02 03:04:05      Order        total: 9, tags: a | b',
      '2026-01-02 03:04:00.120  Page Viewed',
      '',
    ]);
    expect(paramsOf(server.requests[0]!)).toEqual({
      userId: 'u1',
      limit: 20,
      events: ['Order', 'Page Viewed'],
    });
  });

  test('shows memory by part and by name, the largest first', async () => {
    const traits = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`trait ${i}`, 1024 * (i + 1)]));
    server.answer = ({ method }) =>
      method === 'server.stats'
        ? {
            threads: 2,
            time: '2026-01-01T00:00:00.000Z',
            accounts: 1,
            memoryBytes: 2048,
            memory: { head: 2048 },
          }
        : {
            ...{ events: 1, users: 2, accepted: 3, duplicate: 4, rejected: 5, droppedValues: 6 },
            ...{ deadLetters: 7, bytesPerEvent: 8, tablets: [], memoryBytes: 81_920 },
            memory: { head: 0, profiles: 79_972 },
            memoryByName: { profiles: { '(all traits)': 100, ...traits } },
          };
    const lines = (await ask(['stats'])).stdout.trimEnd().split('\n');
    expect(lines.slice(-13).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['head', '0 B'],
      ['profiles', '78.1 KiB'],
      ...[11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((i) => [`trait ${i}`, expect.stringContaining('KiB')]),
      ['(3 others)', '3.10 KiB'],
    ]);
    const ofServer = (await ask(['stats', '--server'])).stdout.trimEnd().split('\n');
    expect(ofServer.at(-1)!.trim().split(/ {2,}/)).toEqual(['head', '2.00 KiB']);
  });

  test('replays the dead letters that are named, or all', async () => {
    server.answer = ({ method }) =>
      method === 'deadLetter.list'
        ? { letters: [{ id: 'a' }, { id: 'b' }], total: 2 }
        : { replayed: 1, failed: [{ id: 'b', reason: 'too_old' }] };
    expect((await ask(['dead-letter', 'replay', '--all'])).stdout).toBe(
      '1 item taken\nb refused again: too_old\n',
    );
    expect(paramsOf(server.requests[1]!)).toEqual({ ids: ['a', 'b'] });
    expect((await ask(['dead-letter', 'replay'])).code).toBe(2);
  });

  test('watches until it is interrupted', async () => {
    const interrupt = new AbortController();
    server.answer = () => ({});
    const env = { MUSTER_URL: server.url, MUSTER_KEY: 'k' };
    const watching = runCli(['segment', 'watch', 'vip', '--json'], {
      env,
      interrupted: interrupt.signal,
      onStdout: () => interrupt.abort(),
    });
    await server.received('segment.watch');
    const change = { name: 'vip', userId: 'u1', change: 'enter', at: '2026-01-01T00:00:00.000Z' };
    server.notify(change);
    const { code, stdout } = await watching;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(change);
  });
});
