import type { Clock } from '../base/clock.ts';
import { SLICE_MS_MAX } from '../base/limits.ts';
import { Group, type Task } from './shares.ts';

/** Keeping up with the log gets three quarters of a thread that has more to do than it can. */
const WRITES_WEIGHT = 3;

export interface SliceOptions {
  readonly signal?: AbortSignal;
  /** It applies what the log brings, or makes room for that. Anything else answers someone. */
  readonly isWrite?: boolean;
  /** Whom it is for: accounts share the time alike, however much each of them asks. */
  readonly account?: string;
}

/**
 * Shares one thread between long pieces of work: each is a generator that yields between small steps, and the thread
 * returns to its event loop after at most SLICE_MS_MAX (plus one step). Whatever had the least time goes next: of writes
 * and reads, then of the accounts that read, then of an account's pieces. So a short piece is over soon however many
 * long ones there are, and none waits for ever.
 */
export class Slicer {
  readonly #clock: Clock;
  readonly #all = new Group();
  readonly #writes = new Group(WRITES_WEIGHT);
  readonly #reads = new Group();
  readonly #accounts = new Map<string, Group>();
  #waiting = 0;
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with what the generator returns; rejects with what it throws, or with the signal's reason. */
  run<T>(steps: Generator<void, T>, options: SliceOptions = {}): Promise<T> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      this.#add(options, {
        usedMs: 0,
        step() {
          try {
            signal?.throwIfAborted();
            const { done, value } = steps.next();
            if (done === true) resolve(value);
            return done === true;
          } catch (error) {
            reject(error);
            return true;
          }
        },
      });
      if (!this.#running) void this.#loop();
    });
  }

  /** Pieces of work not finished. */
  get waiting(): number {
    return this.#waiting;
  }

  #add({ isWrite = false, account = '' }: SliceOptions, task: Task): void {
    this.#waiting++;
    const group = isWrite ? this.#writes : this.#reads;
    if (group.isEmpty) this.#all.add(group);
    if (isWrite) {
      group.add(task);
      return;
    }
    const lane = this.#accounts.get(account) ?? new Group();
    if (lane.isEmpty) {
      this.#accounts.set(account, lane);
      group.add(lane);
    }
    lane.add(task);
  }

  async #loop(): Promise<void> {
    this.#running = true;
    // Not before what else has come in this turn of the event loop: that a request is durable, behind its events.
    await this.#clock.yield();
    while (this.#waiting > 0) {
      let nowMs = this.#clock.monotonicMs();
      const untilMs = nowMs + SLICE_MS_MAX;
      do {
        const isDone = this.#all.pick().step();
        const startMs = nowMs;
        nowMs = this.#clock.monotonicMs();
        this.#all.charge(nowMs - startMs, isDone);
        if (isDone) this.#waiting--;
      } while (this.#waiting > 0 && nowMs < untilMs);
      if (this.#waiting > 0) await this.#clock.yield();
    }
    this.#accounts.clear();
    this.#running = false;
  }
}
