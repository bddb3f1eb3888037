import { StepMatching } from './stepMatching.ts';

/** Events of users in trail order; an event may serve the steps whose bits it has. */
export interface StepEvents {
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
}

/**
 * Walks one user's events and keeps, for each number of steps, the chain that started last: a chain of fewer steps is
 * worth going on with only if none of as many started later. Of chains with one start the first completed is kept, so
 * that each of its steps comes as early as it can.
 */
export class Chains {
  readonly stepCount: number;
  /** The most steps that the user has got to. */
  level = 0;
  /** When each of them was taken: by the longest chain that was completed first, of those the one that started last. */
  readonly timesMs: Float64Array;
  /** The event that chain began with: the first in the trail that it can begin with. */
  firstEvent = 0;

  readonly #windowMs: number;
  /** starts[s] = when the chain up to step s started; -Infinity for none. Never more than starts[s - 1]. */
  readonly #starts: Float64Array;
  /** Of the chain up to step s, from s · stepCount on. */
  readonly #stepTimesMs: Float64Array;
  readonly #firstEvents: Uint32Array;
  readonly #instant: StepMatching;

  constructor({ stepCount, windowMs }: { readonly stepCount: number; readonly windowMs: number }) {
    this.stepCount = stepCount;
    this.timesMs = new Float64Array(stepCount);
    this.#windowMs = windowMs;
    this.#starts = new Float64Array(stepCount);
    this.#stepTimesMs = new Float64Array(stepCount * stepCount);
    this.#firstEvents = new Uint32Array(stepCount);
    this.#instant = new StepMatching(stepCount);
  }

  /** A user without events so far. */
  begin(): void {
    this.level = 0;
    // A call of `fill` costs more than so few entries.
    for (let step = 0; step < this.stepCount; step++) this.#starts[step] = -Infinity;
  }

  /** The user's next events, [from, to): all of an instant together. */
  walk({ timesMs, kinds }: StepEvents, from: number, to: number): void {
    const { stepCount } = this;
    const starts = this.#starts;
    const windowMs = this.#windowMs;
    for (let i = from; i < to && this.level < stepCount; i++) {
      const timeMs = timesMs[i]!;
      let mask = kinds[i]!;
      if (i + 1 < to && timesMs[i + 1] === timeMs) {
        this.#instant.begin();
        this.#instant.add(i, mask);
        while (i + 1 < to && timesMs[i + 1] === timeMs) {
          i++;
          this.#instant.add(i, kinds[i]!);
        }
        this.#takeInstant(timeMs);
        continue;
      }
      // From the last step on, so that an event does not go on from itself.
      while (mask !== 0) {
        const step = 31 - Math.clz32(mask);
        mask ^= 1 << step;
        if (step === 0) this.#start(i, timeMs);
        else {
          const startMs = starts[step - 1]!;
          if (startMs > starts[step]! && startMs >= timeMs - windowMs) this.#goOn(step, step, timeMs);
        }
      }
    }
  }

  #start(event: number, timeMs: number): void {
    this.#starts[0] = timeMs;
    this.#stepTimesMs[0] = timeMs;
    this.#firstEvents[0] = event;
    if (this.level === 0) this.#reached(0);
  }

  /** The chain up to step `from` - 1 gets steps [from, step], all at this time. */
  #goOn(from: number, step: number, timeMs: number): void {
    const { stepCount } = this;
    const times = this.#stepTimesMs;
    const source = (from - 1) * stepCount;
    const target = step * stepCount;
    for (let s = 0; s < from; s++) times[target + s] = times[source + s]!;
    for (let s = from; s <= step; s++) times[target + s] = timeMs;
    this.#starts[step] = this.#starts[from - 1]!;
    this.#firstEvents[step] = this.#firstEvents[from - 1]!;
    if (step >= this.level) this.#reached(step);
  }

  /** As many steps as that for the first time: the chain is kept as it is. */
  #reached(step: number): void {
    const row = step * this.stepCount;
    for (let s = 0; s <= step; s++) this.timesMs[s] = this.#stepTimesMs[row + s]!;
    this.firstEvent = this.#firstEvents[step]!;
    this.level = step + 1;
  }

  /** Several events of one time are in any order, but a chain takes each once. */
  #takeInstant(timeMs: number): void {
    const instant = this.#instant;
    instant.match();
    for (let step = this.stepCount - 1; step >= 0; step--) {
      if (instant.reach[0]! > step) this.#startWith(step, timeMs);
      else this.#goOnWith(step, timeMs);
    }
  }

  /** A chain of steps [0, step], all at this time. */
  #startWith(step: number, timeMs: number): void {
    this.#starts[step] = timeMs;
    this.#stepTimesMs.fill(timeMs, step * this.stepCount, step * this.stepCount + step + 1);
    this.#firstEvents[step] = this.#instant.firstEventOf(step + 1);
    if (step >= this.level) this.#reached(step);
  }

  #goOnWith(step: number, timeMs: number): void {
    const { reach } = this.#instant;
    const starts = this.#starts;
    let from = 1;
    while (from <= step && reach[from]! <= step) from++;
    if (from > step) return;
    // The shorter the chain, the later its start, and reach does not fall: no other chain starts later than this one.
    const startMs = starts[from - 1]!;
    if (startMs <= starts[step]! || startMs < timeMs - this.#windowMs) return;
    while (from < step && starts[from] === startMs) from++;
    this.#goOn(from, step, timeMs);
  }
}
