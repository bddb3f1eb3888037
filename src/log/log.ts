/**
 * The log: ordered, durable frames. One frame is one request, so that a request is accepted whole or not at all.
 * Three implementations are meant to stand behind this: files (fileLog.ts, the embedded default), Kafka, JetStream.
 */
export interface Log {
  /**
   * Resolves with the frame's position once it is durable. Positions of one partition grow by one, in the order of the
   * calls. Rejects with MusterError `unavailable` when the queue or the disk is full (nothing was written), and with
   * LogFailedError after a failed write or sync: then nothing is acknowledged any more and the process must be
   * restarted, since what the disk holds is known only by reading it again.
   * `frame` belongs to the log until the promise settles.
   */
  append(partition: string, frame: Uint8Array): Promise<number>;

  /** Frames from position `from` on, in order, as they stood when the call was made. Throws DamageError. */
  read(partition: string, from: number): AsyncIterable<LogEntry>;

  /** The position the next frame will get. */
  end(partition: string): number;

  /** What it holds: frames that wait for the disk, and what it writes them with. */
  readonly memoryBytes: number;

  close(): Promise<void>;
}

export interface LogEntry {
  readonly position: number;
  /** Owned by the receiver. */
  readonly frame: Uint8Array;
}

/** Final: see Log.append. */
export class LogFailedError extends Error {
  override readonly name = 'LogFailedError';
}
