import type { Clock } from '../base/clock.ts';
import { TICK_MS } from '../base/limits.ts';
import { encodeRecords, type Section } from '../log/sections.ts';
import type { Tablet } from '../tablet/tablet.ts';

/** Tells tablets that wait for the time what time it is: every TICK_MS at the most, in one frame for all of them. */
export class Ticker {
  readonly #clock: Clock;
  readonly #tablets: () => readonly Tablet[];
  readonly #append: (sections: () => readonly Section[]) => Promise<void>;
  #ticking = false;

  constructor(options: {
    readonly clock: Clock;
    readonly tablets: () => readonly Tablet[];
    /** Resolves when the sections are durable, however long that takes. */
    readonly append: (sections: () => readonly Section[]) => Promise<void>;
  }) {
    this.#clock = options.clock;
    this.#tablets = options.tablets;
    this.#append = options.append;
  }

  /** From now on, for as long as the clock runs. `failed` hears of a log that cannot be written. */
  start(failed: (error: unknown) => void): void {
    this.#clock.schedule(TICK_MS, () => {
      if (!this.#ticking) this.#tick().catch(failed);
      this.start(failed);
    });
  }

  async #tick(): Promise<void> {
    const atMs = this.#clock.now();
    const due = this.#tablets().filter((tablet) => (tablet.nextDeadlineMs() ?? Infinity) <= atMs);
    if (due.length === 0) return;
    this.#ticking = true;
    await this.#append(() =>
      due.map(({ account, bits }) => ({
        account: account.name,
        tablet: bits,
        records: encodeRecords([{ kind: 'tick', atMs }]),
      })),
    );
    this.#ticking = false;
  }
}
