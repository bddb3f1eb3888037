import { type Clock, sleep } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { IMPORT_BATCHES_IN_FLIGHT, IMPORT_PATIENCE_MS, SECOND_MS } from '../base/limits.ts';
import type { Counts } from '../client/types.ts';
import type { ImportBatch } from '../ingest/importFile.ts';

type Outcome = { readonly counts: Counts } | { readonly error: unknown };

interface BatchInFlight {
  readonly batch: ImportBatch;
  outcome: Promise<Outcome>;
  isCounted: boolean;
}

/**
 * Sends an import's batches, a few at once and in order. The server remembers how far an import has come by the run of
 * batches that began at line 1; so when one is refused or lost, it and those sent after it are sent again, in which
 * their messageIds keep the server from taking anything twice. The last batch, which ends the import, waits for all
 * others.
 */
export class BatchWindow {
  readonly #clock: Clock;
  readonly #stopped: AbortSignal;
  readonly #send: (batch: ImportBatch) => Promise<Counts>;
  readonly #inFlight: BatchInFlight[] = [];
  readonly #sum = { accepted: 0, duplicate: 0, rejected: 0 };
  #failingSinceMs: number | undefined;

  /** When `stopped` aborts, what is refused is not sent again. */
  constructor(options: {
    readonly clock: Clock;
    readonly stopped: AbortSignal;
    readonly send: (batch: ImportBatch) => Promise<Counts>;
  }) {
    this.#clock = options.clock;
    this.#stopped = options.stopped;
    this.#send = options.send;
  }

  /** Resolves when there is room for another. Rejects when the server has refused for too long, or for good. */
  async add(batch: ImportBatch): Promise<void> {
    await this.#settle(batch.finished ? 0 : IMPORT_BATCHES_IN_FLIGHT - 1);
    this.#inFlight.push({ batch, outcome: this.#outcomeOf(batch), isCounted: false });
  }

  async finish(): Promise<Counts> {
    await this.#settle(0);
    return this.#sum;
  }

  async #settle(inFlightMax: number): Promise<void> {
    while (this.#inFlight.length > inFlightMax) {
      const [oldest] = this.#inFlight;
      const error = await this.#count(oldest!);
      if (error === undefined) {
        this.#failingSinceMs = undefined;
        this.#inFlight.shift();
      } else await this.#repeat(error);
    }
  }

  async #repeat(error: unknown): Promise<void> {
    this.#stopped.throwIfAborted();
    const nowMs = this.#clock.monotonicMs();
    this.#failingSinceMs ??= nowMs;
    if (!isPassing(error) || nowMs - this.#failingSinceMs > IMPORT_PATIENCE_MS) throw error;
    for (const sent of this.#inFlight) await this.#count(sent);
    await sleep(this.#clock, (error.retryAfterSeconds ?? 1) * SECOND_MS);
    for (const sent of this.#inFlight) sent.outcome = this.#outcomeOf(sent.batch);
  }

  /** What it came to counts the first time; the error, if it failed. */
  async #count(sent: BatchInFlight): Promise<unknown> {
    const outcome = await sent.outcome;
    if ('error' in outcome) return outcome.error;
    if (!sent.isCounted) {
      sent.isCounted = true;
      for (const key of Object.keys(this.#sum) as (keyof Counts)[]) this.#sum[key] += outcome.counts[key];
    }
    return undefined;
  }

  #outcomeOf(batch: ImportBatch): Promise<Outcome> {
    return this.#send(batch).then(
      (counts) => ({ counts }),
      (error: unknown) => ({ error }),
    );
  }
}

/** Whether it may be gone a little later. */
function isPassing(error: unknown): error is MusterError {
  return error instanceof MusterError && ['unavailable', 'rate_limited', 'timeout'].includes(error.code);
}
