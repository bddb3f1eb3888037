import { join } from 'node:path';
import type { MusterClient } from '../../src/client/client.ts';
import { checksumOf, percentile, type Report } from '../harness.ts';
import type { LoadOrder, LoadPlan, LoadResult } from '../load.ts';
import type { Bench } from '../main.ts';
import { type ProbePlan, probe } from '../probes.ts';
import { QUESTIONS } from '../questions.ts';
import { BenchServer, contentOf, KEY } from '../server.ts';
import { PERIOD } from '../synthetic.ts';
import { BenchThread } from '../threads.ts';

/** Requests of a phase; of the first one, which also loads what is asked about, as many as the events take. */
const SIZE = { real: { events: 1_000_000, requests: 6000 }, tiny: { events: 1000, requests: 10 } };
const EVENTS_PER_REQUEST = 100;
const CONNECTIONS = 32;
/** Each asks one question after the other, all day. */
const ASKERS = 4;
const REQUESTS_PER_PROBE = 30;

/**
 * How soon events are acknowledged, and found once they are, while queries run without pause: first as many events as
 * the server takes, then half as many a second, then the same while it is asked as much as it answers. Client and server
 * are on the same machine.
 */
export async function mixed(bench: Bench): Promise<Report[]> {
  const { events, requests } = { ...SIZE[bench.size], ...bench.given };
  const { musterProgram: program, directory, threads, seed, users } = bench;
  const server = await BenchServer.start({ program, directory: join(directory, 'mixed'), threads });
  try {
    const loading = Math.ceil(events / EVENTS_PER_REQUEST);
    const plan: LoadPlan = {
      ...{ url: server.report.url, key: KEY, connections: CONNECTIONS, users, seed },
      ...{ path: '/v1/batch', eventsPerRequest: EVENTS_PER_REQUEST, requests: loading + 3 * requests },
    };
    const load = await BenchThread.start(bench.program, 'load', plan);
    await load.ask({ count: loading });
    await server.settledCpu();
    let probes = 0;
    const phase = async (name: string, order: LoadOrder, askers: number) => {
      await server.delays(threads);
      const probing = { url: plan.url, key: KEY, first: probes, timeMs: PERIOD.endMs };
      const count = order.perSecond === undefined ? 0 : Math.ceil(order.count / REQUESTS_PER_PROBE);
      probes += count;
      const { result, asked, foundMs } = await measured(server, askers, () => load.ask(order), {
        ...probing,
        count,
      });
      const { main, shards } = await server.delays(threads);
      await server.settledCpu();
      return {
        requestsPerSecond: result.requests / (result.ms / 1000),
        row: {
          phase: name,
          ...collected(result),
          queriesPerSecond: asked.length / (result.ms / 1000),
          foundMsP50: foundMs.length === 0 ? '' : percentile(foundMs, 0.5),
          foundMsP99: foundMs.length === 0 ? '' : percentile(foundMs, 0.99),
          queryMsP50: asked.length === 0 ? '' : percentile(asked, 0.5),
          queryMsP99: asked.length === 0 ? '' : percentile(asked, 0.99),
          shardDelayMsP99: Math.max(...shards.map(({ p99 }) => p99)),
          shardDelayMsMax: Math.max(...shards.map(({ max }) => max)),
          hubDelayMsP99: main.p99,
        },
      };
    };
    const most = await phase('as fast as it goes', { count: requests }, 0);
    const half: LoadOrder = { count: requests, perSecond: most.requestsPerSecond / 2 };
    const rows = [
      most.row,
      (await phase('half of that', half, 0)).row,
      (await phase('half, and queries', half, ASKERS)).row,
    ];
    await load.stop();
    const client = await server.connect();
    const checksum = checksumOf(await contentOf(client));
    client.close();
    const parameters = { seed, events, users, threads, connections: CONNECTIONS, askers: ASKERS };
    return [{ name: 'mixed', what: 'collecting, with queries beside it', parameters, rows, checksum }];
  } finally {
    await server.stop();
  }
}

function collected({ events, ms, ackMs }: LoadResult) {
  return {
    eventsPerSecond: Math.round(events / (ms / 1000)),
    ackMsP50: percentile(ackMs, 0.5),
    ackMsP99: percentile(ackMs, 0.99),
    ackMsMax: percentile(ackMs, 1),
  };
}

/** Runs the load while so many ask, and one probes; what each query took, and each event until it was found. */
async function measured(
  server: BenchServer,
  askers: number,
  load: () => Promise<LoadResult>,
  probing: ProbePlan,
) {
  const clients = await Promise.all(Array.from({ length: askers }, () => server.connect()));
  const asked: number[] = [];
  let loading = true;
  const all = clients.map((client, first) => ask(client, first, asked, () => loading));
  const prober = await server.connect();
  const [result, foundMs] = await Promise.all([
    load().finally(() => {
      loading = false;
    }),
    probe(prober, probing),
  ]);
  await Promise.all(all);
  for (const client of [...clients, prober]) client.close();
  return { result, asked, foundMs };
}

/** Asks at least once, from the question of this number on. */
async function ask(client: MusterClient, first: number, asked: number[], goOn: () => boolean): Promise<void> {
  const segments = Object.values(QUESTIONS);
  const at = new Date(PERIOD.endMs).toISOString();
  for (let i = first; ; i++) {
    const startedMs = performance.now();
    await client.call('segment.count', { segment: segments[i % segments.length]!, at });
    asked.push(performance.now() - startedMs);
    if (!goOn()) return;
  }
}
