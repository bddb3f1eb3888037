/**
 * Whose turn it is on one tablet: writes one at a time and alone, reads side by side, all in the order they came. So a
 * query sees the tablet between two frames, and neither queries nor writes can starve the other.
 */
export class Turns {
  readonly #waiting: Turn[] = [];
  #readers = 0;
  #writing = false;

  read<T>(work: () => Promise<T>): Promise<T> {
    return this.#enter(false, work);
  }

  write<T>(work: () => Promise<T>): Promise<T> {
    return this.#enter(true, work);
  }

  /** Whether a write is under way or waiting. */
  get isWriting(): boolean {
    return this.#writing || this.#waiting.some(({ writes }) => writes);
  }

  #enter<T>(writes: boolean, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, start: () => work().then(resolve, reject) });
      this.#next();
    });
  }

  #next(): void {
    for (let turn = this.#waiting[0]; turn !== undefined; turn = this.#waiting[0]) {
      if (this.#writing || (turn.writes && this.#readers > 0)) return;
      this.#waiting.shift();
      this.#start(turn);
    }
  }

  #start({ writes, start }: Turn): void {
    if (writes) this.#writing = true;
    else this.#readers++;
    void start().then(() => {
      if (writes) this.#writing = false;
      else this.#readers--;
      this.#next();
    });
  }
}

interface Turn {
  readonly writes: boolean;
  /** Never rejects. */
  readonly start: () => Promise<void>;
}
