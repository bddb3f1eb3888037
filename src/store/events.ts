import { assert } from '../base/assert.ts';
import {
  BLOCK_ROWS_MAX,
  CHUNK_ROWS,
  CHUNK_ROWS_MAX,
  HEAD_ROWS_MAX,
  HEAD_ROWS_QUIET_MIN,
  HEADS_WAITING_MAX,
  WINDOW_ROWS_MAX,
} from '../base/limits.ts';
import type { Value } from '../base/value.ts';
import { Block } from './blocks/block.ts';
import type { BlockJob, BlockResult } from './blocks/blockJob.ts';
import { resolveSteps } from './blocks/resolve.ts';
import { runBlockJob } from './blocks/runBlockJob.ts';
import {
  type Compaction,
  type CompactionOptions,
  coarsestFor,
  type PlannedWindow,
  type SeenUsers,
  WindowedBlocks,
} from './blocks/windowedBlocks.ts';
import { Head } from './head.ts';
import type { Part } from './part.ts';
import { NO_CODE, TextDictionary } from './texts/dictionary.ts';
import type { EventsView } from './view.ts';

export interface EventStoreOptions {
  /** Smaller ones for tests: how rows are cut never changes an answer. */
  readonly headRowsMax?: number;
  readonly chunkRows?: number;
  readonly windowRowsMax?: number;
}

/** Blocks from here on have larger chunks: fewer objects, and narrow codes of few rows matter less. */
const LARGE_BLOCK_ROWS = 1 << 20;

/** What a store has to write, as bytes alone: to be run anywhere, and brought back with its result. */
export interface StoreJob {
  readonly job: BlockJob;
  readonly work: { readonly head: Head; readonly windows: readonly PlannedWindow[] } | Compaction;
  /** Users of whom the result has no row, since they had left, and merges that it knows. */
  readonly seen: SeenUsers;
}

export interface StoreJobOptions extends Omit<CompactionOptions, 'coarsest'> {
  readonly retentionMs: number | undefined;
  /** A bit per ordinal of a user who has left. */
  goneOrdinals(): Uint32Array;
  /** As in CompactJob. */
  merges(): readonly Uint32Array[];
}

const NOBODY_LEFT: StoreJobOptions = {
  quiet: false,
  gone: 0,
  merged: 0,
  users: 0,
  retentionMs: undefined,
  goneOrdinals: () => new Uint32Array(0),
  merges: () => [],
};

/**
 * A tablet's events: blocks by window, heads that are full and wait to be sealed, and the head. Sealing and compaction
 * change no answer: rows stay visible throughout and change places in one step.
 */
export class EventStore implements EventsView {
  readonly #options: Required<EventStoreOptions>;
  #dictionary = new TextDictionary();
  #windows: WindowedBlocks;
  /** The oldest first. */
  #frozen: readonly WaitingHead[] = [];
  #head: Head;
  /** Users who have left, and those of them who had when the head began: it has no row of theirs. */
  #gone = 0;
  #goneBeforeHead = 0;
  #rowCount = 0;
  /** The dictionary was found full. */
  #ownTextsOnly = false;

  constructor({
    headRowsMax = HEAD_ROWS_MAX,
    chunkRows = CHUNK_ROWS,
    windowRowsMax = WINDOW_ROWS_MAX,
  }: EventStoreOptions = {}) {
    assert(headRowsMax <= BLOCK_ROWS_MAX, 'a head fits a block');
    this.#windows = new WindowedBlocks(windowRowsMax);
    this.#options = { headRowsMax, chunkRows, windowRowsMax };
    this.#head = new Head(headRowsMax);
  }

  /** Physically here: rows of users who have left count until they are compacted away. */
  get rowCount(): number {
    return this.#rowCount;
  }

  get headRowCount(): number {
    return this.#head.rowCount;
  }

  /** As many full heads wait as may: no row is to be appended before a job has been done. */
  get isBehind(): boolean {
    return this.#frozen.length >= HEADS_WAITING_MAX;
  }

  /** How often a row was written again, on average. */
  get rewrites(): number {
    return this.#windows.rewrites;
  }

  /** Properties in any order, each code once. */
  append(
    ordinal: number,
    eventCode: number,
    timeMs: number,
    properties: readonly (readonly [number, Value])[],
  ): void {
    this.#head.append(ordinal, eventCode, timeMs, properties);
    this.#rowCount++;
    if (this.#head.isFull) this.freeze();
  }

  /** The head's rows wait to be sealed from now on, however few they are. */
  freeze(): void {
    if (this.#head.rowCount === 0) return;
    this.#frozen = [...this.#frozen, { head: this.#head, gone: this.#goneBeforeHead }];
    this.#head = new Head(this.#options.headRowsMax);
    this.#goneBeforeHead = this.#gone;
  }

  /** So many have by now; no row of theirs is appended any more. */
  usersLeft(gone: number): void {
    this.#gone = gone;
    if (this.#head.rowCount === 0) this.#goneBeforeHead = gone;
  }

  /** For a tablet that is quiet: freezes the head unless it has so few rows that they are better kept where they are. */
  freezeIfWorth(): void {
    if (this.#head.rowCount >= HEAD_ROWS_QUIET_MIN) this.freeze();
  }

  parts(): readonly Part[] {
    return [...this.#windows.blocks(), ...headsOf(this.#frozen), this.#head];
  }

  /** The rows of this moment: what is done to the store from now on changes nothing of it. */
  snapshot(): EventsView {
    const parts = [...this.#windows.blocks(), ...headsOf(this.#frozen), this.#head.snapshot()];
    return { parts: () => parts, rowCount: this.#rowCount };
  }

  /**
   * The next thing to write: a head, else what compaction asks for; undefined when there is nothing. One at a time:
   * whoever takes it runs it (blockJob.ts) and brings the result to `adoptSteps`. A job that is dropped changes nothing.
   */
  nextJob(options: StoreJobOptions): StoreJob | undefined {
    const coarsest = coarsestFor(options.retentionMs);
    const shared = new Set(this.#windows.blocks().flatMap((block) => block.sharedProperties));
    const common = {
      chunkRows: this.#options.chunkRows,
      ownTextsOnly: this.#ownTextsOnly,
      sharedProperties: [...shared],
    };
    const { gone, merged } = options;
    const waiting = this.#frozen[0];
    if (waiting !== undefined) {
      // A seal leaves no row out.
      const { head, gone } = waiting;
      const rows = head.rows();
      const windows = this.#windows.windowsFor(rows.times.subarray(0, rows.rowCount), coarsest);
      const job: BlockJob = { kind: 'seal', ...common, boundariesMs: boundariesOf(windows), head: rows };
      return { job, work: { head, windows }, seen: { gone, merged } };
    }
    const compaction = this.#windows.next({ ...options, coarsest });
    if (compaction === undefined) return undefined;
    const rowCount = rowsOf(compaction.sources.map(({ block }) => block));
    const job: BlockJob = {
      kind: 'compact',
      ...common,
      chunkRows: rowCount < LARGE_BLOCK_ROWS ? common.chunkRows : CHUNK_ROWS_MAX,
      boundariesMs: boundariesOf(compaction.windows),
      blocks: compaction.sources.map(({ block }) => block.bytes),
      goneOrdinals: gone === 0 ? new Uint32Array(0) : options.goneOrdinals(),
      merges: merged === 0 ? [] : options.merges(),
    };
    return { job, work: compaction, seen: { gone, merged } };
  }

  /**
   * Puts the blocks that a job made in the place of what they were made of, in the last step. Without effect where that
   * is not there any more. Gives the head that is done with, if so: to be released when no read is under way that began
   * before.
   */
  *adoptSteps({ work, seen }: StoreJob, result: BlockResult): Generator<void, Head | undefined> {
    const dictionary = this.#dictionary;
    const codes = yield* dictionary.addSteps(result.sharedTexts);
    if (codes.includes(NO_CODE)) {
      // The same work comes up again, as a job that shares no texts.
      this.#ownTextsOnly = true;
      return undefined;
    }
    const blocks: Block[] = [];
    for (const unresolved of result.blocks) {
      yield* resolveSteps(unresolved, codes);
      blocks.push(
        yield* Block.openSteps(unresolved.bytes, dictionary, 'a block in memory', { trusted: true }),
      );
    }
    if ('head' in work) {
      if (this.#frozen[0]?.head !== work.head) return undefined;
      this.#frozen = this.#frozen.slice(1);
      this.#windows.add(blocks, work.windows, seen);
      return work.head.isShared ? undefined : work.head;
    }
    if (this.#windows.replace(work, blocks, seen)) {
      this.#rowCount += rowsOf(blocks) - rowsOf(work.sources.map(({ block }) => block));
    }
    return undefined;
  }

  /** Makes, runs and adopts the next job; true when there was one. For where no other thread runs them. */
  *writeSteps(options: StoreJobOptions = NOBODY_LEFT): Generator<void, boolean> {
    const job = this.nextJob(options);
    if (job === undefined) return false;
    yield* this.adoptSteps(job, yield* runBlockJob(job.job));
    return true;
  }

  /** Drops the windows that end at or before this time; returns the number of rows dropped. */
  dropBefore(timeMs: number): number {
    const dropped = this.#windows.dropBefore(timeMs);
    this.#rowCount -= dropped;
    return dropped;
  }

  /** A store of its own with the same rows, as cheap as it gets: what is immutable is shared. Freezes the head. */
  fork(): EventStore {
    this.freeze();
    const fork = new EventStore(this.#options);
    fork.#dictionary = this.#dictionary.fork();
    fork.#windows = this.#windows.fork();
    for (const { head } of this.#frozen) head.share();
    fork.#frozen = this.#frozen;
    fork.#rowCount = this.#rowCount;
    fork.#ownTextsOnly = this.#ownTextsOnly;
    return fork;
  }

  /** Bytes, by part; `head` counts those waiting to be sealed. */
  memory(): { readonly head: number; readonly blocks: number; readonly dictionary: number } {
    const bytesOf = (parts: readonly { readonly memoryBytes: number }[]) =>
      parts.reduce((total, { memoryBytes }) => total + memoryBytes, 0);
    return {
      head: bytesOf([...headsOf(this.#frozen), this.#head]),
      blocks: bytesOf(this.#windows.blocks()),
      dictionary: this.#dictionary.memoryBytes,
    };
  }
}

/** A full head, and how many users had left when it began. */
interface WaitingHead {
  readonly head: Head;
  readonly gone: number;
}

function headsOf(waiting: readonly WaitingHead[]): Head[] {
  return waiting.map(({ head }) => head);
}

/** Ascending: where each window begins and where it ends. What lies between two windows has no rows. */
function boundariesOf(windows: readonly PlannedWindow[]): number[] {
  return [...new Set(windows.flatMap(({ window }) => [window.startMs, window.endMs]))];
}

function rowsOf(blocks: readonly Block[]): number {
  return blocks.reduce((total, { rowCount }) => total + rowCount, 0);
}
