import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../src/base/random.ts';
import { sum } from './harness.ts';
import { segmentCall, syntheticCalls } from './synthetic.ts';

/** What one load generator sends. It runs in a thread of its own (threads.ts), so that it is in nobody's way. */
export interface LoadPlan {
  readonly url: string;
  readonly key: string;
  readonly path: '/v1/batch' | '/v1/track';
  readonly requests: number;
  readonly eventsPerRequest: number;
  readonly users: number;
  readonly seed: number;
  /** Each has one request under way, and sends the next when it is answered. */
  readonly connections: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly events: number;
  readonly bodyBytes: number;
  readonly ms: number;
  /** From when it was sent, or due, to the last byte of the answer, one a request. */
  readonly ackMs: readonly number[];
}

/** So many of the requests that come next. */
export interface LoadOrder {
  readonly count: number;
  /**
   * When they are due. They are sent then, or as soon as a connection is free, and what they wait for one counts: a server
   * that is slow makes nobody come later. As fast as they are answered, when left out.
   */
  readonly perSecond?: number;
}

/** Past this the server is stuck, and the measurement fails. */
const LOAD_MS_MAX = 120_000;

/** Requests written beforehand, so that sending them costs little beside the server that is measured. */
export class Load {
  readonly #plan: LoadPlan;
  readonly #bodies: readonly string[];
  #next = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#bodies = requestBodies(plan);
  }

  get bodies(): readonly string[] {
    return this.#bodies;
  }

  /** Rejects when a request is refused, or when the time is over. */
  async send({ count, perSecond = Infinity }: LoadOrder): Promise<LoadResult> {
    const { path, url, key, eventsPerRequest, connections } = this.#plan;
    const bodies = this.#bodies.slice(this.#next, this.#next + count);
    this.#next += bodies.length;
    const { host, hostname, port } = new URL(url);
    const head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
    const requests = bodies.map((body) =>
      Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    );
    const open = await Promise.all(
      Array.from({ length: Math.min(connections, count) }, () => Connection.open(hostname, Number(port))),
    );
    const timer = setTimeout(() => {
      for (const connection of open) connection.close(new Error('the server did not keep up'));
    }, LOAD_MS_MAX);
    const ackMs: number[] = [];
    const unsent = requests.entries();
    const startedMs = performance.now();
    try {
      await Promise.all(
        open.map(async (connection) => {
          for (const [i, request] of unsent) {
            const dueMs = perSecond === Infinity ? performance.now() : startedMs + (i * 1000) / perSecond;
            const earlyMs = dueMs - performance.now();
            if (earlyMs > 0) await sleep(earlyMs);
            const fromMs = earlyMs > 0 ? performance.now() : dueMs; // a timer that fires late is not the server's doing
            const status = await connection.exchange(request);
            ackMs.push(performance.now() - fromMs);
            if (status !== 200) throw new Error(`answered with status ${status}`);
          }
        }),
      );
      const ms = performance.now() - startedMs;
      const bodyBytes = sum(bodies.map((body) => Buffer.byteLength(body)));
      return { requests: bodies.length, events: bodies.length * eventsPerRequest, bodyBytes, ms, ackMs };
    } finally {
      clearTimeout(timer);
      for (const connection of open) connection.close();
    }
  }
}

/** As Segment's SDK for Node writes them. */
function requestBodies({ requests, eventsPerRequest, users, seed, path }: LoadPlan): string[] {
  const random = new SeededRandom(seed);
  const calls = syntheticCalls({ seed, users, events: requests * eventsPerRequest });
  const context = { library: { name: '@segment/analytics-node', version: '3.1.0' } };
  const next = (): object => {
    for (;;) {
      const call = calls.next().value!;
      if (call.kind !== 'event') continue;
      const messageId = `node-next-${call.timeMs}-${Buffer.from(random.bytes(16)).toString('hex')}`;
      return { ...segmentCall(call), messageId, context, integrations: {} };
    }
  };
  return Array.from({ length: requests }, () =>
    JSON.stringify(path === '/v1/track' ? next() : { batch: Array.from({ length: eventsPerRequest }, next) }),
  );
}

/** One HTTP/1.1 connection with one request under way. */
class Connection {
  readonly #socket: Socket;
  #received = '';
  #answered: (status: number) => void = () => {};
  #failed: (error: Error) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('close', () => this.#failed(new Error('the server closed the connection')));
    socket.on('error', (error) => this.#failed(error));
  }

  static async open(host: string, port: number): Promise<Connection> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Resolves with the status. */
  exchange(request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  close(error?: Error): void {
    if (error !== undefined) this.#failed(error);
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const headBytes = this.#received.indexOf('\r\n\r\n') + 4;
    if (headBytes < 4) return;
    const bodyBytes = Number(/^content-length: *(\d+)/im.exec(this.#received)![1]);
    if (this.#received.length < headBytes + bodyBytes) return;
    const status = Number(this.#received.slice(9, 12));
    this.#received = '';
    this.#answered(status);
  }
}
