import { MusterError } from '../base/errors.ts';
import type { SeededRandom } from '../base/random.ts';
import type { Log, LogEntry } from '../log/log.ts';

/** A log that now and then refuses to append, as one does whose disk is full or too slow. */
export class FlakyLog implements Log {
  readonly #log: Log;
  readonly #random: SeededRandom;
  readonly #options: FlakyLogOptions;

  constructor(log: Log, random: SeededRandom, options: FlakyLogOptions) {
    this.#log = log;
    this.#random = random;
    this.#options = options;
  }

  async append(partition: string, frame: Uint8Array): Promise<number> {
    if (this.#random.chance(this.#options.refusal)) throw new MusterError('unavailable', 'the log refuses');
    return this.#log.append(partition, frame);
  }

  async *read(partition: string, from: number): AsyncIterable<LogEntry> {
    let kept: LogEntry | undefined;
    for await (const entry of this.#log.read(partition, from)) {
      if (kept !== undefined) {
        yield { position: kept.position, frame: entry.frame };
        yield { position: entry.position, frame: kept.frame };
        kept = undefined;
      } else if (this.#options.swapFrames && this.#random.chance(0.2)) kept = entry;
      else yield entry;
    }
    if (kept !== undefined) yield kept;
  }

  end(partition: string): number {
    return this.#log.end(partition);
  }

  get memoryBytes(): number {
    return this.#log.memoryBytes;
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

export interface FlakyLogOptions {
  /** Probability per append. */
  readonly refusal: number;
  /** A bug on purpose: neighbouring frames are sometimes read in the wrong order. */
  readonly swapFrames: boolean;
}
