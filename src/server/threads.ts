import { MessageChannel, Worker } from 'node:worker_threads';
import { AggregatorRegistry } from 'prom-client';
import { MusterError } from '../base/errors.ts';
import { HEAP_YOUNG_MIB_MAX } from '../base/limits.ts';
import type { SenderSettings } from '../delivery/sender.ts';
import type { FromHub, Link, ToHub } from '../shard/messages.ts';
import {
  type FromThread,
  type ListenerChoice,
  portLink,
  type ThreadData,
  type ToThread,
} from './threadMessages.ts';

/** A shard's V8 heap; columns live outside it. The default of 4 GB is too little for profiles of many users. */
const HEAP_MIB_MAX = 12 * 1024;

/** A failing process ends within this, whatever its threads do. */
const FAILING_MS_MAX = 500;

/** The shard threads as the main thread sees them: started, connected with each other, asked, stopped. */
export class Threads {
  /** The hub's ends. */
  readonly links: readonly Link<FromHub, ToHub>[];
  readonly #workers: readonly Worker[];
  readonly #listener: ListenerChoice;
  readonly #waiting = new Map<Worker, (message: FromThread) => void>();
  readonly #metrics = new Map<number, MetricsRound>();
  #nextMetrics = 1;
  readonly #failed: (message: string) => void;
  #stopping = false;

  /** `failed` is told when a thread cannot go on: the process must end. */
  constructor(options: {
    readonly count: number;
    readonly program: URL;
    readonly version: string;
    readonly listener: ListenerChoice;
    readonly sending: SenderSettings;
    readonly queryBytesMax: number;
    readonly failed: (message: string) => void;
  }) {
    const { count, version, listener, sending, queryBytesMax } = options;
    const hubs = Array.from({ length: count }, () => new MessageChannel());
    const peers = peerPorts(count);
    this.#listener = listener;
    this.#failed = options.failed;
    this.links = hubs.map(({ port1 }) => portLink(port1));
    this.#workers = hubs.map(({ port2 }, index) => {
      const common = { version, listener, sending, queryBytesMax };
      const workerData: ThreadData = { index, ...common, hub: port2, peers: peers[index]! };
      const transferList = [port2, ...peers[index]!.filter((port) => port !== undefined)];
      const resourceLimits = {
        maxOldGenerationSizeMb: HEAP_MIB_MAX,
        maxYoungGenerationSizeMb: HEAP_YOUNG_MIB_MAX,
      };
      const worker = new Worker(options.program, {
        workerData,
        transferList,
        resourceLimits,
        name: `shard-${index}`,
      });
      worker.on('message', (message: FromThread) => this.#receive(worker, message));
      worker.on('error', (error) => this.#fail(error.stack ?? error.message));
      worker.on('exit', (code) => {
        if (!this.#stopping) this.#fail(`shard thread ${index} ended with code ${code}`);
      });
      return worker;
    });
  }

  /** Every thread listens on the port where the listener can share it, else the first. Gives the port. */
  async listen(host: string, port: number): Promise<number> {
    const [first, ...others] = this.#workers;
    const taken = await this.#listenOn(first!, host, port);
    if (this.#listener === 'uWebSockets.js') {
      for (const worker of others) await this.#listenOn(worker, host, taken);
    }
    return taken;
  }

  /** Stops accepting and finishes requests under way, for so long at the most. */
  async closeListeners(patienceMs?: number): Promise<void> {
    const listening = this.#listener === 'uWebSockets.js' ? this.#workers : this.#workers.slice(0, 1);
    await Promise.all(
      listening.map((worker) =>
        this.#ask(worker, { kind: 'close', ...(patienceMs !== undefined && { patienceMs }) }),
      ),
    );
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Sockets are closed first where the threads still can: a process that ends with them open aborts in native code. */
  #fail(message: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const enough = new Promise<void>((resolve) => setTimeout(resolve, FAILING_MS_MAX));
    void Promise.race([this.closeListeners(0), enough]).then(() => this.#failed(message));
  }

  async #listenOn(worker: Worker, host: string, port: number): Promise<number> {
    const answer = await this.#ask(worker, { kind: 'listen', host, port });
    if (answer.kind === 'listening') return answer.port;
    const { code, message } =
      answer.kind === 'refused' ? answer.error : { code: 'internal' as const, message: 'no answer' };
    throw new MusterError(code, message);
  }

  #ask(worker: Worker, message: ToThread): Promise<FromThread> {
    worker.postMessage(message);
    return new Promise((resolve) => this.#waiting.set(worker, resolve));
  }

  #receive(worker: Worker, message: FromThread): void {
    switch (message.kind) {
      case 'fatal':
        this.#fail(message.message);
        return;
      case 'metricsWanted':
        this.#collectMetrics(worker, message.id);
        return;
      case 'metricsPart':
        this.#metricsPart(message.id, message.part);
        return;
      default:
        this.#waiting.get(worker)?.(message);
        this.#waiting.delete(worker);
    }
  }

  #collectMetrics(asker: Worker, askerId: number): void {
    const id = this.#nextMetrics++;
    this.#metrics.set(id, { asker, askerId, parts: [] });
    for (const worker of this.#workers) worker.postMessage({ kind: 'collectMetrics', id } satisfies ToThread);
  }

  #metricsPart(id: number, part: object): void {
    const round = this.#metrics.get(id)!;
    round.parts.push(part);
    if (round.parts.length < this.#workers.length) return;
    this.#metrics.delete(id);
    const answer = (message: ToThread) => round.asker.postMessage(message);
    aggregate(round.parts).then(
      (text) => answer({ kind: 'metrics', id: round.askerId, text }),
      (error) => answer({ kind: 'metricsFailed', id: round.askerId, message: String(error) }),
    );
  }
}

async function aggregate(parts: readonly object[]): Promise<string> {
  return AggregatorRegistry.aggregate([...parts]).metrics();
}

interface MetricsRound {
  readonly asker: Worker;
  readonly askerId: number;
  readonly parts: object[];
}

/** A channel for every pair: ports[a][b] is a's end of the one between a and b. */
function peerPorts(count: number): (ThreadData['hub'] | undefined)[][] {
  const ports = Array.from({ length: count }, () =>
    new Array<ThreadData['hub'] | undefined>(count).fill(undefined),
  );
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      ports[a]![b] = port1;
      ports[b]![a] = port2;
    }
  }
  return ports;
}
