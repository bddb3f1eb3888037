import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { IMPORT_BATCH_LINES } from '../base/limits.ts';
import { FakeServer, type Request } from '../client/fakeServer.ts';
import type { ImportLines } from '../client/types.ts';
import { runCli } from './testCli.ts';

interface Call {
  readonly messageId: string;
  readonly event?: string;
}
interface Batch {
  readonly calls: readonly Call[];
  readonly import: ImportLines;
}

/** The part of a server that imports meet: dedupe, progress as the account's state keeps it, and failures. */
class ImportingServer {
  readonly server = new FakeServer();
  readonly seen = new Set<string>();
  readonly progress = new Map<string, { lines: number; finished: boolean }>();
  /** The first lines of the batches so far. */
  readonly froms: number[] = [];
  /** Called before a batch is taken, with its number from 1. */
  beforeBatch: (n: number) => void = () => {};

  constructor() {
    this.server.answer = (request) => this.#answer(request);
  }

  #answer({ method, params }: Request): unknown {
    if (method === 'import.status') {
      return this.progress.get((params as { id: string }).id) ?? { lines: 0, finished: false };
    }
    const { calls, import: lines } = params as Batch;
    this.beforeBatch(this.froms.push(lines.from));
    const before = this.progress.get(lines.id)?.lines ?? 0;
    this.progress.set(lines.id, {
      lines: lines.from <= before + 1 ? Math.max(before, lines.to - 1) : before,
      finished: lines.finished,
    });
    const counts = { accepted: 0, duplicate: 0, rejected: 0 };
    for (const { messageId, event } of calls) {
      if (event === '') counts.rejected++;
      else if (this.seen.has(messageId)) counts.duplicate++;
      else {
        this.seen.add(messageId);
        counts.accepted++;
      }
    }
    return counts;
  }
}

const directory = mkdtempSync(join(tmpdir(), 'muster-import-'));
afterAll(() => rmSync(directory, { recursive: true }));
const pathOf = (name: string) => join(directory, name);

function events(name: string, count: number): string {
  const lines = Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ event: 'E', userId: `u${i}` })}\n`,
  );
  writeFileSync(pathOf(name), lines.join(''));
  return pathOf(name);
}

describe('import', () => {
  let importing: ImportingServer;
  const load = (...args: string[]) =>
    runCli(['import', ...args], { env: { MUSTER_URL: importing.server.url, MUSTER_KEY: 'k' } });
  const counts = async (...args: string[]) => {
    const { code, stdout, stderr } = await load(...args, '--json');
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  beforeEach(async () => {
    importing = new ImportingServer();
    await importing.server.start();
  });
  afterEach(() => importing.server.stop());

  test('counts what was accepted, refused, and not sent', async () => {
    const path = pathOf('mixed.ndjson.gz');
    writeFileSync(path, gzipSync('{"event":"A","userId":"u"}\n\nnonsense\n{"event":"","userId":"u"}\n[]'));
    const rejects = pathOf('rejects.ndjson');
    expect(await counts(path, '--rejects', rejects)).toMatchObject({
      accepted: 1,
      duplicate: 0,
      rejected: 3,
    });
    expect(readFileSync(rejects, 'utf8')).toBe(
      `${JSON.stringify({ file: path, line: 3, reason: 'not JSON' })}\n` +
        `${JSON.stringify({ file: path, line: 5, reason: 'not a JSON object' })}\n`,
    );
  });

  test('of several files is summed up', async () => {
    const files = [events('one.ndjson', 3), events('two.ndjson', 1200)];
    const result = await counts(...files);
    expect(result).toMatchObject({ accepted: 1203, duplicate: 0, rejected: 0 });
    expect(result.files).toMatchObject([
      { file: files[0], accepted: 3 },
      { file: files[1], accepted: 1200 },
    ]);
    const again = await load(...files);
    expect(again.stdout).toMatch(/^0 accepted, 1,203 duplicate, 0 rejected\n/);
    expect(again.stdout).toContain(`${files[0]} was imported before`);
    expect(importing.froms).toEqual([1, 1, 501, 1001]);
  });

  test('goes on where an interrupted one ended', async () => {
    const path = events('long.ndjson', 10 * IMPORT_BATCH_LINES);
    importing.beforeBatch = (n) => {
      if (n === 4) throw new MusterError('internal', 'a bug');
    };
    const { code, stderr } = await load(path);
    expect([code, stderr]).toEqual([1, `muster: import: ${path}: a bug\n`]);
    expect([...importing.progress.values()]).toEqual([{ lines: 3 * IMPORT_BATCH_LINES, finished: false }]);
    importing.beforeBatch = () => {};
    importing.froms.length = 0;
    const { accepted, duplicate } = await counts(path);
    expect([Math.min(...importing.froms), importing.seen.size]).toEqual([1501, 5000]);
    expect(Number(accepted) + Number(duplicate)).toBe(5000);
    expect([...importing.progress.values()]).toEqual([{ lines: 5000, finished: true }]);
    expect(await counts(path)).toMatchObject({ accepted: 0, duplicate: 5000 });
  });

  test('sends again what a lost connection may have lost', async () => {
    const path = events('lost.ndjson', 10 * IMPORT_BATCH_LINES);
    importing.beforeBatch = (n) => {
      if (n === 5) importing.server.sockets.at(-1)!.terminate();
    };
    const { accepted, duplicate } = await counts(path);
    expect(importing.seen.size).toBe(5000);
    expect(Number(accepted) + Number(duplicate)).toBe(5000);
    expect([...importing.progress.values()]).toEqual([{ lines: 5000, finished: true }]);
  });

  test('of a file that is not there, or not its kind, fails with its name', async () => {
    const missing = await load(pathOf('none.ndjson'));
    expect([missing.code, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toMatch(/^muster: import: .*none\.ndjson: .*no such file.*\n$/);
    writeFileSync(pathOf('cut.gz'), gzipSync('{"event":"A"}\n'.repeat(1000)).subarray(0, 30));
    expect((await load(pathOf('cut.gz'))).stderr).toMatch(/^muster: import: .*cut\.gz: .*damaged gzip.*\n$/);
  });
});
