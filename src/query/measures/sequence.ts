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
 * Time goes forward once. For each step it keeps the chains that end there: the time of their first and of their last
 * event. A chain that ends later and began no earlier makes another useless, so those kept end ever later and began ever
 * earlier; the oldest that still reaches the present began last, and is the one to go on with. Of events of one time,
 * those that take a chain several steps further are found as a matching of steps with events.
 */
export class SequenceSearch {
  readonly #sequence: CompiledSequence;
  /** By step that they end with. */
  readonly #chains: readonly ChainQueue[];
  /** Of each step, some of the events of the present time that may be it, numbered from 0. */
  readonly #candidates: number[][];

  constructor(sequence: CompiledSequence) {
    this.#sequence = sequence;
    this.#chains = sequence.stepKinds.map(() => new ChainQueue());
    this.#candidates = sequence.stepKinds.map(() => []);
  }

  /** Of the user's events [from, to), by time. See columns.ts. */
  holds(timesMs: Float64Array, kinds: Uint32Array, from: number, to: number): boolean {
    for (const chains of this.#chains) chains.clear();
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
    for (let step = stepKinds.length - 1; step >= 0; step--) {
      if ((kind & stepKinds[step]!) === 0) continue;
      const firstMs = this.#firstMsBefore(step, timeMs);
      if (Number.isNaN(firstMs)) continue;
      if (step === stepKinds.length - 1) return true;
      this.#chains[step]!.push(firstMs, timeMs);
    }
    return false;
  }

  /** When the chain began that goes on with this step now; NaN without one. */
  #firstMsBefore(step: number, timeMs: number): number {
    const { withinMs, windowMs, fromMs, toMs } = this.#sequence;
    if (step === 0) return timeMs >= fromMs && timeMs < toMs ? timeMs : Number.NaN;
    const firstMs = this.#chains[step - 1]!.latestFirstMs(timeMs - withinMs[step]!);
    return firstMs >= timeMs - windowMs ? firstMs : Number.NaN;
  }

  #addSeveral(kinds: Uint32Array, from: number, to: number, timeMs: number): boolean {
    const { stepKinds } = this.#sequence;
    const eventCount = this.#chooseCandidates(kinds, from, to);
    const firstMs = stepKinds.map((_, step) => this.#firstMsBefore(step, timeMs));
    for (let step = stepKinds.length - 1; step >= 0; step--) {
      if (Number.isNaN(firstMs[step]!)) continue;
      const end = this.#matchFrom(step, eventCount);
      if (end === stepKinds.length) return true;
      for (let reached = step; reached < end; reached++) this.#chains[reached]!.push(firstMs[step]!, timeMs);
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

/** Chains that end with one step: they end ever later and began ever earlier, strictly. */
class ChainQueue {
  #firstMs: number[] = [];
  #lastMs: number[] = [];
  #head = 0;

  clear(): void {
    this.#firstMs.length = 0;
    this.#lastMs.length = 0;
    this.#head = 0;
  }

  /** `lastMs` is not before that of any other. */
  push(firstMs: number, lastMs: number): void {
    while (this.#firstMs.length > this.#head && this.#firstMs.at(-1)! <= firstMs) {
      this.#firstMs.pop();
      this.#lastMs.pop();
    }
    if (this.#lastMs.length > this.#head && this.#lastMs.at(-1) === lastMs) return; // one that began later is there
    this.#firstMs.push(firstMs);
    this.#lastMs.push(lastMs);
  }

  /** Of the chains that end at `fromMs` or later, when the one that began last did; NaN without any. Forgets others. */
  latestFirstMs(fromMs: number): number {
    while (this.#head < this.#lastMs.length && this.#lastMs[this.#head]! < fromMs) this.#head++;
    return this.#head < this.#firstMs.length ? this.#firstMs[this.#head]! : Number.NaN;
  }
}
