import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { QUERY_BYTES_MAX, TICK_MS } from '../base/limits.ts';
import type { Network } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import { touchedArrayBytes } from '../base/spareArrays.ts';
import type { Intent } from '../delivery/outbox.ts';
import { Sender, type SenderSettings } from '../delivery/sender.ts';
import { spareTallyBytes } from '../encoding/kernels/simdTally.ts';
import type { AccountRecord, OutcomeRecord } from '../log/record.ts';
import { encodeRecords, type Section } from '../log/sections.ts';
import { type BlockJob, type BlockResult, sendableSteps } from '../store/blocks/blockJob.ts';
import { runBlockJob } from '../store/blocks/runBlockJob.ts';
import type { EventStoreOptions } from '../store/events.ts';
import { openGroupsBytes } from '../store/texts/textGroup.ts';
import { pendingEffects } from '../tablet/apply.ts';
import type { Effects } from '../tablet/effects.ts';
import type { BytesByName } from '../tablet/memory.ts';
import { isLookUp } from '../tablet/operations.ts';
import { Tablet } from '../tablet/tablet.ts';
import { Admission } from './admission.ts';
import { Answers } from './answers.ts';
import { Appender } from './appender.ts';
import { BlockKeeping, type BlockWriter } from './blockKeeping.ts';
import { Deliveries } from './deliveries.ts';
import { Directory } from './directory.ts';
import type {
  Applied,
  Counts,
  Delivery,
  FromHub,
  Link,
  Peer,
  Question,
  TabletAnswer,
  ToHub,
} from './messages.ts';
import { OwnedTablet, OwnedTablets } from './ownedTablets.ts';
import { Slicer } from './slicer.ts';
import { type SplitLimits, Splitter } from './splitter.ts';
import { Ticker } from './ticker.ts';
import { TransferBringer } from './transferBringer.ts';

export interface ShardOptions {
  readonly index: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly hub: Link<ToHub, FromHub>;
  /** By shard index; this shard's own place is undefined. */
  readonly peers: readonly (Link<Peer, Peer> | undefined)[];
  readonly sending: SenderSettings;
  /** Where blocks are written, from sendable jobs; in steps on this thread unless it is given. */
  readonly writeBlocks?: BlockWriter;
  /** Smaller heads for the simulator. */
  readonly events?: EventStoreOptions;
  /** Smaller tablets for the simulator. */
  readonly splitting?: SplitLimits;
  /** Shorter turns for the simulator. */
  readonly turnBytesMax?: number;
  /** Smaller requests that do not wait for others, for the simulator. */
  readonly largeAppendBytes?: number;
  /** What one query may take on this thread; QUERY_BYTES_MAX unless it is given. */
  readonly queryBytesMax?: number | undefined;
}

/**
 * One shard: owns tablets and does everything for them — applies what the log delivers, answers questions, seals
 * blocks, ticks, sends. Runs on a thread of its own; the simulator runs several in one.
 */
export class Shard {
  readonly index: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly directory: Directory;
  readonly appender: Appender;
  readonly #options: ShardOptions;
  readonly #slicer: Slicer;
  readonly #admission = new Admission();
  readonly #tablets: OwnedTablets;
  readonly #deliveries: Deliveries;
  readonly #answers: Answers;
  readonly #sender: Sender;
  readonly #ticker: Ticker;
  readonly #splitter: Splitter;
  readonly #memoryAsked = new Map<number, (memory: BytesByName) => void>();
  #nextMemoryId = 1;
  #live = false;
  #notReady: string | undefined = 'replaying the log';
  /** For queries that ask for a still picture. */
  #holdUntilMs = 0;
  /** Told what the shard's own requests and questions come to (gather.ts), and what peers announce. */
  onPeer: (message: Peer, from: number) => void = () => {};
  onChanges: (account: string, changes: Effects['changes']) => void = () => {};
  /** What the thread holds that the shard does not know of. */
  threadMemory: () => BytesByName = () => ({});
  /** Hears of what must not happen: the process ends. */
  onFatal: (error: unknown) => void = () => {};

  constructor(options: ShardOptions) {
    this.#options = options;
    this.index = options.index;
    this.clock = options.clock;
    this.random = options.random;
    this.directory = new Directory(options.peers.length);
    this.#slicer = new Slicer(options.clock);
    this.#tablets = new OwnedTablets({
      index: options.index,
      directory: this.directory,
      make: (account, bits) => this.#makeTablet(account, bits),
    });
    this.#deliveries = new Deliveries({
      tablets: this.#tablets,
      directory: this.directory,
      slicer: this.#slicer,
      applied: (owned, effects) => {
        if (this.#live) this.#perform(owned, effects);
      },
      written: ({ tablet }) => {
        if (this.#live) this.#splitter.consider(tablet).catch(this.onFatal);
      },
      failed: (error) => this.onFatal(error),
      turnBytesMax: options.turnBytesMax,
    });
    this.#answers = new Answers({
      tablets: this.#tablets,
      slicer: this.#slicer,
      clock: options.clock,
      queryBytesMax: options.queryBytesMax ?? QUERY_BYTES_MAX,
    });
    this.appender = new Appender(options.hub, options.clock, options.largeAppendBytes);
    this.#sender = new Sender({
      clock: options.clock,
      network: options.network,
      random: options.random,
      settings: options.sending,
    });
    this.#ticker = new Ticker({
      clock: options.clock,
      tablets: () => this.tablets,
      append: (sections) => this.#appendSurely(sections),
    });
    this.#splitter = new Splitter({
      limits: options.splitting,
      clock: options.clock,
      append: (account, split) => this.#appendSurely(() => [accountSection(account, split)]),
      released: () => this.#released(),
    });
    this.#sender.onFatal = (error) => this.onFatal(error);
    options.hub.onMessage((message) => this.#receive(message));
    for (const [from, peer] of options.peers.entries())
      peer?.onMessage((message) => this.onPeer(message, from));
  }

  get shards(): number {
    return this.#options.peers.length;
  }

  get notReady(): string | undefined {
    return this.#notReady;
  }

  get tablets(): readonly Tablet[] {
    return this.#tablets.whole().map(({ tablet }) => tablet);
  }

  /** Those with no frame half applied. */
  get settledTablets(): readonly Tablet[] {
    const settled = this.#tablets.whole().filter(({ turns }) => !turns.isWriting);
    return settled.map(({ tablet }) => tablet);
  }

  /** Pieces of work that this thread has begun or has yet to begin, in steps. */
  get workUnderWay(): number {
    return this.#slicer.waiting;
  }

  postPeer(shard: number, message: Peer): void {
    const link = this.#options.peers[shard];
    assert(link !== undefined, 'a shard does not post to itself');
    link.post(message);
  }

  /** What the host's threads hold besides tablets, by part. */
  hostMemory(): Promise<BytesByName> {
    const id = this.#nextMemoryId++;
    this.#options.hub.post({ kind: 'memoryWanted', id });
    return new Promise((resolve) => this.#memoryAsked.set(id, resolve));
  }

  /**
   * Runs a question on this shard's tablets. Rejects with the signal's reason, with `too_large` when it takes too much
   * memory, and with `rate_limited` when too many wait.
   */
  answer(question: Question, signal: AbortSignal): Promise<TabletAnswer[]> {
    const { account, operation, holdMs } = question;
    // Whoever knows that something is durable may ask: what the hub had sent by then comes before the question.
    this.#options.hub.drain();
    if (holdMs !== undefined) this.#holdUntilMs = Math.max(this.#holdUntilMs, this.clock.now() + holdMs);
    if (isLookUp(operation)) return this.#answers.answer(question, signal);
    return this.#admission.run(account, signal, () => this.#answers.answer(question, signal));
  }

  /** Does work of this thread's own in small steps, between those of all others. Rejects as they throw. */
  work<T>(
    steps: Generator<void, T>,
    options: { readonly account: string; readonly signal: AbortSignal },
  ): Promise<T> {
    return this.#slicer.run(steps, options);
  }

  #receive(message: FromHub): void {
    switch (message.kind) {
      case 'deliver':
        this.#deliver(message.entries, message.bytes).catch(this.onFatal);
        return;
      case 'appended':
        this.appender.settle(message.results);
        return;
      case 'live':
        this.#live = true;
        this.#notReady = undefined;
        for (const owned of this.#tablets.whole()) this.#perform(owned, pendingEffects(owned.tablet));
        this.#ticker.start((error) => this.onFatal(error));
        return;
      case 'condition':
        this.#notReady = message.notReady;
        return;
      case 'memoryWanted': {
        const spares = touchedArrayBytes() + spareTallyBytes();
        const memory = { texts: openGroupsBytes(), spares, ...this.threadMemory() };
        this.#options.hub.post({ kind: 'memoryPart', id: message.id, memory });
        return;
      }
      case 'memory':
        this.#memoryAsked.get(message.id)?.(message.memory);
        this.#memoryAsked.delete(message.id);
        return;
      case 'drain':
        void this.#sender.stop().then(() => this.#options.hub.post({ kind: 'drained' }));
    }
  }

  /** Applies what one group commit made durable, and tells those who wait for it. */
  async #deliver(entries: readonly Delivery[], bytes: number): Promise<void> {
    this.#tellApplied(entries, await this.#deliveries.apply(entries));
    this.#options.hub.post({ kind: 'consumed', bytes });
  }

  #tellApplied(entries: readonly Delivery[], counts: readonly Counts[]): void {
    const tellings = new Map<number, Applied[]>();
    for (const [i, { origin }] of entries.entries()) {
      if (origin === undefined) continue;
      const applied = { token: origin.token, counts: counts[i]! };
      const others = tellings.get(origin.shard);
      if (others === undefined) tellings.set(origin.shard, [applied]);
      else others.push(applied);
    }
    for (const [shard, applied] of tellings) {
      if (shard === this.index) this.appender.applied(applied);
      else this.postPeer(shard, { kind: 'applied', applied });
    }
  }

  #makeTablet(account: string, bits: string): OwnedTablet {
    const tablet = new Tablet(account, bits, this.#options.events);
    const bringer = new TransferBringer({
      tablet,
      append: (sections) => this.#appendSurely(sections),
      released: () => this.#released(),
    });
    const blocks = new BlockKeeping({
      tablet,
      clock: this.clock,
      slicer: this.#slicer,
      write: (job) => this.#writeBlocks(job),
      ifUnread: (work) =>
        owned.turns.write(async () => {
          if (!owned.snapshots.isAnyOpen) await work();
        }),
      failed: (error) => this.onFatal(error),
    });
    const owned = new OwnedTablet({ tablet, bringer, blocks });
    return owned;
  }

  async #writeBlocks(job: BlockJob): Promise<BlockResult> {
    const { writeBlocks } = this.#options;
    const isWrite = true;
    if (writeBlocks === undefined) return this.#slicer.run(runBlockJob(job), { isWrite });
    return writeBlocks(await this.#slicer.run(sendableSteps(job), { isWrite }));
  }

  #perform({ tablet, bringer }: OwnedTablet, { transfers, sends, changes }: Effects): void {
    if (transfers.length > 0) bringer.run().catch(this.onFatal);
    for (const intent of sends) this.#send(tablet.account.name, intent);
    if (changes.length > 0) this.onChanges(tablet.account.name, changes);
  }

  #send(account: string, intent: Intent): void {
    this.#sender.offer(intent, {
      account,
      read: (steps) => this.#readHome(account, intent, steps),
      record: (outcome, suppression) => this.#recordOutcome(account, outcome, suppression),
    });
  }

  /** Reads the tablet that has the message. A split that comes first may have changed the message's user id. */
  async #readHome<T>(
    account: string,
    intent: Intent,
    steps: (tablet: Tablet) => Generator<void, T>,
  ): Promise<T> {
    for (;;) {
      const owned = this.#tablets.homeOf(account, intent.user.id);
      const read = await owned.turns.read(async () =>
        owned.isSplit ? undefined : { value: await this.#slicer.run(steps(owned.tablet), { isWrite: true }) },
      );
      if (read !== undefined) return read.value;
    }
  }

  async #recordOutcome(
    account: string,
    outcome: OutcomeRecord,
    suppression: string | undefined,
  ): Promise<void> {
    const { atMs, messageId, user } = outcome;
    const home = () => this.#tablets.homeOf(account, user.id).tablet;
    await this.#appendSurely(() => [
      ...(suppression === undefined
        ? []
        : [
            accountSection(account, {
              kind: 'control',
              atMs,
              what: 'suppression',
              name: suppression,
              value: { atMs, messageId },
            }),
          ]),
      { account, tablet: home().bits, records: encodeRecords([outcome]) },
    ]);
  }

  /** Resolves when no query asks for a still picture. */
  async #released(): Promise<void> {
    for (;;) {
      const ms = this.#holdUntilMs - this.clock.now();
      if (ms <= 0) return;
      await new Promise<void>((resolve) => this.clock.schedule(ms, resolve));
    }
  }

  /** For what must get into the log: waits while it is refused (disk full, behind) and tries again. */
  async #appendSurely(sections: () => readonly Section[]): Promise<void> {
    for (;;) {
      try {
        await this.appender.append(sections());
        return;
      } catch (error) {
        if (!(error instanceof MusterError)) throw error;
        await new Promise<void>((resolve) => this.clock.schedule(TICK_MS, resolve));
      }
    }
  }
}

/** A section for every tablet of the account. */
export function accountSection(account: string, ...records: AccountRecord[]): Section {
  return { account, tablet: undefined, records: encodeRecords(records) };
}
