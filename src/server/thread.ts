import { parentPort, workerData } from 'node:worker_threads';
import { Registry } from 'prom-client';
import { assert } from '../base/assert.ts';
import { realClock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { initHash } from '../base/hash.ts';
import { realRandom } from '../base/random.ts';
import { RealNetwork } from '../base/realNetwork.ts';
import { Shard } from '../shard/shard.ts';
import { ShardApi } from '../shard/shardApi.ts';
import { BlockPool } from './blockPool.ts';
import type { Carried } from './call.ts';
import { collectRoutes } from './collectRoutes.ts';
import { type Listener, loadUws } from './listener.ts';
import { registerListenerMetrics } from './metrics.ts';
import { nodeListener } from './nodeListener.ts';
import { Router } from './router.ts';
import { rpcRoutes } from './rpcRoutes.ts';
import { rpcSocketRoute } from './rpcSocket.ts';
import { registerShardMetrics } from './shardMetrics.ts';
import { statusRoutes } from './statusRoutes.ts';
import { type FromThread, portLink, type ThreadData, type ToThread } from './threadMessages.ts';
import { uwsListener } from './uwsListener.ts';

/** A shard thread: one shard, and a listener of its own in front of it. */
async function startThread(data: ThreadData): Promise<void> {
  await initHash();
  const failed = (error: unknown) => {
    tell({ kind: 'fatal', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  };
  /** Of what has been loaded and holds no data yet: kernels' memory, and arrays that encoders compute in. */
  const scratchBytes = process.memoryUsage().external;
  const blocks = new BlockPool(new URL('./blockWorker.mjs', import.meta.url));
  const shard = new Shard({
    index: data.index,
    clock: realClock,
    random: realRandom,
    network: new RealNetwork(),
    hub: portLink(data.hub),
    peers: data.peers.map((port) => (port === undefined ? undefined : portLink(port))),
    sending: data.sending,
    queryBytesMax: data.queryBytesMax,
    writeBlocks: (job) => blocks.write(job),
  });
  shard.onFatal = failed;
  process.on('uncaughtException', failed);
  const api = new ShardApi(shard);
  const metrics = new ProcessMetrics();
  const listener = await openListener(data, { api, clock: realClock, failed }, metrics);
  shard.threadMemory = () => ({ requests: listener.load().bodiesHeldBytes, scratch: scratchBytes });
  registerListenerMetrics(metrics.registry, listener);
  registerShardMetrics(metrics.registry, shard);

  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'listen':
        listener.listen(message).then(
          (listeningPort) => tell({ kind: 'listening', port: listeningPort }),
          (error: unknown) => {
            if (error instanceof MusterError) tell({ kind: 'refused', error: error.body });
            else failed(error);
          },
        );
        return;
      case 'close':
        listener.close(message.patienceMs).then(() => tell({ kind: 'closed' }), failed);
        return;
      case 'collectMetrics':
        metrics.registry
          .getMetricsAsJSON()
          .then((part) => tell({ kind: 'metricsPart', id: message.id, part }), failed);
        return;
      case 'metrics':
        metrics.arrived(message.id, message.text);
        return;
      case 'metricsFailed':
        metrics.failed(message.id, message.message);
    }
  });
}

async function openListener(data: ThreadData, carried: Carried, metrics: ProcessMetrics): Promise<Listener> {
  const { listener: kind, version } = data;
  const status = { ...carried, version, listener: kind, metrics: () => metrics.ask() };
  const routes = [...collectRoutes(carried), ...rpcRoutes(carried), ...statusRoutes(status)];
  const service = { router: new Router(routes, carried.failed), sockets: rpcSocketRoute(carried) };
  if (kind === 'node:http') return nodeListener(service, carried);
  const loaded = await loadUws();
  assert('uws' in loaded, 'the library that loaded in the main thread loads here');
  return uwsListener(loaded.uws, service, carried);
}

/** This thread's metrics, and the way to those of all threads, by way of the main thread. */
class ProcessMetrics {
  readonly registry = new Registry();
  readonly #asked = new Map<number, Asked>();
  #nextId = 1;

  ask(): Promise<string> {
    const id = this.#nextId++;
    tell({ kind: 'metricsWanted', id });
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
  }

  arrived(id: number, text: string): void {
    this.#asked.get(id)?.resolve(text);
    this.#asked.delete(id);
  }

  failed(id: number, message: string): void {
    this.#asked.get(id)?.reject(new MusterError('internal', `no metrics: ${message}`));
    this.#asked.delete(id);
  }
}

interface Asked {
  readonly resolve: (text: string) => void;
  readonly reject: (error: MusterError) => void;
}

function tell(message: FromThread): void {
  port.postMessage(message);
}

assert(parentPort !== null, 'this is a worker thread');
const port = parentPort;
await startThread(workerData as ThreadData);
