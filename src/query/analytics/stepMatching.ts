const UNMATCHED = -1;

/**
 * Which steps the events of one instant can serve: several steps, each by an event of its own. Matching by augmenting
 * paths (Kuhn's algorithm).
 */
export class StepMatching {
  readonly stepCount: number;
  /** reach[s] = the largest e such that steps [s, e) can be served together. */
  readonly reach: Int32Array;
  /** Of the events kept: which steps each may serve, a bit each. */
  readonly #masks: Uint32Array;
  /** Of the events kept, what `add` was told they are. */
  readonly #events: Uint32Array;
  #count = 0;
  /** How many of the events kept may serve each step. */
  readonly #candidates: Uint8Array;
  readonly #stepOf: Int8Array;
  readonly #eventOf: Int16Array;
  readonly #visited: Uint8Array;

  constructor(stepCount: number) {
    const eventsMax = stepCount * stepCount;
    this.stepCount = stepCount;
    this.reach = new Int32Array(stepCount);
    this.#masks = new Uint32Array(eventsMax);
    this.#events = new Uint32Array(eventsMax);
    this.#candidates = new Uint8Array(stepCount);
    this.#stepOf = new Int8Array(eventsMax);
    this.#eventOf = new Int16Array(stepCount);
    this.#visited = new Uint8Array(eventsMax);
  }

  begin(): void {
    this.#count = 0;
    this.#candidates.fill(0);
  }

  /**
   * Events come in the order of their trail. One is kept where a step that it may serve has fewer candidates than there
   * are steps: a matching with another of that step's can be had with one of those as well.
   */
  add(event: number, mask: number): void {
    let isKept = false;
    for (let step = 0; step < this.stepCount; step++) {
      if (((mask >>> step) & 1) === 1 && this.#candidates[step]! < this.stepCount) isKept = true;
    }
    if (!isKept) return;
    for (let step = 0; step < this.stepCount; step++) {
      if (((mask >>> step) & 1) === 1 && this.#candidates[step]! < this.stepCount) this.#candidates[step]!++;
    }
    this.#masks[this.#count] = mask;
    this.#events[this.#count++] = event;
  }

  /** Fills `reach`. */
  match(): void {
    this.#clear();
    let end = 0;
    for (let first = 0; first < this.stepCount; first++) {
      if (end < first) end = first;
      else if (first > 0) this.#release(first - 1);
      while (end < this.stepCount && this.#serve(end)) end++;
      this.reach[first] = end;
    }
  }

  /** The first event that may serve step 0 while others serve steps [1, end). There is one: end <= reach[0]. */
  firstEventOf(end: number): number {
    for (let first = 0; first < this.#count; first++) {
      if ((this.#masks[first]! & 1) === 0) continue;
      this.#clear();
      this.#stepOf[first] = 0;
      this.#eventOf[0] = first;
      const taken = this.#masks[first]!;
      this.#masks[first] = 0;
      let step = 1;
      while (step < end && this.#serve(step)) step++;
      this.#masks[first] = taken;
      if (step >= end) return this.#events[first]!;
    }
    throw new RangeError(`the events do not serve ${end} steps`);
  }

  #clear(): void {
    this.#stepOf.fill(UNMATCHED);
    this.#eventOf.fill(UNMATCHED);
  }

  #release(step: number): void {
    const event = this.#eventOf[step]!;
    if (event !== UNMATCHED) this.#stepOf[event] = UNMATCHED;
    this.#eventOf[step] = UNMATCHED;
  }

  #serve(step: number): boolean {
    this.#visited.fill(0, 0, this.#count);
    return this.#augment(step);
  }

  #augment(step: number): boolean {
    for (let event = 0; event < this.#count; event++) {
      if (this.#visited[event] === 1 || ((this.#masks[event]! >>> step) & 1) === 0) continue;
      this.#visited[event] = 1;
      const holder = this.#stepOf[event]!;
      if (holder !== UNMATCHED && !this.#augment(holder)) continue;
      this.#stepOf[event] = step;
      this.#eventOf[step] = event;
      return true;
    }
    return false;
  }
}
