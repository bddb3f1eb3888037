import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { initHash } from '../../src/base/hash.ts';
import type { Report } from '../harness.ts';
import { differences, sourceAnswers } from './answers.ts';
import { checkFile } from './check/check.ts';
import { sessionTable } from './eventTable.ts';
import type { Measured } from './measured.ts';
import { readEvents } from './ndjson.ts';
import { measurePeers } from './peerTables.ts';
import type { Found, Members } from './queries/asking.ts';
import { checkEqual } from './queries/comparison.ts';
import type { EngineName } from './queries/engine.ts';
import type { Rows } from './queries/question.ts';
import { QUESTIONS } from './queries/questions.ts';
import { barsOf } from './sizes.ts';

const directory = mkdtempSync(join(tmpdir(), 'muster-peers-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Texts that need care, properties that are absent, 0, '' or none of both, and times to the second. */
async function oddEvents() {
  const lines = [
    { type: 'identify', userId: 'a', timestamp: '2024-01-01T00:00:00Z', traits: { plan: 'pro' } },
    ...Array.from({ length: 1000 }, (_, i) => ({
      type: 'track',
      ...(i % 3 === 0 ? { anonymousId: 'a' } : { userId: 'a'.repeat(1 + (i % 5)) }),
      event: ["it's", 'back\\slash', 'tab\tand "quote"'][i % 3],
      timestamp: new Date(1.7e12 + 1000 * Math.floor(i / 4)).toISOString(),
      properties: {
        ...(i % 2 === 0 && { sometimes: i % 7 === 0 ? '' : `ü${i % 50}`, maybe: i % 5 }),
        ...(i % 4 === 0 && { price: 1 + (i % 10) / 4, mixed: i % 8 === 0 ? true : [i] }),
        all: -i,
      },
    })),
  ];
  const path = join(directory, 'odd.ndjson.gz');
  writeFileSync(path, gzipSync(lines.map((line) => JSON.stringify(line)).join('\n')));
  return readEvents(path);
}

describe('the rivals', () => {
  const place = { directory, threads: 2, log: () => {} };

  it('keep synthetic sessions in every layout and answer like the source', async () => {
    const events = sessionTable({ seed: 1, events: 20_000, users: 2000 });
    const { measured } = await measurePeers(events, place);
    expect(measured).toHaveLength(14);
    for (const { bytes } of measured) expect(bytes / events.rows).toBeGreaterThan(1);
  }, 60_000);

  it('keep odd events and answer like the source', async () => {
    const events = await oddEvents();
    expect(events.texts.map(({ name }) => name).sort()).toEqual(['mixed', 'sometimes']);
    const { measured } = await measurePeers(events, place);
    expect(measured).toHaveLength(18);
  }, 60_000);
});

describe('answers', () => {
  it('are read off the source', async () => {
    const answers = sourceAnswers(await oddEvents());
    expect(answers).toMatchObject({ rows: 1000, users: 6, fromMs: 1.7e12, toMs: 1.7e12 + 249_000 });
    expect(answers.properties).toMatchObject({
      sometimes: { present: 500, measure: 26 },
      maybe: { present: 500, measure: 1000 },
      all: { present: 1000, measure: -499_500 },
    });
  });

  it('that differ are told', () => {
    expect(differences({ a: 1, b: { c: 2 } }, { a: 1, b: { c: 2 } })).toEqual([]);
    expect(differences({ a: 1, b: { c: 2 } }, { a: 1, b: { c: 3 }, d: 4 })).toEqual([
      'b.c: 2 expected, 3 found',
      'd: undefined expected, 4 found',
    ]);
  });
});

describe('bars', () => {
  it('are of the smaller rival, by how its forms were chosen', () => {
    const rival = (rival: string, forms: 'usual' | 'tuned', bytes: number) =>
      ({ rival, forms, bytes }) as Measured;
    const best = [
      rival('DuckDB', 'usual', 200),
      rival('DuckDB', 'tuned', 100),
      rival('ClickHouse LZ4', 'usual', 150),
      rival('ClickHouse LZ4', 'tuned', 140),
      rival('ClickHouse ZSTD(1)', 'usual', 90),
      rival('ClickHouse ZSTD(1)', 'tuned', 80),
    ];
    expect(barsOf(best, { set: 's', events: 10, bytes: 84 })).toEqual({
      Muster: 8.4,
      '0.65 × LZ4, tuned': '6.50 missed by 29.2 %',
      'ZSTD(1), tuned': '8.00 missed by 5.0 %',
      '0.65 × LZ4, usual': '9.75 holds',
      'ZSTD(1), usual': '9.00 holds',
    });
  });
});

/** The built program: its processes and threads run it too. */
async function peers(...args: string[]) {
  const program = fileURLToPath(new URL('dist/peers.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '--json']);
  const reports = stdout.split('\n').filter((line) => line !== '');
  return new Map(reports.map((line) => JSON.parse(line) as Report).map((report) => [report.name, report]));
}

describe('the command', () => {
  it('sets sizes beside their bars', async () => {
    const small = ['--events', '5000', '--users', '500', '--sets', 'sessions', '--at', directory];
    const rows = (await peers(...small)).get('peers')!.rows;
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ set: 'sessions', events: 5000, Muster: expect.any(Number) });
  }, 120_000);

  it('asks every engine every question and finds equal answers', async () => {
    const stores = join(directory, 'stores');
    const small = [
      'queries',
      '--events',
      '5000',
      '--users',
      '1500',
      '--data',
      stores,
      '--budget',
      '1',
      '--ways',
    ];
    const reports = await peers(...small);
    expect(reports.get('queries')!.rows.map(({ query }) => query)).toEqual(QUESTIONS.map(({ name }) => name));
    const again = await peers(...small, '--only', 'timeline', '--engines', 'Muster,DuckDB', '--threads', '1');
    const engines = again.get('ways')!.rows.map(({ engine }) => engine);
    expect(new Set(engines)).toEqual(new Set(['Muster', 'DuckDB']));
  }, 300_000);
});

it('members of random segments are those of SQL', async () => {
  const path = fileURLToPath(new URL('../../samples/online-retail.ndjson.gz', import.meta.url));
  await initHash();
  const checked = await checkFile({ path, definitions: 40, seed: 7 }, () => {});
  expect(checked.differences).toEqual([]);
  expect(checked.nobodyOrAll).toBeLessThan(30);
}, 120_000);

describe('answers to queries', () => {
  const found = (engine: EngineName, rows: Rows, members?: Members): Found => ({
    ...{ question: 'q', engine, ways: [{ layout: 'l', form: 'f', ms: [1], cpuMs: 1, rows }] },
    ...(members && { members }),
  });

  it('are equal in any order of rows', () => {
    const rows = [
      [1, 'a'],
      [2, null],
      [2, null],
    ] as const;
    checkEqual('q', [found('Muster', rows), found('DuckDB', [...rows].reverse())]);
  });

  it('that differ are shown, with the question and both engines', () => {
    const check =
      (...all: Found[]) =>
      () =>
        checkEqual('q', all);
    expect(check(found('Muster', [[1], [2], [2]]), found('DuckDB', [[1], [2], [3]]))).toThrow(
      'q: answers differ. 1 rows of Muster, l, f only: [2]; 1 of DuckDB, l, f only: [3]',
    );
    const members = { users: 1, checksum: 'a' };
    expect(
      check(found('Muster', [[1]], members), found('DuckDB', [[1]], { ...members, checksum: 'b' })),
    ).toThrow(/^q: members differ. Muster: .*"a"}; DuckDB: .*"b"}$/);
  });
});
