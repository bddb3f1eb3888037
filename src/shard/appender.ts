import type { Clock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { bytesOf, type Section } from '../log/sections.ts';
import { addCounts, noCounts, type Tally } from './counts.ts';
import type { AppendRequest, AppendResult, Applied, Counts, FromHub, Link, ToHub } from './messages.ts';

/**
 * A turn in which many requests are read may be long: the first of them would wait for all others, to be written and to
 * be answered.
 */
const WAIT_MS_MAX = 1;

/** A batch of some events took as long to read as several messages take to post: it waits for no others. */
const LARGE_BYTES = 4096;

/** A shard's way to the log: small appends of one turn of the event loop travel together, as far as it is short. */
export class Appender {
  readonly #hub: Link<ToHub, FromHub>;
  readonly #clock: Clock;
  readonly #largeBytes: number;
  readonly #waiting = new Map<number, Waiting>();
  #requests: AppendRequest[] = [];
  /** When the first of the requests came. */
  #firstMs = 0;
  #nextToken = 1;

  constructor(hub: Link<ToHub, FromHub>, clock: Clock, largeBytes = LARGE_BYTES) {
    this.#hub = hub;
    this.#largeBytes = largeBytes;
    this.#clock = clock;
  }

  /** Resolves once the frame is durable. Rejects with MusterError when it was refused: then it is not in the log. */
  async append(sections: readonly Section[]): Promise<void> {
    await this.#request(sections, false);
  }

  /** Resolves once every tablet it concerns has applied it, with what they counted. */
  appendAndApply(sections: readonly Section[]): Promise<Counts> {
    return this.#request(sections, true);
  }

  get pending(): number {
    return this.#waiting.size;
  }

  settle(results: readonly AppendResult[]): void {
    for (const result of results) {
      const waiting = this.#waiting.get(result.token)!;
      if ('error' in result) {
        this.#waiting.delete(result.token);
        const { code, message, ...where } = result.error;
        waiting.reject(new MusterError(code, message, where));
      } else {
        waiting.owners = waiting.tellApplied ? result.owners : 0;
        this.#finish(result.token, waiting);
      }
    }
  }

  /** One owner has applied these frames. May come before the hub's own word. */
  applied(frames: readonly Applied[]): void {
    for (const { token, counts } of frames) {
      const waiting = this.#waiting.get(token)!;
      waiting.appliedBy++;
      addCounts(waiting.counts, counts);
      this.#finish(token, waiting);
    }
  }

  #request(sections: readonly Section[], tellApplied: boolean): Promise<Counts> {
    const token = this.#nextToken++;
    const nowMs = this.#clock.monotonicMs();
    const counted = new Promise<Counts>((resolve, reject) => {
      const counts = noCounts();
      this.#waiting.set(token, { tellApplied, owners: undefined, appliedBy: 0, counts, resolve, reject });
    });
    if (this.#requests.length === 0) this.#firstMs = nowMs;
    this.#requests.push({ token, sections, tellApplied });
    if (nowMs - this.#firstMs >= WAIT_MS_MAX || bytesOf(sections) >= this.#largeBytes) {
      this.#flush();
      this.#hub.drain();
    } else if (this.#requests.length === 1) void this.#clock.yield().then(() => this.#flush());
    return counted;
  }

  #flush(): void {
    const requests = this.#requests;
    if (requests.length === 0) return;
    this.#requests = [];
    const buffers = requests.flatMap(({ sections }) =>
      sections.map(({ records }) => records.buffer as ArrayBuffer),
    );
    this.#hub.post({ kind: 'append', requests }, buffers);
  }

  #finish(token: number, waiting: Waiting): void {
    if (waiting.owners !== waiting.appliedBy) return;
    this.#waiting.delete(token);
    waiting.resolve(waiting.counts);
  }
}

interface Waiting {
  readonly tellApplied: boolean;
  /** How many shards got it; undefined until the hub says. */
  owners: number | undefined;
  appliedBy: number;
  readonly counts: Tally;
  readonly resolve: (counts: Counts) => void;
  readonly reject: (error: MusterError) => void;
}
