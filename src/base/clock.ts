/** Time as logic sees it. One real implementation, one simulated; nothing else reads the time. */
export interface Clock {
  /** Unix time in ms, a whole number. May step backwards when the host's clock is set. */
  now(): number;
  /** Ms since an arbitrary start, never backwards: for measuring, slicing and timeouts. */
  monotonicMs(): number;
  /** Calls `run` once, no earlier than `delayMs` from now. The result cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
  /** Lets everything else that is ready on this thread run first. */
  yield(): Promise<void>;
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};

export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(delayMs, resolve));
}
