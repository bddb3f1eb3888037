import { SEQUENCE_STEPS_MAX } from '../../base/limits.ts';

/** A sequence made ready: up to SEQUENCE_STEPS_MAX steps. */
export interface CompiledSequence {
  /** Of each step, the bits in `kinds` of events that may be it: one of them is enough. */
  readonly stepKinds: readonly number[];
  /** Of each step, how long after the one before it may be; Infinity for any time. */
  readonly withinMs: readonly number[];
  /** How long after the first step the last may be. */
  readonly windowMs: number;
  /** The first step's time is in [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Finds out whether a user's events have different ones e1, e2, … in time order, one a step, each in reach of the one
 * before and the last in reach of the first. Events of one time may be taken in any order.
 *
 * Time goes forward once. Of the chains that end with a step only the one that ends last matters, of several the one
 * that began last: had one that ended earlier begun later, its beginning could be put before the other's end. Of events
 * of one time, those that take a chain several steps further are found as a matching of steps with events.
 */
export class SequenceSearch {
  readonly #sequence: CompiledSequence;
  readonly #stepCount: number;
  /** Of `holds`. */
  readonly #own: Float64Array;
  /** Of the user at hand, from `#at` on: by step, when the chain that ends with it began, then, by step, when it ended. */
  #states: Float64Array;
  #at = 0;
  /** Of each step, some of the events of the present time that may be it, numbered from 0. */
  readonly #candidates: number[][];

  constructor(sequence: CompiledSequence) {
    const { length } = sequence.stepKinds;
    this.#sequence = sequence;
    this.#stepCount = length;
    this.#own = new Float64Array(SequenceSearch.stateLength(length));
    this.#states = this.#own;
    this.#candidates = sequence.stepKinds.map(() => []);
  }

  static stateLength(stepCount: number): number {
    return 2 * stepCount;
  }

  /** Of the user's events [from, to), by time. See columns.ts. */
  holds(timesMs: Float64Array, kinds: Uint32Array, from: number, to: number): boolean {
    this.#own.fill(Number.NaN);
    return this.goOn(timesMs, kinds, from, to, this.#own, 0);
  }

  /**
   * Whether these events, which are later than those before, complete a sequence. What matters of a user's events so far
   * is `stateLength` numbers of `states` from `at` on, which were all NaN before the first.
   */
  goOn(
    timesMs: Float64Array,
    kinds: Uint32Array,
    from: number,
    to: number,
    states: Float64Array,
    at: number,
  ): boolean {
    this.#states = states;
    this.#at = at;
    let next = from;
    while (next < to) {
      const timeMs = timesMs[next]!;
      let end = next + 1;
      while (end < to && timesMs[end] === timeMs) end++;
      const isReached =
        end === next + 1 ? this.#addOne(kinds[next]!, timeMs) : this.#addSeveral(kinds, next, end, timeMs);
      if (isReached) return true;
      next = end;
    }
    return false;
  }

  /** Whether the last step is reached. */
  #addOne(kind: number, timeMs: number): boolean {
    const { stepKinds } = this.#sequence;
    // Backwards, so that the event does not follow itself.
    for (let step = this.#stepCount - 1; step >= 0; step--) {
      if ((kind & stepKinds[step]!) === 0) continue;
      const firstMs = this.#firstMsBefore(step, timeMs);
      if (Number.isNaN(firstMs)) continue;
      if (step === this.#stepCount - 1) return true;
      this.#keep(step, firstMs, timeMs);
    }
    return false;
  }

  /** When the chain began that goes on with this step now; NaN without one. */
  #firstMsBefore(step: number, timeMs: number): number {
    const { withinMs, windowMs, fromMs, toMs } = this.#sequence;
    if (step === 0) return timeMs >= fromMs && timeMs < toMs ? timeMs : Number.NaN;
    const before = this.#at + step - 1;
    const firstMs = this.#states[before]!;
    const isInReach =
      this.#states[before + this.#stepCount]! >= timeMs - withinMs[step]! && firstMs >= timeMs - windowMs;
    return isInReach ? firstMs : Number.NaN;
  }

  #keep(step: number, firstMs: number, lastMs: number): void {
    const states = this.#states;
    const first = this.#at + step;
    const last = first + this.#stepCount;
    if (states[last] === lastMs && states[first]! >= firstMs) return;
    states[first] = firstMs;
    states[last] = lastMs;
  }

  #addSeveral(kinds: Uint32Array, from: number, to: number, timeMs: number): boolean {
    const { stepKinds } = this.#sequence;
    const eventCount = this.#chooseCandidates(kinds, from, to);
    const firstMs = stepKinds.map((_, step) => this.#firstMsBefore(step, timeMs));
    for (let step = stepKinds.length - 1; step >= 0; step--) {
      if (Number.isNaN(firstMs[step]!)) continue;
      const end = this.#matchFrom(step, eventCount);
      if (end === stepKinds.length) return true;
      for (let reached = step; reached < end; reached++) this.#keep(reached, firstMs[step]!, timeMs);
    }
    return false;
  }

  /**
   * How many events it chose. A step with as many as there are steps finds one whatever the others take, so no more are
   * kept.
   */
  #chooseCandidates(kinds: Uint32Array, from: number, to: number): number {
    for (const events of this.#candidates) events.length = 0;
    let chosen = 0;
    for (let i = from; i < to; i++) {
      let isChosen = false;
      for (const [step, bits] of this.#sequence.stepKinds.entries()) {
        if ((kinds[i]! & bits) === 0 || this.#candidates[step]!.length === SEQUENCE_STEPS_MAX) continue;
        this.#candidates[step]!.push(chosen);
        isChosen = true;
      }
      if (isChosen) chosen++;
    }
    return chosen;
  }

  /** The end of the longest run of steps, beginning with this one, that different candidates can be. */
  #matchFrom(step: number, eventCount: number): number {
    const stepOf = new Int8Array(eventCount).fill(-1);
    let end = step;
    while (end < this.#candidates.length && this.#match(end, stepOf, new Set())) end++;
    return end;
  }

  /** Finds the step an event, if need be by finding others for steps that have one (Kuhn, augmenting paths). */
  #match(step: number, stepOf: Int8Array, tried: Set<number>): boolean {
    for (const event of this.#candidates[step]!) {
      if (tried.has(event)) continue;
      tried.add(event);
      if (stepOf[event]! >= 0 && !this.#match(stepOf[event]!, stepOf, tried)) continue;
      stepOf[event] = step;
      return true;
    }
    return false;
  }
}
