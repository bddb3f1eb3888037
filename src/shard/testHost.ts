import { type Clock, realClock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { RealNetwork } from '../base/realNetwork.ts';
import type { Accepted } from '../ingest/accepted.ts';
import { collect } from '../ingest/collect.ts';
import type { Log, LogEntry } from '../log/log.ts';
import { Hub } from './hub.ts';
import type { FromHub, Link, Peer, ToHub } from './messages.ts';
import { accountSection, Shard } from './shard.ts';
import { ShardApi } from './shardApi.ts';
import type { SplitLimits } from './splitter.ts';

/** For tests: time that passes a hundred times as fast. */
const fastClock: Clock = {
  ...realClock,
  schedule: (delayMs, run) => realClock.schedule(delayMs / 100, run),
};

/** For tests: a hub with its shards in this thread, over a log in memory. */
export class TestHost {
  static readonly ACCOUNT = 'shop';
  readonly log = new MemoryLog();
  readonly hub: Hub;
  readonly apis: readonly ShardApi[];
  /** What would have ended the process. */
  readonly fatal: unknown[] = [];

  constructor(
    shards: number,
    options: { readonly splitting?: SplitLimits; readonly queryBytesMax?: number } = {},
  ) {
    const failed = (error: unknown) => this.fatal.push(error);
    const hubs = Array.from({ length: shards }, () => link<FromHub, ToHub>());
    const peers = peerLinks(shards);
    this.apis = hubs.map(([, hub], index) => {
      const shard = new Shard({
        index,
        clock: fastClock,
        random: new SeededRandom(index),
        network: new RealNetwork(),
        hub,
        peers: peers[index]!,
        sending: { allowPrivateNetworks: false },
        ...options,
      });
      shard.onFatal = failed;
      return new ShardApi(shard);
    });
    this.hub = new Hub({ log: this.log, clock: fastClock, shards: hubs.map(([hub]) => hub), failed });
  }

  /** Live, with an account of so many tablets. */
  static async start(options: {
    readonly shards: number;
    readonly tablets: number;
    readonly splitting?: SplitLimits;
    readonly queryBytesMax?: number;
  }): Promise<TestHost> {
    const { shards, tablets, ...others } = options;
    const host = new TestHost(shards, others);
    host.hub.goLive();
    const { ACCOUNT: name } = TestHost;
    const value = { timezone: 'UTC', tablets };
    await host.hub.append([accountSection(name, { kind: 'control', atMs: 0, what: 'account', name, value })]);
    while (host.apis.some(({ shard }) => shard.directory.get(name) === undefined)) await fastClock.yield();
    return host;
  }

  call(method: string, params: unknown, shard = 0): Promise<unknown> {
    const principal = { account: TestHost.ACCOUNT, role: 'admin' as const };
    return this.apis[shard]!.call({ principal, method, params, signal: new AbortController().signal });
  }

  collect(batch: readonly unknown[]): Accepted {
    const view = this.apis[0]!.collecting(TestHost.ACCOUNT);
    return collect({ type: 'batch', body: { batch }, bytes: 0, receivedAtMs: fastClock.now(), view });
  }

  async accept(...batch: unknown[]): Promise<void> {
    await this.apis[0]!.accept(TestHost.ACCOUNT, this.collect(batch), true);
  }
}

export class MemoryLog implements Log {
  readonly frames: Uint8Array[] = [];
  /** When set, what appends are refused with. */
  refusal: MusterError | undefined;

  async append(_partition: string, frame: Uint8Array): Promise<number> {
    if (this.refusal !== undefined) throw this.refusal;
    return this.frames.push(frame.slice()) - 1;
  }

  async *read(): AsyncGenerator<LogEntry> {
    for (const [position, frame] of this.frames.entries()) yield { position, frame };
  }

  end(): number {
    return this.frames.length;
  }

  get memoryBytes(): number {
    return this.frames.reduce((total, { length }) => total + length, 0);
  }

  async close(): Promise<void> {}
}

function link<A, B>(): [Link<A, B>, Link<B, A>] {
  const [toA, toB] = [pipe<B>(), pipe<A>()];
  return [
    { ...toA, post: toB.post },
    { ...toB, post: toA.post },
  ];
}

/** Messages are cloned and come a turn of the event loop later, in order. */
function pipe<Message>() {
  let handle: (message: Message) => void = () => {};
  const waiting: Message[] = [];
  const drain = () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) handle(next);
  };
  return {
    drain,
    post(message: Message, transfer: readonly ArrayBuffer[] = []) {
      waiting.push(structuredClone(message, { transfer: [...transfer] }));
      void realClock.yield().then(drain);
    },
    onMessage(set: (message: Message) => void) {
      handle = set;
    },
  };
}

function peerLinks(count: number): (Link<Peer, Peer> | undefined)[][] {
  const ends = Array.from({ length: count }, () =>
    new Array<Link<Peer, Peer> | undefined>(count).fill(undefined),
  );
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) [ends[a]![b], ends[b]![a]] = link<Peer, Peer>();
  }
  return ends;
}

export function refusal(retryAfterSeconds: number): MusterError {
  return new MusterError('unavailable', 'the disk does not keep up', { retryAfterSeconds });
}
