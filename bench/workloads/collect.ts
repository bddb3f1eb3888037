import { join } from 'node:path';
import { assert } from '../../src/base/assert.ts';
import { loadUws } from '../../src/server/listener.ts';
import { checksumOf, jsonParseMs, percentile, type Report } from '../harness.ts';
import type { LoadPlan } from '../load.ts';
import type { Bench } from '../main.ts';
import { BenchServer, contentOf, KEY, type ListenerKind } from '../server.ts';
import { BenchThread } from '../threads.ts';

const CASES: readonly (Pick<LoadPlan, 'path' | 'eventsPerRequest'> & {
  readonly real: number;
  readonly tiny: number;
})[] = [
  { path: '/v1/track', eventsPerRequest: 1, real: 30_000, tiny: 20 },
  { path: '/v1/batch', eventsPerRequest: 1, real: 30_000, tiny: 20 },
  { path: '/v1/batch', eventsPerRequest: 10, real: 15_000, tiny: 10 },
  { path: '/v1/batch', eventsPerRequest: 100, real: 3000, tiny: 5 },
];
const CONNECTIONS = 32;
/** Of the requests, sent before measuring: the engine compiles what it has seen run. */
const WARM_UP_SHARE = 0.2;

/** What collecting an event costs the server, and how soon it is acknowledged: over loopback, each sync a real one. */
export async function collect(bench: Bench): Promise<Report[]> {
  const native = 'uws' in (await loadUws());
  const listeners: ListenerKind[] = native ? ['uWebSockets.js', 'node:http'] : ['node:http'];
  const measured = [];
  for (const listener of listeners) measured.push(await collectWith(bench, listener));
  const checksums = new Set(measured.map(({ checksum }) => checksum));
  if (checksums.size > 1) throw new Error('the listeners did not collect the same');
  return [
    {
      name: 'collect',
      what: 'CPU of the server per event collected',
      parameters: { seed: bench.seed, users: bench.users, threads: bench.threads, connections: CONNECTIONS },
      rows: measured.flatMap(({ rows }) => rows),
      checksum: [...checksums].join(),
    },
  ];
}

async function collectWith(bench: Bench, listener: ListenerKind) {
  const { musterProgram: program, threads } = bench;
  const server = await BenchServer.start({
    program,
    directory: join(bench.directory, listener),
    threads,
    listener,
  });
  try {
    assert(server.report.listener === listener, 'the server uses the listener that is measured');
    const rows = [];
    for (const [i, { path, eventsPerRequest, ...requests }] of CASES.entries()) {
      const plan: LoadPlan = {
        ...{ url: server.report.url, key: KEY, connections: CONNECTIONS, users: bench.users },
        ...{ path, eventsPerRequest, requests: requests[bench.size], seed: bench.seed + i },
      };
      rows.push({ listener, path, eventsPerRequest, ...(await measureLoad(bench.program, server, plan)) });
    }
    const client = await server.connect();
    const checksum = checksumOf(await contentOf(client));
    client.close();
    return { rows, checksum };
  } finally {
    await server.stop();
  }
}

async function measureLoad(program: URL, server: BenchServer, plan: LoadPlan) {
  const load = await BenchThread.start(program, 'load', plan);
  const { jsonBodies } = load.started;
  const warmUp = Math.ceil(plan.requests * WARM_UP_SHARE);
  await load.ask({ count: warmUp });
  const before = await server.settledCpu();
  const { requests, events, bodyBytes, ms, ackMs } = await load.ask({ count: plan.requests - warmUp });
  const after = await server.settledCpu();
  await load.stop();
  const cpuUsPerEvent = ((after.all - before.all) * 1000) / events;
  const parseUsPerEvent =
    ((await jsonParseMs(jsonBodies)) * 1000) / (jsonBodies.length * plan.eventsPerRequest);
  return {
    requestsPerSecond: Math.round(requests / (ms / 1000)),
    eventsPerSecond: Math.round(events / (ms / 1000)),
    ackMsP50: percentile(ackMs, 0.5),
    ackMsP99: percentile(ackMs, 0.99),
    cpuUsPerEvent,
    hubCpuUsPerEvent: ((after.main - before.main) * 1000) / events,
    timesJsonParse: cpuUsPerEvent / parseUsPerEvent,
    bodyBytesPerEvent: Math.round(bodyBytes / events),
  };
}
