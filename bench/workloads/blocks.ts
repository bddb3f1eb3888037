import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Bitset } from '../../src/base/bitset.ts';
import { DAY_MS } from '../../src/base/limits.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { kernels } from '../../src/encoding/kernels/chosen.ts';
import { simdKernelsWithArena } from '../../src/encoding/kernels/simd.ts';
import { Block } from '../../src/store/blocks/block.ts';
import { readTrail } from '../../src/store/trail.ts';
import type { Tablet } from '../../src/tablet/tablet.ts';
import { askTablet } from '../askTablet.ts';
import { type BulkLoader, finished, type WritingCost } from '../bulk.ts';
import { threadCpuMs } from '../cpu.ts';
import { checksumOf, median, percentile, type Report, sum } from '../harness.ts';
import type { LoadPlan } from '../load.ts';
import { loadFile, loadSessions } from '../loadedEvents.ts';
import type { Bench } from '../main.ts';
import { BenchServer, KEY } from '../server.ts';
import { SESSION_NAMES, SESSION_PERIOD } from '../sessions.ts';
import { BenchThread } from '../threads.ts';

const SIZE = {
  real: { events: 20_000_000, users: 1_000_000, runs: 15, trails: 2000, lanes: 1 << 27, requests: 12_000 },
  tiny: { events: 5000, users: 300, runs: 1, trails: 20, lanes: 1 << 16, requests: 10 },
};

/**
 * How small blocks are and how fast they are written and read, without a server around them: real files where `--sets`
 * names a directory of them, and synthetic sessions. CPU time of one thread throughout.
 */
export async function blocks(bench: Bench): Promise<Report[]> {
  const size = { ...SIZE[bench.size], ...bench.given };
  const sizes: Row[] = [];
  const writing: Row[] = [];
  const measure = (set: string, loader: BulkLoader) => {
    sizes.push(sizeOf(set, loader));
    writing.push(
      costOf(set, 'seal', loader.sealing, loader),
      costOf(set, 'compact', loader.compaction, loader),
    );
  };
  for (const [set, path] of await filesOf(bench)) measure(set, await loadFile(path, bench.threads));
  const { events, users } = size;
  const loader = loadSessions({ seed: bench.seed, events, users }, bench.threads);
  measure('sessions', loader);
  const tablet = loader.tablets[0]!;
  const answers = { sizes: sizes.map(({ set, events }) => [set, events]) };
  const lanes = randomLanes(size.lanes);
  const scans = [laneScan(lanes, size.runs), ...blockScans(tablet, size.runs)];
  const trails = trailTimes(tablet, size.trails, bench.seed);
  const parameters = { seed: bench.seed, events, users, tablets: bench.threads };
  const checksum = checksumOf([answers, scans.map(({ found }) => found), trails.checksum]);
  return [
    { name: 'blocks', what: 'bytes an event, everything but profiles', parameters, rows: sizes, checksum },
    { name: 'writing', what: 'sealing heads and compacting blocks', parameters, rows: writing, checksum },
    {
      name: 'scans',
      what: 'rows a nanosecond of one core; blocks are in memory, and in cache as far as they fit',
      parameters,
      rows: [...laneLimits(lanes, size.runs), ...scans],
      checksum,
    },
    { name: 'trails', what: "one user's events of all", parameters, rows: trails.rows, checksum },
    {
      name: 'acknowledgements',
      what: 'by a server that seals and compacts meanwhile, one request at a time',
      parameters,
      rows: [await acknowledgements(bench, size.requests)],
      checksum,
    },
  ];
}

type Row = Record<string, string | number>;

/** The data sets given, else the sample that comes along. */
async function filesOf({ sets, samples }: Bench): Promise<[string, string][]> {
  const paths =
    sets === undefined
      ? samples
      : (await readdir(sets)).filter((name) => name.endsWith('.ndjson.gz')).map((name) => join(sets, name));
  return paths.map((path) => [path.replace(/.*\/|\.ndjson\.gz$/g, ''), path]);
}

function sizeOf(set: string, { tablets }: BulkLoader): Row {
  const memory = tablets.map(({ events }) => events.memory());
  const events = sum(tablets.map((tablet) => tablet.events.rowCount));
  const [head, blockBytes, dictionary] = [
    sum(memory.map((part) => part.head)),
    sum(memory.map((part) => part.blocks)),
    sum(memory.map((part) => part.dictionary)),
  ];
  return {
    set,
    events,
    bytesPerEvent: (head + blockBytes + dictionary) / events,
    blocks: blockBytes / events,
    dictionary: dictionary / events,
    head: head / events,
    blockCount: sum(tablets.map((tablet) => blocksOf(tablet).length)),
    rewritesPerEvent: sum(tablets.map((tablet) => tablet.events.rewrites)) / tablets.length,
  };
}

function costOf(set: string, work: string, cost: WritingCost, { tablets }: BulkLoader): Row {
  const bytes = sum(tablets.map(({ events }) => events.memory().blocks));
  return {
    set,
    work,
    jobs: cost.jobs,
    millionRowsPerCpuSecond: cost.cpuMs === 0 ? 0 : cost.rows / cost.cpuMs / 1000,
    extraMemoryShare: cost.extraBytesMax / bytes,
  };
}

function blocksOf({ events }: Tablet): Block[] {
  return events.parts().filter((part) => part instanceof Block);
}

/** Codes of 8 bits in memory of their own, many times what caches hold. */
function randomLanes(count: number): Uint8Array {
  const random = new SeededRandom(1);
  const lanes = new Uint8Array(new SharedArrayBuffer(count));
  for (let i = 0; i < count; i++) lanes[i] = random.below(200);
  return lanes;
}

const LANE_CODE = 7;

function laneScan(lanes: Uint8Array, runs: number): Row {
  const found = new Bitset(lanes.length);
  const scan = () => kernels().selectEqual(lanes, 8, LANE_CODE, lanes.length, found.words);
  scan();
  return timed('8-bit code, from memory', lanes.length, runs, found.count(), scan);
}

/** Few enough for a cache near the core. */
const RESIDENT_LANES = 1 << 19;

/** What the scan is to be held against: a mere copy, and codes that need no copy because the kernels' memory has them. */
function laneLimits(lanes: Uint8Array, runs: number): Row[] {
  const target = Buffer.alloc(lanes.length);
  const copy = timed('8-bit codes copied, from memory', lanes.length, runs, 0, () => target.fill(lanes));
  const count = Math.min(RESIDENT_LANES, lanes.length);
  const simd = simdKernelsWithArena(count);
  if (simd === undefined) return [copy];
  simd.arena.set(lanes.subarray(0, count));
  const found = new Bitset(count);
  const scan = () => simd.selectEqual(simd.arena, 8, LANE_CODE, count, found.words);
  scan();
  return [copy, timed('8-bit code, resident and in cache', count, runs, found.count(), scan)];
}

function blockScans(tablet: Tablet, runs: number): Row[] {
  const parts = blocksOf(tablet);
  const rowCount = sum(parts.map((part) => part.rowCount));
  const code = SESSION_NAMES.event.indexOf('Product Viewed');
  const property = (name: string) => tablet.schema.propertyCode(name)!;
  const [home] = SESSION_NAMES.city;
  const predicate = { missing: false, test: (value: unknown) => value === home, equalTo: [home!] };
  /** The middle half of each block's time, so that none is passed over or taken whole. */
  const andMiddle = (part: Block, rows: Bitset) => {
    const quarterMs = (part.timeMaxMs - part.timeMinMs) / 4;
    part.andTime(rows, part.timeMinMs + quarterMs, part.timeMaxMs - quarterMs);
    return rows;
  };
  const over = (select: (part: Block) => Bitset) => () => parts.map(select);
  const count = (found: readonly Bitset[]) => sum(found.map((rows) => rows.count()));
  const selections = {
    'event name': over((part) => part.selectEvents([code])),
    'event name and time, every block cut': over((part) => andMiddle(part, part.selectEvents([code]))),
    'a text property': over((part) => {
      const rows = Bitset.full(part.rowCount);
      part.andProperty(rows, property('city'), predicate);
      return rows;
    }),
  };
  const rows = Object.entries(selections).map(([what, select]) =>
    timed(what, rowCount, runs, count(select()), select),
  );
  return [...rows, ...segmentScans(tablet, runs, home!)];
}

/** Whole questions, over the rows of the blocks that they look into. */
function segmentScans(tablet: Tablet, runs: number, city: string): Row[] {
  const within = { from: '2025-03-10T12:00:00Z', to: '2025-04-09T12:00:00Z' };
  const event = 'Product Viewed';
  const questions = {
    'at least 3 times in 30 days with a property': {
      event,
      where: [{ prop: 'platform', op: 'eq', value: SESSION_NAMES.platform[0]! }],
      within,
      count: { gte: 3 },
    },
    'the same with a rare value': {
      event,
      where: [{ prop: 'city', op: 'eq', value: city }],
      within,
      count: { gte: 3 },
    },
    'ever, at least 10 times': { event, count: { gte: 10 } },
  };
  return Object.entries(questions).map(([what, segment]) => {
    const atMs = SESSION_PERIOD.endMs + DAY_MS;
    const ask = () => finished(askTablet(tablet, 'count', { segments: { it: segment }, atMs, nowMs: atMs }));
    const { counts, stats } = ask();
    return timed(what, stats.rowsScanned, runs, counts.it!, ask);
  });
}

/** The clock of CPU time ticks every few ms: a sample is as many runs as take this long. */
const SAMPLE_MS = 40;
const WARM_RUNS = 5;

/** Once it is warm: compiled, and what fits caches in them. */
function timed(what: string, rowCount: number, runs: number, found: number, run: () => unknown): Row {
  const repeats = runs === 1 ? 1 : Math.ceil(SAMPLE_MS / Math.max(cpuMsOf(run, WARM_RUNS), 0.01));
  const ms = Math.max(median(Array.from({ length: runs }, () => cpuMsOf(run, repeats))), 1e-6);
  return { what, rows: rowCount, found, ms, rowsPerNs: rowCount / ms / 1e6 };
}

/** Of one run, on average. */
function cpuMsOf(run: () => unknown, repeats: number): number {
  const startedMs = threadCpuMs();
  for (let i = 0; i < repeats; i++) run();
  return (threadCpuMs() - startedMs) / repeats;
}

/** Of users, read before those that are measured: until then the engine compiles, and blocks count their rows once. */
const WARM_TRAILS = 500;

/** Users with about a hundred events: reading what they did and when, and then every property of it. */
function trailTimes(
  tablet: Tablet,
  count: number,
  seed: number,
): { readonly rows: Row[]; readonly checksum: string } {
  const random = new SeededRandom(seed);
  const counts = new Uint32Array(tablet.users.count);
  for (const part of tablet.events.parts()) part.countByOrdinal(Bitset.full(part.rowCount), counts);
  const likely = [...counts.keys()].filter((ordinal) => counts[ordinal]! >= 90 && counts[ordinal]! <= 110);
  const chosen = likely.length > 0 ? likely : [...counts.keys()];
  const samples: Record<string, number[]> = { 'names and times': [], 'every property': [] };
  let checked = 0;
  const read = (ordinal: number) => {
    const startedMs = performance.now();
    const trail = readTrail(tablet.events, [ordinal]);
    let found = 0;
    for (const { part, row, timeMs } of trail) found += part.eventAt(row) + (timeMs % 7);
    const readMs = performance.now();
    for (const { part, row } of trail) found += part.propertiesAt(row).length;
    const endedMs = performance.now();
    return { found, readMs: readMs - startedMs, allMs: endedMs - startedMs };
  };
  const warming = new SeededRandom(seed + 1);
  for (let i = 0; i < Math.min(count, WARM_TRAILS); i++) read(warming.pick(chosen));
  for (let i = 0; i < count; i++) {
    const { found, readMs, allMs } = read(random.pick(chosen));
    checked += found;
    samples['names and times']!.push(readMs);
    samples['every property']!.push(allMs);
  }
  const us = (values: readonly number[], share: number) => percentile(values, share) * 1000;
  const rows = Object.entries(samples).map(([what, values]) => ({
    what,
    trails: count,
    eventsMean: sum(chosen.map((ordinal) => counts[ordinal]!)) / chosen.length,
    usP50: us(values, 0.5),
    usP99: us(values, 0.99),
  }));
  return { rows, checksum: checksumOf(checked) };
}

/** How soon events are acknowledged, in batches, while heads of two tablets fill up again and again. */
async function acknowledgements(bench: Bench, requests: number): Promise<Row> {
  const { musterProgram: program, threads, directory, seed } = bench;
  const server = await BenchServer.start({ program, directory: join(directory, 'server'), threads });
  try {
    const plan: LoadPlan = {
      ...{ url: server.report.url, key: KEY, connections: 1, users: 100_000, seed },
      ...{ path: '/v1/batch', eventsPerRequest: 100, requests },
    };
    const load = await BenchThread.start(bench.program, 'load', plan);
    await load.ask({ count: Math.ceil(requests / 10) });
    const { events, ms, ackMs } = await load.ask({ count: requests });
    await load.stop();
    const percentiles = { msP50: 0.5, msP99: 0.99, msMax: 1 };
    return {
      events,
      eventsPerSecond: (events / ms) * 1000,
      ...Object.fromEntries(
        Object.entries(percentiles).map(([name, share]) => [name, percentile(ackMs, share)]),
      ),
    };
  } finally {
    await server.stop();
  }
}
