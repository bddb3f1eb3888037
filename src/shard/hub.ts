import { assert } from '../base/assert.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { Fifo } from '../base/fifo.ts';
import { LOG_QUEUE_BYTES_MAX, UNAPPLIED_BYTES_MAX } from '../base/limits.ts';
import type { Log } from '../log/log.ts';
import { bytesOf, decodeSections, encodeSections, type Section } from '../log/sections.ts';
import type { BytesByName } from '../tablet/memory.ts';
import { Directory } from './directory.ts';
import { HostMemory } from './hostMemory.ts';
import type { AppendRequest, AppendResult, Delivery, FromHub, Link, ToHub } from './messages.ts';

/** Everything of this host is in one partition: one log, one order. */
export const HOST_PARTITION = 'host';

/**
 * The hub: the one place that writes the log. Requests become frames; a frame that is durable goes to the shards that
 * own its tablets and is acknowledged to the shard that asked. What one group commit made durable travels in one
 * message a shard.
 */
export class Hub {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #shards: readonly ShardEnd[];
  readonly #directory: Directory;
  readonly #memory: HostMemory;
  /** Appends that wait until the shards have caught up, in order. */
  readonly #held = new Fifo<{ readonly bytes: number; readonly resume: () => void }>();
  #heldBytes = 0;
  #underWay = 0;
  /** On their way to the disk. */
  #underWayBytes = 0;
  #draining = 0;
  #ended = false;
  #drained: () => void = () => {};
  #position = -1;
  #flushing = false;
  #failed: (error: unknown) => void;

  readonly #unappliedBytesMax: number;

  /** `failed` hears of a log that cannot go on: the process must end. `unappliedBytesMax`: less for the simulator. */
  constructor(options: {
    readonly log: Log;
    readonly clock: Clock;
    readonly shards: readonly Link<FromHub, ToHub>[];
    readonly failed: (error: unknown) => void;
    readonly unappliedBytesMax?: number;
  }) {
    this.#unappliedBytesMax = options.unappliedBytesMax ?? UNAPPLIED_BYTES_MAX;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#failed = options.failed;
    this.#directory = new Directory(options.shards.length);
    this.#shards = options.shards.map((link) => ({
      link,
      entries: [],
      results: [],
      bytes: 0,
      unappliedBytes: 0,
    }));
    this.#memory = new HostMemory({
      shards: this.#shards.length,
      own: () => this.#ownMemory(),
      ask: (shard, id) => this.#shards[shard]!.link.post({ kind: 'memoryWanted', id }),
      tell: (shard, id, memory) => this.#shards[shard]!.link.post({ kind: 'memory', id, memory }),
    });
    for (const [index, { link }] of this.#shards.entries())
      link.onMessage((message) => this.#receive(index, message));
  }

  get directory(): Directory {
    return this.#directory;
  }

  /** Reads the log from its beginning into the shards; resolves when they have applied it all. */
  async replay(): Promise<{ readonly frames: number }> {
    let frames = 0;
    for await (const { position, frame } of this.#log.read(HOST_PARTITION, 0)) {
      this.#route(position, decodeSections(frame));
      frames++;
      if (this.#isBehind() || this.#shards.some(({ bytes }) => bytes > REPLAY_BATCH_BYTES)) this.#flush();
      while (this.#isBehind()) await sleep(this.#clock, 1);
    }
    this.#flush();
    while (this.#shards.some(({ unappliedBytes }) => unappliedBytes > 0)) await sleep(this.#clock, 1);
    return { frames };
  }

  /** After a replay: the shards carry out effects and take requests. */
  goLive(): void {
    this.#flush();
    for (const { link } of this.#shards) link.post({ kind: 'live' });
  }

  /** Appends for the host itself (accounts and keys of the configuration). Resolves once durable. */
  async append(sections: readonly Section[]): Promise<void> {
    const position = await this.#log.append(HOST_PARTITION, encodeSections(sections));
    this.#route(position, sections);
    this.#flushSoon();
  }

  /** Tells the shards to refuse new requests with this reason; undefined takes them again. */
  setCondition(notReady: string | undefined): void {
    for (const { link } of this.#shards) link.post({ kind: 'condition', notReady });
  }

  /** Starts no new sends; resolves when none is under way. */
  drain(): Promise<void> {
    for (const { link } of this.#shards) link.post({ kind: 'drain' });
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Resolves when nothing is on its way to the disk. From then on the shards' appends are left unanswered: it ends. */
  async settled(): Promise<void> {
    while (this.#underWay > 0 || this.#flushing) await sleep(this.#clock, 1);
    this.#ended = true;
  }

  #receive(index: number, message: ToHub): void {
    const shard = this.#shards[index]!;
    switch (message.kind) {
      case 'append':
        if (!this.#ended) for (const request of message.requests) void this.#append(index, request);
        return;
      case 'consumed':
        shard.unappliedBytes -= message.bytes;
        assert(shard.unappliedBytes >= 0, 'a shard consumes what it was given');
        this.#resumeHeld();
        return;
      case 'memoryWanted':
        this.#memory.wanted(index, message.id);
        return;
      case 'memoryPart':
        this.#memory.part(message.id, message.memory);
        return;
      case 'drained':
        if (++this.#draining === this.#shards.length) this.#drained();
    }
  }

  /** Frames that are durable and not applied, wherever they are, those that wait for them, and what the log holds. */
  #ownMemory(): BytesByName {
    const frames = this.#shards.reduce((total, { unappliedBytes }) => total + unappliedBytes, 0);
    return { log: this.#log.memoryBytes, frames: frames + this.#heldBytes };
  }

  async #append(index: number, request: AppendRequest): Promise<void> {
    const { token, sections } = request;
    const shard = this.#shards[index]!;
    const bytes = bytesOf(sections);
    this.#underWay++;
    try {
      await this.#room(bytes);
      const result = await this.#commit(index, request, bytes);
      shard.results.push(result);
    } catch (error) {
      if (!(error instanceof MusterError)) {
        this.#failed(error);
        return;
      }
      const retryAfterSeconds = error.retryAfterSeconds;
      shard.results.push({ token, error: { ...error.body, retryAfterSeconds } });
    } finally {
      this.#underWay--;
    }
    this.#flushSoon();
  }

  async #commit(
    index: number,
    { token, sections, tellApplied }: AppendRequest,
    bytes: number,
  ): Promise<AppendResult> {
    try {
      const position = await this.#log.append(HOST_PARTITION, encodeSections(sections));
      const owners = this.#route(position, sections, tellApplied ? { shard: index, token } : undefined);
      return { token, position, owners };
    } finally {
      this.#underWayBytes -= bytes;
      this.#resumeHeld();
    }
  }

  /**
   * Whoever writes faster than the tablets apply waits for them, so that what is durable can be asked for soon.
   * Rejects with MusterError `unavailable` when too much waits already.
   */
  async #room(bytes: number): Promise<void> {
    if (this.#held.length === 0 && !this.#isBehind()) {
      this.#underWayBytes += bytes;
      return;
    }
    if (this.#heldBytes + bytes > LOG_QUEUE_BYTES_MAX)
      throw new MusterError('unavailable', 'the tablets are behind the log', { retryAfterSeconds: 1 });
    this.#heldBytes += bytes;
    await new Promise<void>((resume) => this.#held.push({ bytes, resume }));
  }

  #resumeHeld(): void {
    while (this.#held.length > 0 && !this.#isBehind()) {
      const { bytes, resume } = this.#held.take()!;
      this.#heldBytes -= bytes;
      this.#underWayBytes += bytes;
      resume();
    }
  }

  /** Sorts a durable frame's sections by owner. Gives the number of shards that get some. */
  #route(position: number, sections: readonly Section[], origin?: Delivery['origin']): number {
    assert(position > this.#position, 'frames are routed in the order of the log');
    this.#position = position;
    const perShard = new Map<number, Section[]>();
    for (const section of sections) {
      if (section.tablet === undefined) this.#directory.apply(section);
      for (const [i, owner] of this.#ownersOf(section).entries()) {
        const mine = i === 0 ? section : { ...section, records: section.records.slice() };
        const list = perShard.get(owner);
        if (list === undefined) perShard.set(owner, [mine]);
        else list.push(mine);
      }
    }
    for (const [owner, mine] of perShard) {
      const shard = this.#shards[owner]!;
      const bytes = bytesOf(mine);
      shard.entries.push(
        origin === undefined ? { position, sections: mine } : { position, sections: mine, origin },
      );
      shard.bytes += bytes;
      shard.unappliedBytes += bytes;
    }
    return perShard.size;
  }

  #ownersOf({ account, tablet }: Section): readonly number[] {
    if (tablet === undefined) return [...this.#shards.keys()];
    const entry = this.#directory.get(account);
    assert(entry !== undefined, 'an account is made before anything is written for it');
    return [this.#directory.ownerOf(entry, tablet)];
  }

  #isBehind(): boolean {
    const bytesMax = this.#unappliedBytesMax - this.#underWayBytes;
    return this.#shards.some(({ unappliedBytes }) => unappliedBytes > bytesMax);
  }

  /** After all promises of one group commit have settled. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    void this.#clock.yield().then(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Whoever hears that a request is durable may ask at once: by then every shard is to have got its share. */
  #flush(): void {
    for (const shard of this.#shards) {
      const { link, entries, bytes } = shard;
      if (entries.length > 0) {
        const transfer = entries.flatMap(({ sections }) =>
          sections.map(({ records }) => records.buffer as ArrayBuffer),
        );
        link.post({ kind: 'deliver', entries, bytes }, transfer);
      }
      shard.entries = [];
      shard.bytes = 0;
    }
    for (const shard of this.#shards) {
      if (shard.results.length > 0) shard.link.post({ kind: 'appended', results: shard.results });
      shard.results = [];
    }
  }
}

/** A replay hands on this much at once. */
const REPLAY_BATCH_BYTES = 1 << 20;

interface ShardEnd {
  readonly link: Link<FromHub, ToHub>;
  entries: Delivery[];
  results: AppendResult[];
  /** In `entries`. */
  bytes: number;
  /** Delivered or about to be, and not applied yet. */
  unappliedBytes: number;
}
