import { setTimeout as sleep } from 'node:timers/promises';
import { QUIET_MS } from '../../src/base/limits.ts';
import type { MusterClient } from '../../src/client/client.ts';
import type { AccountStats } from '../../src/client/types.ts';
import { checksumOf, type Report, sum } from '../harness.ts';
import type { Bench } from '../main.ts';
import { BenchServer, contentOf } from '../server.ts';
import { segmentCall, syntheticCalls } from '../synthetic.ts';

/** `quietMs`: what is quiet gets tidied. `idleMs`: threads that have nothing to do go. */
const SIZE = {
  real: { events: 2_000_000, users: 300_000, quietMs: QUIET_MS + 1000, idleMs: 10_000 },
  tiny: { events: 1000, users: 100, quietMs: 0, idleMs: 100 },
};
const BATCH_CALLS = 500;
const BATCHES_IN_FLIGHT = 4;
const EVENTS = ['Product Viewed', 'Order Completed'];

/** What is promised: a process takes no more than this beside what its parts say. */
const FACTOR = 1.3;
const BESIDES_BYTES = 200e6;

/** Whether memory can be explained: the parts of a server full of events and profiles, and what the process takes. */
export async function memory(bench: Bench): Promise<Report[]> {
  const { events, users, quietMs, idleMs } = { ...SIZE[bench.size], ...bench.given };
  const { directory, threads, seed } = bench;
  const server = await BenchServer.start({ program: bench.musterProgram, directory, threads });
  try {
    const client = await server.connect();
    for (const [i, event] of EVENTS.entries()) {
      const definition = { event, within: { last: '3650d' }, count: { gte: i + 2 } };
      await client.call('segment.save', { name: `often ${event}`, definition, live: true });
    }
    const empty = await restingBytes(server, { quietMs: 0, idleMs: 0 });
    await fill(client, calls({ seed, events, users }));
    const content = await contentOf(client);
    const full = await restingBytes(server, { quietMs, idleMs });
    const stats = await client.call('account.stats', {});
    const { memory: memoryOfServer } = await client.call('server.stats', {});
    client.close();
    return [
      {
        name: 'memory',
        what: `bytes by part, against the process: at most ${FACTOR} x the sum + ${BESIDES_BYTES / 1e6} MB`,
        parameters: { seed, events, users, threads },
        rows: rowsOf({ ...stats, memory: memoryOfServer }, { empty, full }),
        checksum: checksumOf(content),
      },
    ];
  } finally {
    await server.stop();
  }
}

/** `stats` are those of the one account there is, with the parts that the whole server has. */
function rowsOf(
  stats: AccountStats,
  { empty, full }: { readonly empty: Resting; readonly full: Resting },
): Report['rows'] {
  const memoryBytes = sum(Object.values(stats.memory));
  const allowedBytes = FACTOR * memoryBytes + BESIDES_BYTES;
  const row = (part: string, bytes: number) => ({
    part,
    megabytes: bytes / 1e6,
    bytesPerEvent: bytes / stats.events,
    bytesPerUser: bytes / stats.users,
  });
  const share = (part: string, megabytes: number) => ({ part, megabytes, bytesPerEvent: 0, bytesPerUser: 0 });
  return [
    ...Object.entries(stats.memory).flatMap(([part, bytes]) => [
      row(part, bytes),
      ...Object.entries(stats.memoryByName[part] ?? {}).map(([name, n]) => row(`- ${name}`, n)),
    ]),
    row('sum', memoryBytes),
    row('process when empty', empty.collectedBytes),
    row('process', full.collectedBytes),
    row('process, grown', full.collectedBytes - empty.collectedBytes),
    row('process, garbage included', full.bytes),
    row('allowed', allowedBytes),
    share('process / allowed', full.collectedBytes / allowedBytes),
    share('the same, garbage included', full.bytes / allowedBytes),
  ];
}

/** What is resident once nothing is to be done. */
interface Resting {
  /** As the server is left alone: what V8 has not collected is in it. */
  readonly bytes: number;
  /** With nothing to be collected. */
  readonly collectedBytes: number;
}

async function restingBytes(
  server: BenchServer,
  { quietMs, idleMs }: { readonly quietMs: number; readonly idleMs: number },
): Promise<Resting> {
  await server.settledCpu();
  await sleep(quietMs);
  await server.settledCpu();
  await sleep(idleMs);
  const bytes = await server.rssBytes();
  await server.collectGarbage();
  return { bytes, collectedBytes: await server.rssBytes() };
}

/** With traits of every kind. */
function* calls(options: Parameters<typeof syntheticCalls>[0]): Generator<object> {
  let sent = 0;
  for (const call of syntheticCalls(options)) {
    const raw = { messageId: `message-${sent++}`, ...segmentCall(call) };
    if (call.kind === 'event') {
      yield raw;
      continue;
    }
    const n = Number(call.user.id.slice('user-'.length));
    const traits = {
      ...(raw as { traits?: object }).traits,
      email: `${call.user.id}@example.com`,
      name: `Name ${(n * 7919) % 10_007} of ${n}`,
      lifetimeValue: ((n * 7919) % 1_000_000) / 100,
      score: Math.sqrt(n),
      tags: [`tag-${n % 20}`, `tag-${n % 7}`],
      ...(n % 50 === 0 && { company: `Company ${n % 1000}` }),
    };
    yield { ...raw, traits };
  }
}

async function fill(client: MusterClient, all: Generator<object>): Promise<void> {
  const sender = async () => {
    for (;;) {
      const batch: object[] = [];
      for (let next = all.next(); !next.done; next = all.next())
        if (batch.push(next.value) === BATCH_CALLS) break;
      if (batch.length === 0) return;
      await client.call('ingest.batch', { calls: batch });
    }
  };
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, sender));
}
