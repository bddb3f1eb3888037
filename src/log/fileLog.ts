import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { type Disk, writeAll } from '../base/disk.ts';
import { DamageError, MusterError } from '../base/errors.ts';
import {
  DISK_CHECK_MS,
  DISK_FREE_BYTES_MIN,
  FRAME_BYTES_MAX,
  LOG_BATCH_BYTES_MAX,
  LOG_QUEUE_BYTES_MAX,
  LOG_SEGMENT_BYTES_MAX,
} from '../base/limits.ts';
import type { Random } from '../base/random.ts';
import { encodeFrame, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './frame.ts';
import { type Log, type LogEntry, LogFailedError } from './log.ts';
import { type RecoveredLog, recoverLog } from './recovery.ts';
import { type ActiveSegment, createSegment, SegmentReader, segmentPath } from './segment.ts';
import { writeSyncedMark } from './syncedMark.ts';

const QUEUE_FULL_RETRY_SECONDS = 1;
const OUT_OF_DISK_RETRY_SECONDS = 30;

export interface FileLogOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  /** Created when missing; nothing else may be in it. */
  readonly directory: string;
  /** The one partition there is; 'host' when not given. */
  readonly partition?: string;
  readonly limits?: Partial<FileLogLimits>;
  /** Deliberate bugs, by which the simulator proves that it would find them. */
  readonly faults?: { readonly acknowledgeBeforeSync?: boolean; readonly ignoreShortWrites?: boolean };
}

export interface FileLogLimits {
  readonly segmentBytesMax: number;
  readonly queueBytesMax: number;
  readonly batchBytesMax: number;
  readonly diskFreeBytesMin: number;
}

const DEFAULT_LIMITS: FileLogLimits = {
  segmentBytesMax: LOG_SEGMENT_BYTES_MAX,
  queueBytesMax: LOG_QUEUE_BYTES_MAX,
  batchBytesMax: LOG_BATCH_BYTES_MAX,
  diskFreeBytesMin: DISK_FREE_BYTES_MIN,
};

interface Waiting {
  readonly position: number;
  readonly payload: Uint8Array;
  readonly resolve: (position: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The embedded log: segment files (frame.ts) in one directory, one partition for the host. Frames that arrive while
 * the disk is busy go together into the next write and sync. The caller holds the data directory's lock.
 */
export class FileLog implements Log {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #directory: string;
  readonly #partition: string;
  readonly #limits: FileLogLimits;
  readonly #faults: NonNullable<FileLogOptions['faults']>;

  /** First positions, ascending; the last is the active segment's. */
  readonly #segments: number[];
  #active: ActiveSegment;
  /** Frames below this are durable. */
  #durableEnd: number;
  #end: number;

  /** In order of position; those being written stay at its head until they are durable. */
  readonly #queue: Waiting[] = [];
  #queueBytes = 0;
  #buffer = new Uint8Array(0);
  #committing: Promise<void> | undefined;

  #freeBytes = Number.POSITIVE_INFINITY;
  #cancelDiskCheck: () => void = () => undefined;
  #failure: LogFailedError | undefined;
  #isClosed = false;

  private constructor(options: FileLogOptions, recovered: RecoveredLog) {
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#directory = options.directory;
    this.#partition = options.partition ?? 'host';
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#faults = options.faults ?? {};
    this.#segments = recovered.segments;
    this.#active = recovered.active;
    this.#durableEnd = recovered.end;
    this.#end = recovered.end;
  }

  /** Recovers what is there, or begins a new log at position 0. Throws DamageError, having changed nothing. */
  static async open(options: FileLogOptions): Promise<FileLog> {
    const log = new FileLog(options, await recoverLog(options.disk, options.random, options.directory));
    try {
      await log.#checkDisk();
    } catch (error) {
      await log.#active.file.close();
      throw error;
    }
    return log;
  }

  /** While true, appends are refused. Known afresh every DISK_CHECK_MS, so it turns false by itself. */
  get outOfDisk(): boolean {
    return this.#freeBytes < this.#limits.diskFreeBytesMin;
  }

  get memoryBytes(): number {
    return this.#queueBytes + this.#buffer.length;
  }

  async append(partition: string, payload: Uint8Array): Promise<number> {
    assert(partition === this.#partition, 'the file log has one partition');
    assert(payload.length <= FRAME_BYTES_MAX, 'the payload fits a frame');
    assert(!this.#isClosed, 'a closed log is not appended to');
    if (this.#failure !== undefined) throw this.#failure;
    if (this.outOfDisk) throw unavailable('out of disk', OUT_OF_DISK_RETRY_SECONDS);
    const frameBytes = FRAME_HEADER_BYTES + payload.length;
    if (this.#queueBytes + frameBytes > this.#limits.queueBytesMax) {
      throw unavailable('the disk does not keep up', QUEUE_FULL_RETRY_SECONDS);
    }
    this.#queueBytes += frameBytes;
    const position = this.#end++;
    return new Promise((resolve, reject) => {
      this.#queue.push({ position, payload, resolve, reject });
      this.#committing ??= this.#commitQueue();
    });
  }

  read(partition: string, from: number): AsyncIterable<LogEntry> {
    assert(partition === this.#partition, 'the file log has one partition');
    assert(from <= this.#durableEnd, 'reading begins at or before the end');
    const durable = { end: this.#durableEnd, bytes: this.#active.bytes };
    return this.#readSegments(from, [...this.#segments], durable);
  }

  end(partition: string): number {
    assert(partition === this.#partition, 'the file log has one partition');
    return this.#end;
  }

  /** Once everything appended is durable, or refused. */
  async close(): Promise<void> {
    assert(!this.#isClosed, 'a log is closed once');
    this.#isClosed = true;
    this.#cancelDiskCheck();
    await this.#committing;
    try {
      if (this.#failure === undefined) await writeSyncedMark(this.#disk, this.#directory, this.#active);
    } finally {
      await this.#active.file.close();
    }
  }

  /** `durable`: where the log ends, and how many bytes of the last segment that is. */
  async *#readSegments(
    from: number,
    segments: readonly number[],
    durable: { end: number; bytes: number },
  ): AsyncGenerator<LogEntry> {
    if (from === durable.end) return;
    const first = segments.findLastIndex((firstPosition) => firstPosition <= from);
    if (first === -1) {
      const file = segmentPath(this.#directory, from);
      throw new DamageError({ file, offset: 0, expected: `position ${from}`, found: 'no such segment' });
    }
    for (let i = first; i < segments.length; i++) {
      const path = segmentPath(this.#directory, segments[i]!);
      const isLast = i === segments.length - 1;
      const bytes = isLast ? durable.bytes : await this.#disk.size(path);
      const reader = await SegmentReader.open(this.#disk, this.#directory, segments[i]!, bytes);
      for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
        if (entry.position >= from) yield entry;
      }
      const end = isLast ? durable.end : segments[i + 1]!;
      if (reader.position !== end) {
        throw reader.damage(`the segment's end at position ${end}`, `position ${reader.position}`);
      }
    }
  }

  /** Runs until no frame waits. Never rejects. */
  async #commitQueue(): Promise<void> {
    try {
      for (;;) {
        // Whoever was just answered, and whatever else is ready, may append first: the more share one sync.
        await this.#clock.yield();
        if (this.#queue.length === 0) break;
        await this.#commitBatch();
      }
    } catch (error) {
      this.#fail(await this.#cutBack(error));
    }
    this.#committing = undefined;
  }

  async #commitBatch(): Promise<void> {
    if (this.#isSegmentFull()) await this.#beginSegment();
    const batch = this.#nextBatch();
    const bytes = this.#encode(batch);
    if (this.#faults.ignoreShortWrites) await this.#active.file.write(bytes);
    else await writeAll(this.#active.file, bytes);
    if (this.#faults.acknowledgeBeforeSync) acknowledge(batch);
    await this.#active.file.sync();

    this.#active.bytes += bytes.length;
    this.#durableEnd += batch.length;
    this.#queueBytes -= bytes.length;
    this.#freeBytes -= bytes.length;
    this.#queue.splice(0, batch.length);
    acknowledge(batch);
  }

  /** Whether the next frame has to go into a new segment; an empty one takes any. */
  #isSegmentFull(): boolean {
    const { bytes } = this.#active;
    const frameBytes = FRAME_HEADER_BYTES + this.#queue[0]!.payload.length;
    return bytes > SEGMENT_HEADER_BYTES && bytes + frameBytes > this.#limits.segmentBytesMax;
  }

  async #beginSegment(): Promise<void> {
    const full = this.#active;
    this.#active = await createSegment(this.#disk, this.#random, this.#directory, this.#durableEnd);
    this.#segments.push(this.#durableEnd);
    await full.file.close();
    await writeSyncedMark(this.#disk, this.#directory, this.#active);
  }

  /** The head of the queue, as far as it fits a batch and the segment; at least one frame. */
  #nextBatch(): Waiting[] {
    const { batchBytesMax, segmentBytesMax } = this.#limits;
    const bytesMax = Math.min(batchBytesMax, segmentBytesMax - this.#active.bytes);
    let bytes = 0;
    let count = 0;
    for (const { payload } of this.#queue) {
      bytes += FRAME_HEADER_BYTES + payload.length;
      if (count > 0 && bytes > bytesMax) break;
      count++;
    }
    return this.#queue.slice(0, count);
  }

  /** The result is valid until the next call. */
  #encode(batch: readonly Waiting[]): Uint8Array {
    const bytes = batch.reduce((sum, { payload }) => sum + FRAME_HEADER_BYTES + payload.length, 0);
    if (this.#buffer.length < bytes) this.#buffer = new Uint8Array(bytes);
    const { salt, bytes: syncedBytes } = this.#active;
    let offset = 0;
    for (const { position, payload } of batch) {
      offset = encodeFrame(this.#buffer, offset, { position, syncedBytes, salt, payload });
    }
    return this.#buffer.subarray(0, offset);
  }

  /**
   * Cuts off what was not synced, and never syncs again: after a failed sync the next process might still find it in
   * the page cache, take it for durable, and lose it later. Returns the cause, with what else went wrong.
   */
  async #cutBack(cause: unknown): Promise<unknown> {
    try {
      await this.#active.file.truncate(this.#active.bytes);
      return cause;
    } catch (error) {
      return new AggregateError([cause, error], 'the log could neither be written nor cut back');
    }
  }

  /** Ends the log for good. */
  #fail(cause: unknown): void {
    this.#failure ??= new LogFailedError('the log cannot be written any more; restart to go on', { cause });
    for (const { reject } of this.#queue) reject(this.#failure);
    this.#queue.length = 0;
  }

  async #checkDisk(): Promise<void> {
    this.#freeBytes = await this.#disk.freeBytes();
    if (this.#isClosed || this.#failure !== undefined) return;
    this.#cancelDiskCheck = this.#clock.schedule(DISK_CHECK_MS, () => {
      this.#checkDisk().catch((error) => this.#fail(error));
    });
  }
}

function acknowledge(batch: readonly Waiting[]): void {
  for (const { position, resolve } of batch) resolve(position);
}

function unavailable(message: string, retryAfterSeconds: number): MusterError {
  return new MusterError('unavailable', message, { retryAfterSeconds });
}
