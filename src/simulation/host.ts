import type { Network } from '../base/network.ts';
import type { SeededRandom } from '../base/random.ts';
import { FileLog } from '../log/fileLog.ts';
import type { Log, LogEntry } from '../log/log.ts';
import { HOST_PARTITION, Hub } from '../shard/hub.ts';
import type { FromHub, Link, Peer, ToHub } from '../shard/messages.ts';
import { Shard } from '../shard/shard.ts';
import { ShardApi } from '../shard/shardApi.ts';
import type { SplitLimits } from '../shard/splitter.ts';
import type { Tablet } from '../tablet/tablet.ts';
import type { SimulatedClock } from './clock.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Faults } from './faults.ts';
import { FlakyLog } from './flakyLog.ts';
import { deletesAtHomeOnly } from './homeOnly.ts';
import type { Life } from './life.ts';
import { simulatedLink } from './links.ts';

/** So few that runs of the simulator seal many blocks, and cut and join windows. */
const HEAD_ROWS = 16;
const WINDOW_ROWS = 60;
/** So few that turns end before all that waits is applied, and that requests wait for the tablets. */
const TURN_BYTES = 256;
const LARGE_APPEND_BYTES = 512;
const UNAPPLIED_BYTES = 1024;

/** One life of a simulated host: the real log, hub, shards and senders, from start to crash. */
export class SimulatedHost {
  readonly apis: readonly ShardApi[];
  readonly hub: Hub;
  readonly #log: Log;

  static async start(options: {
    readonly clock: SimulatedClock;
    readonly random: SeededRandom;
    readonly disk: SimulatedDisk;
    readonly network: Network;
    readonly shards: number;
    readonly faults: Faults;
    readonly life: Life;
    readonly splitting: SplitLimits;
    /** Files of the log are this small. */
    readonly segmentBytesMax: number;
    /** Probability that an append is refused. */
    readonly refusal: number;
  }): Promise<SimulatedHost> {
    const { random, refusal, faults, segmentBytesMax } = options;
    const log = await FileLog.open({
      disk: options.disk,
      directory: 'log',
      partition: HOST_PARTITION,
      clock: options.clock,
      random,
      limits: { segmentBytesMax },
      ...(faults.log !== undefined && { faults: faults.log }),
    });
    const flaky = new FlakyLog(log, random, { refusal, swapFrames: faults.swapFrames === true });
    return new SimulatedHost(flaky, options);
  }

  private constructor(log: Log, options: Parameters<typeof SimulatedHost.start>[0]) {
    const { random, network, shards: count, faults, life } = options;
    const clock = options.clock.forHost(() => !life.isOver);
    const failed = (error: unknown) => life.fail(error);
    const isLost = ({ kind }: Peer) =>
      faults.loseApplied === true && kind === 'applied' && random.chance(0.1);
    this.#log = log;
    const hubLinks = Array.from({ length: count }, () => simulatedLink<FromHub, ToHub>(clock, random));
    const peers = peerLinks(count, () => simulatedLink<Peer, Peer>(clock, random, isLost));
    const shards = hubLinks.map(
      ([, hub], index) =>
        new Shard({
          index,
          clock,
          random,
          network,
          hub: faults.deleteAtHomeOnly
            ? { ...hub, post: (message, transfer) => hub.post(deletesAtHomeOnly(message), transfer) }
            : hub,
          peers: peers[index]!,
          sending: { allowPrivateNetworks: true, renderMsMax: Infinity, ...faults.sender },
          events: { headRowsMax: HEAD_ROWS, windowRowsMax: WINDOW_ROWS },
          splitting: options.splitting,
          turnBytesMax: TURN_BYTES,
          largeAppendBytes: LARGE_APPEND_BYTES,
        }),
    );
    for (const shard of shards) shard.onFatal = failed;
    this.apis = shards.map((shard) => new ShardApi(shard));
    const links = hubLinks.map(([hub]) => hub);
    this.hub = new Hub({ log, clock, shards: links, failed, unappliedBytesMax: UNAPPLIED_BYTES });
  }

  get tablets(): readonly Tablet[] {
    return this.apis.flatMap(({ shard }) => shard.tablets);
  }

  /** Those that are between two frames. */
  get settledTablets(): readonly Tablet[] {
    return this.apis.flatMap(({ shard }) => shard.settledTablets);
  }

  async readLog(): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    for await (const entry of this.#log.read(HOST_PARTITION, 0)) entries.push(entry);
    return entries;
  }

  call(account: string, method: string, params: unknown): Promise<unknown> {
    const principal = { account, role: 'admin' as const };
    return this.apis[0]!.call({ principal, method, params, signal: new AbortController().signal });
  }

  /** An orderly end. */
  async stop(): Promise<void> {
    await this.hub.drain();
    await this.hub.settled();
    await this.#log.close();
  }
}

/** For every pair of shards one channel: peers[a][b] is a's end of it. */
export function peerLinks(
  count: number,
  open: () => [Link<Peer, Peer>, Link<Peer, Peer>],
): (Link<Peer, Peer> | undefined)[][] {
  const ends = Array.from({ length: count }, () =>
    new Array<Link<Peer, Peer> | undefined>(count).fill(undefined),
  );
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) [ends[a]![b], ends[b]![a]] = open();
  }
  return ends;
}
