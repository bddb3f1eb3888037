import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { SeededRandom } from '../base/random.ts';

/**
 * Virtual time and the scheduler of a simulated cluster: whatever is ready at the same time runs in an order drawn from
 * the seed. Time passes only here, and a seed gives the same run every time.
 */
export class SimulatedClock implements Clock {
  readonly #random: SeededRandom;
  readonly #queue: Timer[] = [];
  #nowMs: number;
  /** How far the simulated host's wall clock is off: clocks jump. */
  skewMs = 0;

  constructor(random: SeededRandom, startMs: number) {
    this.#random = random;
    this.#nowMs = startMs;
  }

  now(): number {
    return Math.floor(this.#nowMs) + this.skewMs;
  }

  /** Looking at the time takes some, so that work is sliced at places drawn from the seed. */
  monotonicMs(): number {
    this.#nowMs += this.#random.fraction() / 4;
    return this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): () => void {
    const timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#random.fraction(),
      run,
      cancelled: false,
    };
    this.#push(timer);
    return () => {
      timer.cancelled = true;
    };
  }

  yield(): Promise<void> {
    return this.sleep(this.#random.fraction() / 16);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.schedule(delayMs, resolve));
  }

  /** Runs whatever comes next until `work` settles. Fails when nothing is left that could settle it. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    work.then(done, done);
    for (;;) {
      await nextTurn();
      if (settled) return work;
      const timer = this.#pop();
      if (timer === undefined) throw new Error('the simulation stands still: nothing is scheduled');
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      if (!timer.cancelled) timer.run();
    }
  }

  /** A view of this clock that stops calling when the host it belongs to has crashed. */
  forHost(isAlive: () => boolean): Clock {
    const schedule = (delayMs: number, run: () => void) =>
      this.schedule(delayMs, () => {
        if (isAlive()) run();
      });
    return {
      now: () => this.now(),
      monotonicMs: () => this.monotonicMs(),
      schedule,
      yield: () => new Promise((resolve) => schedule(this.#random.fraction() / 16, resolve)),
    };
  }

  /** A binary heap by time, then by drawn order. */
  #push(timer: Timer): void {
    const queue = this.#queue;
    let child = queue.push(timer) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (isBefore(queue[parent]!, timer)) break;
      queue[child] = queue[parent]!;
      child = parent;
    }
    queue[child] = timer;
  }

  #pop(): Timer | undefined {
    const queue = this.#queue;
    const first = queue[0];
    const last = queue.pop();
    if (queue.length === 0 || last === undefined) return first;
    let hole = 0;
    for (let child = 1; child < queue.length; child = 2 * hole + 1) {
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child++;
      if (isBefore(last, queue[child]!)) break;
      queue[hole] = queue[child]!;
      hole = child;
    }
    queue[hole] = last;
    return first;
  }
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
