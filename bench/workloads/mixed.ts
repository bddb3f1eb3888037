import { join } from 'node:path';
import type { MusterClient } from '../../src/client/client.ts';
import { checksumOf, percentile, type Report } from '../harness.ts';
import type { LoadOrder, LoadPlan, LoadResult } from '../load.ts';
import type { Bench } from '../main.ts';
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

/**
 * How soon events are acknowledged while queries run without pause: first as many events as the server takes, then half
 * as many a second, then the same while it is asked as much as it answers. Client and server are on the same machine.
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
    const phase = async (name: string, order: LoadOrder, askers: number) => {
      await server.delays(threads);
      const { result, asked } = await measured(server, askers, () => load.ask(order));
      const { main, shards } = await server.delays(threads);
      await server.settledCpu();
      return {
        requestsPerSecond: result.requests / (result.ms / 1000),
        row: {
          phase: name,
          ...collected(result),
          queriesPerSecond: asked.length / (result.ms / 1000),
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

/** Runs the load while so many ask; what each query took. */
async function measured(server: BenchServer, askers: number, load: () => Promise<LoadResult>) {
  const clients = await Promise.all(Array.from({ length: askers }, () => server.connect()));
  const asked: number[] = [];
  let loading = true;
  const all = clients.map((client, first) => ask(client, first, asked, () => loading));
  const result = await load();
  loading = false;
  await Promise.all(all);
  for (const client of clients) client.close();
  return { result, asked };
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
