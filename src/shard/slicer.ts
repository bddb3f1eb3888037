import type { Clock } from '../base/clock.ts';
import { SLICE_MS_MAX } from '../base/limits.ts';

/**
 * Shares one thread between long pieces of work: each is a generator that yields between small steps, and the thread
 * returns to its event loop after at most SLICE_MS_MAX (plus one step). Steps of all pieces take turns.
 */
export class Slicer {
  readonly #clock: Clock;
  readonly #ready: Task[] = [];
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with what the generator returns; rejects with what it throws, or with the signal's reason. */
  run<T>(steps: Generator<void, T>, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#ready.push({
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
    return this.#ready.length;
  }

  async #loop(): Promise<void> {
    this.#running = true;
    while (this.#ready.length > 0) {
      const until = this.#clock.monotonicMs() + SLICE_MS_MAX;
      do {
        const task = this.#ready.shift()!;
        if (!task.step()) this.#ready.push(task);
      } while (this.#ready.length > 0 && this.#clock.monotonicMs() < until);
      if (this.#ready.length > 0) await this.#clock.yield();
    }
    this.#running = false;
  }
}

interface Task {
  /** True when there is nothing left to do. */
  step(): boolean;
}
