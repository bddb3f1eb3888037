import { assert } from '../base/assert.ts';
import { MINUTE_MS, SECOND_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { FileLog } from '../log/fileLog.ts';
import { HOST_PARTITION } from '../shard/hub.ts';
import { accountSection } from '../shard/shard.ts';
import { logicalHash } from '../tablet/logicalHash.ts';
import { checkAnswers, checkMessages, checkReplay, checkSubmissions, type TabletMark } from './checks.ts';
import { SimulatedClock } from './clock.ts';
import { NO_FAULTS, SimulatedDisk } from './disk.ts';
import { type Faults, NO_BUGS } from './faults.ts';
import { type Life, SimulatedHost } from './host.ts';
import { SimulatedNetwork } from './network.ts';
import { Sink } from './sink.ts';
import { ACCOUNT, CAMPAIGNS, SEGMENTS, SINK_URL, Workload } from './workload.ts';

const START_MS = Date.UTC(2026, 0, 5, 12);
const SHARDS = 2;
const TABLETS = 4;
const CLIENTS = 3;

export interface SimulationReport {
  readonly seed: number;
  readonly crashes: number;
  readonly frames: number;
  readonly submissions: number;
  readonly messages: number;
  /** Of the final state: the same for the same seed. */
  readonly hash: string;
}

/**
 * One run of a whole host from a seed: several lives, each ended by a crash at a moment of the seed's choice (power
 * lost, process killed, or a disk error), then one last life in peace, and the checks of docs/spec/tablet.md. Throws
 * SimulationFailure with the invariant that does not hold.
 */
export async function simulate(seed: number, faults: Faults = NO_BUGS): Promise<SimulationReport> {
  return new Simulation(seed, faults).run();
}

class Simulation {
  readonly #seed: number;
  readonly #faults: Faults;
  readonly #random: SeededRandom;
  readonly #clock: SimulatedClock;
  readonly #network: SimulatedNetwork;
  readonly #workload: Workload;
  readonly #sink: Sink;
  #disk: SimulatedDisk;

  constructor(seed: number, faults: Faults) {
    this.#seed = seed;
    this.#faults = faults;
    this.#random = new SeededRandom(seed);
    this.#clock = new SimulatedClock(this.#random, START_MS);
    this.#network = new SimulatedNetwork(this.#random, this.#clock);
    this.#workload = new Workload(this.#random, this.#clock);
    this.#sink = new Sink(this.#random);
    this.#network.sink(SINK_URL, (request) => this.#sink.answer(request));
    this.#disk = new SimulatedDisk(this.#random, { clock: this.#clock });
  }

  async run(): Promise<SimulationReport> {
    const crashes = 3 + this.#random.below(3);
    for (let life = 0; life < crashes; life++) await this.#clock.run(this.#liveAndCrash());
    return this.#clock.run(this.#lastLife(crashes));
  }

  async #liveAndCrash(): Promise<void> {
    this.#disk.faults = {
      shortWrite: this.#random.chance(0.5) ? 0.1 : 0,
      writeError: 0,
      syncError: this.#random.chance(0.2) ? 0.02 : 0,
    };
    this.#network.faults = { lostRequest: 0.05, lostResponse: 0.1, slow: 0.1 };
    let host: SimulatedHost | undefined;
    const life: Life = { isOver: false };
    const live = async () => {
      const started = await this.#start(life);
      host = started;
      await this.#decide(started);
      await Promise.all(
        Array.from({ length: CLIENTS }, () =>
          this.#workload.client(this.#random.pick(started.apis), 4 + this.#random.below(12)),
        ),
      );
    };
    let failedDisk: (error: unknown) => void = () => {};
    const diskFailure = new Promise<void>((resolve) => {
      failedDisk = () => resolve();
    });
    this.#onFailure = failedDisk;
    // Whichever comes first: the clients are done, the disk fails, or the seed says now.
    await Promise.race([
      live().catch(rethrowBugs),
      diskFailure,
      this.#clock.sleep(this.#random.fraction() * 1500),
    ]);
    const marks = host === undefined ? [] : marksOf(host);
    life.isOver = true;
    this.#disk = this.#random.chance(0.6) ? this.#disk.crash() : this.#disk.kill();
    this.#clock.skewMs += this.#random.chance(0.2) ? this.#random.below(2 * MINUTE_MS) - MINUTE_MS : 0;
    await this.#checkReplay(marks);
  }

  #onFailure: (error: unknown) => void = () => {};

  async #start(life: Life): Promise<SimulatedHost> {
    const host = await SimulatedHost.start({
      clock: this.#clock,
      random: this.#random,
      disk: this.#disk,
      network: this.#network,
      shards: SHARDS,
      faults: this.#faults,
      life,
      failed: (error) => this.#onFailure(error),
    });
    await host.hub.replay();
    host.hub.goLive();
    while (host.apis.some((api) => api.notReady() !== undefined)) await this.#clock.sleep(1);
    return host;
  }

  /** The first life that gets so far makes the account; what is already decided stays. */
  async #decide(host: SimulatedHost): Promise<void> {
    const atMs = this.#clock.now();
    const [api] = host.apis;
    if (host.hub.directory.get(ACCOUNT) === undefined) {
      const value = { timezone: 'UTC', tablets: TABLETS };
      await host.hub.append([
        accountSection(ACCOUNT, { kind: 'control', atMs, what: 'account', name: ACCOUNT, value }),
      ]);
      while (api!.shard.directory.get(ACCOUNT) === undefined) await this.#clock.sleep(1);
    }
    const principal = { account: ACCOUNT, role: 'admin' as const };
    const { signal } = new AbortController();
    const { segments, campaigns } = api!.entry(ACCOUNT).state;
    for (const [name, { definition, live }] of Object.entries(SEGMENTS)) {
      if (segments.has(name)) continue;
      await api!.call({ principal, method: 'segment.save', params: { name, definition, live }, signal });
    }
    for (const campaign of CAMPAIGNS) {
      if (campaigns.has((campaign as { name: string }).name)) continue;
      await api!.call({ principal, method: 'campaign.save', params: campaign, signal });
    }
  }

  async #lastLife(crashes: number): Promise<SimulationReport> {
    this.#network.faults = { lostRequest: 0, lostResponse: 0, slow: 0 };
    this.#sink.heal();
    this.#onFailure = (error) => {
      throw error;
    };
    const life: Life = { isOver: false };
    const host = await this.#start(life);
    await this.#decide(host);
    await this.#workload.client(host.apis[0]!, 5);
    await this.#quiet(host);
    const log = await host.readLog();
    checkSubmissions(host, this.#workload.submissions);
    await checkAnswers(host, log, this.#clock.now());
    checkMessages(log, this.#sink);
    const marks = marksOf(host);
    await host.stop();
    life.isOver = true;
    const frames = await this.#checkReplay(marks);
    const { submissions } = this.#workload;
    const hash = marks.map((mark) => mark.hash).join('');
    const messages = this.#sink.messages.size;
    return { seed: this.#seed, crashes, frames, submissions: submissions.length, messages, hash };
  }

  /** Until every message is done and every merge has arrived. */
  async #quiet(host: SimulatedHost): Promise<void> {
    for (let waitedMs = 0; waitedMs < 4 * 60 * MINUTE_MS; waitedMs += 5 * SECOND_MS) {
      await this.#clock.sleep(5 * SECOND_MS);
      const isQuiet = host.tablets.every(
        (tablet) => tablet.outbox.pendingCount === 0 && tablet.transfers.pending().length === 0,
      );
      if (isQuiet) return;
    }
    assert(false, 'messages and merges come to an end');
  }

  async #checkReplay(marks: readonly TabletMark[]): Promise<number> {
    this.#disk.faults = NO_FAULTS;
    const { disk, random } = { disk: this.#disk, random: this.#random };
    const log = await FileLog.open({
      disk,
      random,
      clock: this.#clock,
      directory: 'log',
      partition: HOST_PARTITION,
    });
    try {
      return await checkReplay(log.read(HOST_PARTITION, 0), marks);
    } finally {
      await log.close();
    }
  }
}

/** State hashes of the tablets that are between two frames just now. */
function marksOf(host: SimulatedHost): TabletMark[] {
  return host.settledTablets.map((tablet) => ({
    tablet: tablet.bits,
    position: tablet.position,
    hash: logicalHash(tablet),
  }));
}

function rethrowBugs(error: unknown): void {
  const expected = ['MusterError', 'LogFailedError', 'DiskError'];
  if (error instanceof Error && expected.includes(error.name)) return;
  throw error;
}
