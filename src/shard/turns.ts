/** Reads side by side on one tablet: more of them would only make each other, and the writes behind them, later. */
const READS_MAX = 2;

/**
 * Whose turn it is on one tablet. Writes run one at a time and alone, so that whoever reads sees the tablet between two
 * frames. A query only looks, to take a snapshot, and keeps no write waiting. What reads the tablet itself in a few small
 * steps takes a turn: reads run side by side, and when a write waits too they alternate, a write and then at most
 * READS_MAX reads.
 */
export class Turns {
  readonly #writes: Turn[] = [];
  readonly #reads: Turn[] = [];
  readonly #looks: (() => void)[] = [];
  #writing = false;
  #reading = 0;
  /** Reads that may start although a write waits. */
  #readsFirst = READS_MAX;

  /**
   * A look between two writes, at once or when the one that runs has ended: it takes no time, so that however many look,
   * no write waits.
   */
  look<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#looks.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      this.#next();
    });
  }

  read<T>(work: () => Promise<T>): Promise<T> {
    return this.#enter(this.#reads, work);
  }

  write<T>(work: () => Promise<T>): Promise<T> {
    return this.#enter(this.#writes, work);
  }

  /** Whether a write is under way or waiting. */
  get isWriting(): boolean {
    return this.#writing || this.#writes.length > 0;
  }

  #enter<T>(queue: Turn[], work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      queue.push(() => work().then(resolve, reject));
      this.#next();
    });
  }

  #next(): void {
    if (!this.#writing) for (const look of this.#looks.splice(0)) look();
    while (!this.#writing && this.#reads.length > 0 && this.#reading < READS_MAX && this.#mayRead()) {
      this.#reading++;
      this.#start(this.#reads.shift()!, () => {
        this.#reading--;
      });
    }
    if (this.#writing || this.#reading > 0 || this.#writes.length === 0) return;
    this.#writing = true;
    this.#start(this.#writes.shift()!, () => {
      this.#writing = false;
      this.#readsFirst = READS_MAX;
    });
  }

  #mayRead(): boolean {
    if (this.#writes.length === 0) return true;
    if (this.#readsFirst === 0) return false;
    this.#readsFirst--;
    return true;
  }

  #start(turn: Turn, ended: () => void): void {
    void turn().then(() => {
      ended();
      this.#next();
    });
  }
}

/** Never rejects. */
type Turn = () => Promise<void>;
