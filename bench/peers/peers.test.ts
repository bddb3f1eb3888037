import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { differences, sourceAnswers } from './answers.ts';
import { sessionTable } from './eventTable.ts';
import { sizesOf } from './muster.ts';
import { readEvents } from './ndjson.ts';
import { measurePeers } from './peerTables.ts';

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

describe("muster's sizes", () => {
  it('are the rows that have them', () => {
    const reports = [
      { name: 'blocks', rows: [{ set: 'sessions', events: 5, bytesPerEvent: 4.5, blocks: 4 }] },
      { name: 'scans', rows: [{ what: 'names', rowsPerNs: 20 }] },
    ];
    const output = reports.map((report) => `${JSON.stringify(report)}\n`).join('');
    expect(sizesOf(output)).toEqual(new Map([['sessions', { events: 5, bytesPerEvent: 4.5 }]]));
  });
});
