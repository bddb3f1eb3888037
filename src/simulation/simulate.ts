import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { FileLog } from '../log/fileLog.ts';
import type { LogEntry } from '../log/log.ts';
import { HOST_PARTITION } from '../shard/hub.ts';
import { accountSection } from '../shard/shard.ts';
import type { SplitLimits } from '../shard/splitter.ts';
import { Answers } from './answers.ts';
import { checkReplay, checkSubmissions, checkVisibility, marksOf, type TabletMark } from './checks.ts';
import { SimulatedClock } from './clock.ts';
import { LEAVING_URL, SINK_URL, TABLETS } from './definitions.ts';
import { NO_FAULTS, SimulatedDisk } from './disk.ts';
import { Erasures } from './erasures.ts';
import { fail, isRefusal } from './failures.ts';
import { type Faults, NO_BUGS } from './faults.ts';
import { SimulatedHost } from './host.ts';
import { Life } from './life.ts';
import { checkMessages } from './messages.ts';
import { Model } from './model.ts';
import { SimulatedNetwork } from './network.ts';
import { Sink } from './sink.ts';
import { Workload } from './workload.ts';

const START_MS = Date.UTC(2026, 0, 5, 12);
const SHARDS = 2;
const CLIENTS = 3;
/** Requests in peace take far less, unless one waits in vain. */
const REQUESTS_MS_MAX = 20 * SECOND_MS;
/** A message may wait an hour for its next attempt. */
const QUIET_MS_MAX = 4 * HOUR_MS;
/** Of a log that grows while it is read. */
const READS_MAX = 10;

export interface SimulationReport {
  readonly seed: number;
  readonly crashes: number;
  readonly frames: number;
  readonly splits: number;
  readonly submissions: number;
  readonly deletions: number;
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
  readonly #sink: Sink;
  /** One for each account. */
  readonly #workloads: readonly Workload[];
  readonly #settings: { readonly timezone: string; readonly tablets: number; readonly retentionMs?: number };
  readonly #segmentBytesMax: number;
  readonly #splitting: SplitLimits;
  readonly #lives: Life[] = [];
  #disk: SimulatedDisk;
  /** Probability that the log refuses. */
  #refusal = 0;
  /** Of users who were there, in the whole log. */
  #deletions = 0;

  constructor(seed: number, faults: Faults) {
    this.#seed = seed;
    this.#faults = faults;
    this.#random = new SeededRandom(seed);
    this.#clock = new SimulatedClock(this.#random, START_MS);
    this.#network = new SimulatedNetwork(this.#random, this.#clock);
    this.#sink = new Sink(this.#random);
    this.#network.sink(SINK_URL, (request) => this.#sink.answer(request, [503, 429, 401]));
    this.#network.sink(LEAVING_URL, (request) => this.#sink.answer(request, [503, 410]));
    this.#disk = new SimulatedDisk(this.#random, { clock: this.#clock });
    const accounts = this.#random.chance(0.2) ? ['shop', 'other'] : ['shop'];
    this.#workloads = accounts.map((account) => new Workload(account, this.#random, this.#clock));
    const retention = this.#random.chance(0.2) ? { retentionMs: 30 * MINUTE_MS } : {};
    this.#settings = { timezone: 'UTC', tablets: TABLETS, ...retention };
    this.#segmentBytesMax = this.#random.pick([4096, 16_384, 1 << 20]);
    // So few users a tablet that some split at any moment, down to one user each.
    this.#splitting = {
      usersMax: this.#random.pick([1, 3, 6, 12]),
      tabletsMax: this.#random.pick([4, 16, 64]),
    };
  }

  async run(): Promise<SimulationReport> {
    const crashes = 3 + this.#random.below(3);
    for (let life = 0; life < crashes; life++) await this.#clock.run(this.#liveAndCrash());
    const report = await this.#clock.run(this.#lastLife(crashes));
    this.#throwBugs();
    return report;
  }

  async #liveAndCrash(): Promise<void> {
    this.#disk.faults = {
      shortWrite: this.#random.chance(0.5) ? 0.1 : 0,
      writeError: this.#random.chance(0.2) ? 0.01 : 0,
      syncError: this.#random.chance(0.2) ? 0.02 : 0,
    };
    this.#network.faults = { lostRequest: 0.05, lostResponse: 0.1, slow: 0.1 };
    this.#refusal = this.#random.chance(0.3) ? 0.2 : 0;
    const life = this.#newLife();
    let host: SimulatedHost | undefined;
    const live = async () => {
      host = await this.#start(life);
      await this.#runClients(host);
    };
    // Whichever comes first: the clients are done, something fails, or the seed says now.
    await Promise.race([
      live().catch((error: unknown) => {
        if (!isRefusal(error)) life.fail(error);
      }),
      life.failed,
      this.#clock.sleep(this.#random.fraction() * 1500),
    ]);
    const marks = host === undefined ? [] : marksOf(host.settledTablets);
    life.isOver = true;
    this.#throwBugs();
    this.#disk = this.#random.chance(0.6) ? this.#disk.crash() : this.#disk.kill();
    this.#clock.skewMs += this.#random.chance(0.2) ? this.#random.below(2 * MINUTE_MS) - MINUTE_MS : 0;
    await this.#checkReplay(marks);
  }

  #newLife(): Life {
    const life = new Life();
    this.#lives.push(life);
    return life;
  }

  #throwBugs(): void {
    for (const { bugs } of this.#lives) if (bugs.length > 0) throw bugs[0];
  }

  async #start(life: Life): Promise<SimulatedHost> {
    const host = await SimulatedHost.start({
      clock: this.#clock,
      random: this.#random,
      disk: this.#disk,
      network: this.#network,
      shards: SHARDS,
      faults: this.#faults,
      life,
      segmentBytesMax: this.#segmentBytesMax,
      splitting: this.#splitting,
      refusal: this.#refusal,
    });
    await host.hub.replay();
    host.hub.goLive();
    while (host.apis.some((api) => api.notReady() !== undefined)) await this.#clock.sleep(1);
    for (const { account, operator } of this.#workloads) {
      await this.#makeAccount(host, account);
      await operator.decide(host.apis[0]!);
    }
    return host;
  }

  /** The first life that gets so far makes the account. */
  async #makeAccount({ hub, apis }: SimulatedHost, account: string): Promise<void> {
    if (hub.directory.get(account) === undefined) {
      const atMs = this.#clock.now();
      const value = this.#settings;
      await hub.append([
        accountSection(account, { kind: 'control', atMs, what: 'account', name: account, value }),
      ]);
    }
    while (apis.some(({ shard }) => shard.directory.get(account) === undefined)) await this.#clock.sleep(1);
  }

  async #runClients(host: SimulatedHost): Promise<void> {
    await Promise.all(
      Array.from({ length: CLIENTS }, () => {
        const workload = this.#random.pick(this.#workloads);
        return workload.client(this.#random.pick(host.apis), 4 + this.#random.below(12));
      }),
    );
  }

  async #lastLife(crashes: number): Promise<SimulationReport> {
    this.#network.faults = { lostRequest: 0, lostResponse: 0, slow: 0 };
    this.#refusal = 0;
    this.#sink.heal();
    const life = this.#newLife();
    const live = async () => {
      const host = await this.#answered(this.#start(life));
      return this.#checkAll(host);
    };
    const ended = await Promise.race([live(), life.failed]);
    this.#throwBugs();
    if (ended === undefined) fail('the disk failed in the last life');
    life.isOver = true;
    const frames = await this.#checkReplay(ended);
    const submissions = this.#workloads.reduce((sum, workload) => sum + workload.submissions.length, 0);
    const hash = ended.map((mark) => mark.hash).join('');
    const messages = this.#sink.messages.size;
    const splits = ended.length - TABLETS * this.#workloads.length;
    const deletions = this.#deletions;
    return { seed: this.#seed, crashes, frames, splits, submissions, deletions, messages, hash };
  }

  async #checkAll(host: SimulatedHost): Promise<TabletMark[]> {
    await this.#answered(this.#runClients(host));
    for (const { operator } of this.#workloads) await this.#answered(operator.resume(host.apis[0]!));
    await this.#quiet(host);
    const before = await host.readLog();
    const accounts = this.#workloads.map(({ account }) => account);
    const erasuresBefore = Erasures.read(accounts, before);
    for (const workload of this.#workloads) {
      const erased = erasuresBefore.of(workload.account);
      const model = new Model(workload.account, before, erased.messages);
      const answers = new Answers(workload.account, host, this.#clock, model, erased);
      await this.#answered(answers.checkCountsUnderMerges(workload));
    }
    // Long enough for users to leave segments, and enter some, by time alone.
    await this.#clock.sleep(this.#random.below(20) * MINUTE_MS);
    const log = await this.#quietLog(host);
    const { retentionMs = Number.POSITIVE_INFINITY } = this.#settings;
    const { changes, erasures } = checkVisibility(log, this.#workloads);
    const answers: Answers[] = [];
    for (const workload of this.#workloads) {
      const { account } = workload;
      const erased = erasures.of(account);
      this.#deletions += erased.count;
      const model = new Model(account, log, erased.messages);
      const visibleAfterMs = this.#clock.now() - retentionMs;
      checkSubmissions(host.tablets, log, workload, { visibleAfterMs, erased });
      checkMessages(account, log, changes, model, erased, this.#sink);
      answers.push(new Answers(account, host, this.#clock, model, erased));
    }
    // Takes a while, in which time alone may make more messages.
    for (const account of answers) await account.check();
    const marks = marksOf(host.settledTablets);
    await host.stop();
    return marks;
  }

  #answered<T>(work: Promise<T>): Promise<T> {
    const late = this.#clock.sleep(REQUESTS_MS_MAX).then(() => fail('a request is never answered'));
    return Promise.race([work, late]);
  }

  /** Until every message is done, every merge has arrived, and no tablet is ahead of the clock. */
  async #quiet(host: SimulatedHost): Promise<void> {
    for (let waitedMs = 0; waitedMs < QUIET_MS_MAX; waitedMs += 5 * SECOND_MS) {
      await this.#clock.sleep(5 * SECOND_MS);
      if (this.#isQuiet(host)) return;
    }
    fail('messages and merges do not come to an end');
  }

  #isQuiet(host: SimulatedHost): boolean {
    return host.tablets.every(
      ({ outbox, transfers, clockMs }) =>
        outbox.pendingCount === 0 && transfers.pending().length === 0 && clockMs <= this.#clock.now(),
    );
  }

  /** The whole log of a host that is quiet: while it is read, time alone may send one more message. */
  async #quietLog(host: SimulatedHost): Promise<readonly LogEntry[]> {
    for (let read = 0; read < READS_MAX; read++) {
      await this.#quiet(host);
      const log = await host.readLog();
      const end = log.at(-1)?.position ?? -1;
      if (this.#isQuiet(host) && host.tablets.every(({ position }) => position <= end)) return log;
    }
    fail('the log does not come to an end');
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
      return await checkReplay(log, marks);
    } finally {
      await log.close();
    }
  }
}
