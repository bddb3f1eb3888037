import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { TICK_MS } from '../base/limits.ts';
import type { Network } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import type { Intent } from '../delivery/outbox.ts';
import { Sender, type SenderSettings } from '../delivery/sender.ts';
import type { AccountRecord, LogRecord, OutcomeRecord } from '../log/record.ts';
import { decodeRecords, encodeRecords, type Section } from '../log/sections.ts';
import type { EventStoreOptions } from '../store/events.ts';
import { runBlockJob } from '../store/runBlockJob.ts';
import { applyRecords, pendingEffects } from '../tablet/apply.ts';
import type { Effects } from '../tablet/effects.ts';
import { runOperation } from '../tablet/operations.ts';
import { Tablet } from '../tablet/tablet.ts';
import { Appender } from './appender.ts';
import { BlockKeeping, type BlockWriter } from './blockKeeping.ts';
import { type AccountEntry, Directory } from './directory.ts';
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
import { Slicer } from './slicer.ts';
import { Ticker } from './ticker.ts';
import { TransferBringer } from './transferBringer.ts';
import { Turns } from './turns.ts';

export interface ShardOptions {
  readonly index: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly hub: Link<ToHub, FromHub>;
  /** By shard index; this shard's own place is undefined. */
  readonly peers: readonly (Link<Peer, Peer> | undefined)[];
  readonly sending: SenderSettings;
  /** Where blocks are written; in steps on this thread unless it is given. */
  readonly writeBlocks?: BlockWriter;
  /** Smaller heads for the simulator. */
  readonly events?: EventStoreOptions;
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
  readonly #tablets = new Map<string, OwnedTablet>();
  readonly #sender: Sender;
  readonly #ticker: Ticker;
  #live = false;
  #notReady: string | undefined = 'replaying the log';
  #holdTransfersUntilMs = 0;
  /** Told what the shard's own requests and questions come to (gather.ts), and what peers announce. */
  onPeer: (message: Peer, from: number) => void = () => {};
  onChanges: (account: string, changes: Effects['changes']) => void = () => {};
  /** Hears of what must not happen: the process ends. */
  onFatal: (error: unknown) => void = () => {};

  constructor(options: ShardOptions) {
    this.#options = options;
    this.index = options.index;
    this.clock = options.clock;
    this.random = options.random;
    this.directory = new Directory(options.peers.length);
    this.#slicer = new Slicer(options.clock);
    this.appender = new Appender(options.hub, options.clock);
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
    return [...this.#tablets.values()].map(({ tablet }) => tablet);
  }

  /** Those with no frame half applied. */
  get settledTablets(): readonly Tablet[] {
    return [...this.#tablets.values()].filter(({ turns }) => !turns.isWriting).map(({ tablet }) => tablet);
  }

  postPeer(shard: number, message: Peer): void {
    const link = this.#options.peers[shard];
    assert(link !== undefined, 'a shard does not post to itself');
    link.post(message);
  }

  /** Runs a question on this shard's tablets. */
  async answer(
    { account, tablet, operation, args, holdTransfersMs }: Question,
    signal: AbortSignal,
  ): Promise<TabletAnswer[]> {
    if (holdTransfersMs !== undefined) {
      const untilMs = this.clock.now() + holdTransfersMs;
      this.#holdTransfersUntilMs = Math.max(this.#holdTransfersUntilMs, untilMs);
    }
    const asked = [...this.#tablets.values()].filter(
      (owned) =>
        owned.tablet.account.name === account && (tablet === undefined || owned.tablet.bits === tablet),
    );
    return Promise.all(
      asked.map(({ tablet, turns }) =>
        turns.read(async () => ({
          tablet: tablet.bits,
          part: await this.#slicer.run(runOperation(tablet, operation, args), signal),
          epochs: tablet.transfers.epochs(),
        })),
      ),
    );
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
        for (const owned of this.#tablets.values()) this.#perform(owned, pendingEffects(owned.tablet));
        this.#ticker.start((error) => this.onFatal(error));
        return;
      case 'condition':
        this.#notReady = message.notReady;
        return;
      case 'drain':
        void this.#sender.stop().then(() => this.#options.hub.post({ kind: 'drained' }));
    }
  }

  /** Applies what one group commit made durable, each tablet its share in one turn, and tells those who wait for it. */
  async #deliver(entries: readonly Delivery[], bytes: number): Promise<void> {
    const counts = entries.map(() => ({ accepted: 0, duplicate: 0, rejected: 0 }));
    const shares = new Map<OwnedTablet, FrameShare[]>();
    for (const [i, { position, sections }] of entries.entries()) {
      for (const section of sections) {
        for (const [owned, records] of this.#recordsOf(section)) {
          const share = { position, records, counts: counts[i]! };
          const others = shares.get(owned);
          if (others === undefined) shares.set(owned, [share]);
          else others.push(share);
        }
      }
    }
    await Promise.all([...shares].map(([owned, share]) => this.#write(owned, share)));
    this.#tellApplied(entries, counts);
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

  /** The tablets here that a section is for, each with its records; account decisions reach the directory at once. */
  #recordsOf(section: Section): (readonly [OwnedTablet, () => readonly LogRecord[]])[] {
    if (section.tablet !== undefined) {
      const owned = this.#tablets.get(tabletKey(section.account, section.tablet));
      assert(owned !== undefined, 'a section is delivered to the owner of its tablet');
      return [[owned, () => decodeRecords(section.records)]];
    }
    const records = this.directory.apply(section);
    const entry = this.directory.get(section.account);
    assert(entry !== undefined, 'an account section makes its account known');
    this.#ensureTablets(entry);
    return [...this.#tablets.values()]
      .filter(({ tablet }) => tablet.account.name === section.account)
      .map((owned) => [owned, () => records]);
  }

  /** Tablets are made when the account's first settings arrive: before that nobody can know how many. */
  #ensureTablets(entry: AccountEntry): void {
    for (const bits of entry.tree.leaves) {
      const key = tabletKey(entry.state.name, bits);
      if (this.#tablets.has(key) || this.directory.ownerOf(entry, bits) !== this.index) continue;
      const tablet = new Tablet(entry.state.name, bits, this.#options.events);
      const bringer = new TransferBringer({
        tablet,
        clock: this.clock,
        append: (sections) => this.#appendSurely(sections),
        heldUntilMs: () => this.#holdTransfersUntilMs,
      });
      const blocks = new BlockKeeping({
        tablet,
        clock: this.clock,
        slicer: this.#slicer,
        write: this.#options.writeBlocks ?? ((job) => this.#slicer.run(runBlockJob(job))),
        failed: (error) => this.onFatal(error),
      });
      this.#tablets.set(key, { tablet, turns: new Turns(), bringer, blocks });
    }
  }

  async #write(owned: OwnedTablet, shares: readonly FrameShare[]): Promise<void> {
    await owned.blocks.room();
    await owned.turns.write(() => this.#slicer.run(this.#applyShares(owned, shares)));
    owned.blocks.appended();
  }

  *#applyShares(owned: OwnedTablet, shares: readonly FrameShare[]): Generator<void> {
    for (const { position, records, counts } of shares) {
      const effects = yield* applyRecords(owned.tablet, records(), position);
      counts.accepted += effects.accepted;
      counts.duplicate += effects.duplicate;
      counts.rejected += effects.rejected;
      if (this.#live) this.#perform(owned, effects);
      yield;
    }
  }

  #perform(owned: OwnedTablet, { transfers, sends, changes }: Effects): void {
    const { tablet } = owned;
    if (transfers.length > 0) owned.bringer.run().catch(this.onFatal);
    for (const intent of sends) this.#send(owned, intent);
    if (changes.length > 0) this.onChanges(tablet.account.name, changes);
  }

  #send(owned: OwnedTablet, intent: Intent): void {
    const { tablet } = owned;
    this.#sender.offer(intent, {
      account: tablet.account.name,
      read: (steps) => owned.turns.read(() => this.#slicer.run(steps(tablet))),
      record: (outcome, suppression) => this.#recordOutcome(tablet, outcome, suppression),
    });
  }

  async #recordOutcome(
    tablet: Tablet,
    outcome: OutcomeRecord,
    suppression: string | undefined,
  ): Promise<void> {
    const account = tablet.account.name;
    const { atMs, messageId } = outcome;
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
      { account, tablet: tablet.bits, records: encodeRecords([outcome]) },
    ]);
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

/** What one frame has for one tablet. */
interface FrameShare {
  readonly position: number;
  /** Decoded when their turn has come. */
  readonly records: () => readonly LogRecord[];
  /** Of the whole frame, added up over its tablets. */
  readonly counts: { accepted: number; duplicate: number; rejected: number };
}

interface OwnedTablet {
  readonly tablet: Tablet;
  readonly turns: Turns;
  readonly bringer: TransferBringer;
  readonly blocks: BlockKeeping;
}

/** A section for every tablet of the account. */
export function accountSection(account: string, ...records: AccountRecord[]): Section {
  return { account, tablet: undefined, records: encodeRecords(records) };
}

function tabletKey(account: string, bits: string): string {
  return `${account}/${bits}`;
}
