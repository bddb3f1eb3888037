import { isDiskFailure } from './failures.ts';

/**
 * One life of a host, also one that is still starting: when it is over, everything in memory is gone and whatever was
 * under way stops there.
 */
export class Life {
  isOver = false;
  /** What must never happen, in order; each fails the run, also when it comes after the end. */
  readonly bugs: unknown[] = [];
  /** Resolves at the first failure. */
  readonly failed: Promise<void>;
  #failed: () => void = () => {};

  constructor() {
    this.failed = new Promise((resolve) => {
      this.#failed = resolve;
    });
  }

  fail(error: unknown): void {
    if (!isDiskFailure(error)) this.bugs.push(error);
    this.#failed();
  }
}
