import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { EVENT_BYTES_MAX, IMPORT_BATCH_BYTES, IMPORT_BATCH_LINES } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { collect } from './collect.ts';
import { importBatches, importIdOf, inflated, messageIdOf, readLines } from './importFile.ts';
import { TestView } from './testView.ts';

const ID = 'ab'.repeat(32);

/** The bytes in chunks of 0 to `chunkBytesMax`. */
async function* chunksOf(content: string | Uint8Array, chunkBytesMax = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  const random = new SeededRandom(1);
  for (let start = 0; start < bytes.length; ) {
    const end = start + random.below(chunkBytesMax + 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe('lines', () => {
  test('are numbered, with blank ones counted and left out', async () => {
    const lines = await all(readLines(chunksOf('\uFEFF{"a":1}\r\n\n  \r\n{"b":"é"}\n\n{"c":3}')));
    expect(lines).toEqual([
      { number: 1, text: '{"a":1}' },
      { number: 4, text: '{"b":"é"}' },
      { number: 6, text: '{"c":3}' },
    ]);
    expect(await all(readLines(chunksOf('')))).toEqual([]);
    expect(await all(readLines(chunksOf('x\n')))).toEqual([{ number: 1, text: 'x' }]);
  });

  test('that are too long or not UTF-8 are problems', async () => {
    const fits = 'x'.repeat(32_768);
    const bad = Buffer.from([0xff, 10]);
    const content = Buffer.concat([
      Buffer.from(`${fits}\r\n${fits}yy\n`),
      bad,
      Buffer.from(`ok\n${fits}yyy`),
    ]);
    for (const chunkBytesMax of [500, 1e6]) {
      expect(await all(readLines(chunksOf(content, chunkBytesMax)))).toEqual([
        { number: 1, text: fits },
        { number: 2, problem: 'over 32768 bytes' },
        { number: 3, problem: 'not UTF-8' },
        { number: 4, text: 'ok' },
        { number: 5, problem: 'over 32768 bytes' },
      ]);
    }
  });

  test('come out the same however the bytes are cut', async () => {
    const content = Array.from(
      { length: 50 },
      (_, i) => `{"line":${i},"text":"${'ü🙂'.repeat(i % 5)}"}`,
    ).join('\n');
    const whole = await all(readLines(chunksOf(content, 1e6)));
    expect(whole).toHaveLength(50);
    for (let size = 1; size < 20; size++)
      expect(await all(readLines(chunksOf(content, size)))).toEqual(whole);
  });
});

describe('content', () => {
  test('is inflated when its first bytes are gzip’s', async () => {
    for (const content of ['', '{', '{"a":1}\n'.repeat(1000)]) {
      expect(Buffer.concat(await all(inflated(chunksOf(content)))).toString()).toBe(content);
      expect(Buffer.concat(await all(inflated(chunksOf(gzipSync(content), 1)))).toString()).toBe(content);
    }
  });

  test('has one id, gzip or not', async () => {
    const content = '{"a":1}\n{"b":2}';
    const id = createHash('sha256').update(content).digest('hex');
    expect(await importIdOf(chunksOf(content))).toBe(id);
    expect(await importIdOf(chunksOf(gzipSync(content)))).toBe(id);
  });

  test('of damaged gzip is a bad request; an error of the source is its own', async () => {
    const cut = chunksOf(gzipSync('x'.repeat(1000)).subarray(0, 20));
    await expect(importIdOf(cut)).rejects.toThrow(MusterError);
    const failing = (async function* () {
      yield gzipSync('x').subarray(0, 12);
      throw new Error('the disk is gone');
    })();
    await expect(importIdOf(failing)).rejects.toThrow('the disk is gone');
  });

  test('is let go when the reader stops', async () => {
    for (const content of [Buffer.from('{}\n'.repeat(100)), gzipSync('{}\n'.repeat(100))]) {
      let closed = false;
      const source = (async function* () {
        try {
          yield* chunksOf(content, 2);
        } finally {
          closed = true;
        }
      })();
      for await (const _ of inflated(source)) break;
      await new Promise((resolve) => setImmediate(resolve));
      expect(closed).toBe(true);
    }
  });
});

describe('batches', () => {
  test('hold the records with a messageId each, and say which lines they are', async () => {
    const content = [
      '{"event":"A","userId":"u","messageId":"mine"}',
      '',
      'nonsense',
      '[1]',
      '{"type":"identify","userId":"u","messageId":null}',
    ].join('\n');
    const [batch, ...others] = await all(importBatches(ID, chunksOf(content)));
    expect(others).toEqual([]);
    expect(batch).toEqual({
      from: 1,
      to: 6,
      finished: true,
      calls: [
        { event: 'A', userId: 'u', messageId: 'mine' },
        { type: 'identify', userId: 'u', messageId: messageIdOf(ID, 5) },
      ],
      rejects: [
        { line: 3, reason: 'not JSON' },
        { line: 4, reason: 'not a JSON object' },
      ],
      skipped: 0,
    });
  });

  test('leave out the lines that are done, and count them', async () => {
    const content = '{"event":"A"}\n\nnonsense\n{"event":"B"}\n';
    expect(await all(importBatches(ID, chunksOf(content), 3))).toMatchObject([
      { from: 4, to: 5, finished: true, calls: [{ event: 'B' }], rejects: [], skipped: 2 },
    ]);
    expect(await all(importBatches(ID, chunksOf(content), 4))).toMatchObject([
      { from: 5, to: 5, finished: true, calls: [], rejects: [], skipped: 3 },
    ]);
  });

  test('an empty file is one last batch', async () => {
    expect(await all(importBatches(ID, chunksOf('')))).toMatchObject([
      { from: 1, to: 1, finished: true, calls: [] },
    ]);
  });

  test.each([
    ['many', 6000, ''],
    ['large', 1000, 'x'.repeat(10_000)],
    ['bad', 6000, undefined],
  ])('of %s records stay within the limits, and no line is lost', async (_, lineCount, text) => {
    const line = text === undefined ? '{' : JSON.stringify({ event: 'E', userId: 'u', properties: { text } });
    const batches = await all(importBatches(ID, chunksOf(`${line}\n`.repeat(lineCount), 1e5)));
    expect(batches.length).toBeGreaterThan(1);
    let next = 1;
    let items = 0;
    for (const { from, to, finished, calls, rejects } of batches) {
      expect(from).toBe(next);
      expect(calls.length + rejects.length).toBe(to - from);
      expect(finished).toBe(to === lineCount + 1);
      expect(calls.length + rejects.length).toBeLessThanOrEqual(IMPORT_BATCH_LINES);
      const body = { batch: calls, import: { id: ID, from, to, finished } };
      const bytes = Buffer.byteLength(JSON.stringify(body));
      expect(bytes).toBeLessThan(IMPORT_BATCH_BYTES + EVENT_BYTES_MAX + 100 * IMPORT_BATCH_LINES);
      items += collect({ type: 'import', body, bytes, receivedAtMs: 0, view: new TestView() }).items;
      next = to;
    }
    expect(items).toBe(text === undefined ? 0 : lineCount);
  });
});
