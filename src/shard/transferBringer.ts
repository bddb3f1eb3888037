import { encodeRecords, type Section } from '../log/sections.ts';
import type { Tablet } from '../tablet/tablet.ts';
import type { OutgoingTransfer } from '../tablet/transfers.ts';

/** What one frame holds, a call (at most about 100 KB) weighing 1 and a piece of a user (about a megabyte) 16. */
const FRAME_WEIGHT_MAX = 128;
const PIECE_WEIGHT = 16;

/**
 * Brings a tablet's transfers to the log, one frame after the other, since the target takes them by their numbers and
 * in order only. A transfer and the word that it is done go into one frame, so that no reader of the log sees half.
 */
export class TransferBringer {
  readonly #tablet: Tablet;
  readonly #append: (sections: () => readonly Section[]) => Promise<void>;
  readonly #released: () => Promise<void>;
  /** Per target: the last transfer that is in the log. */
  readonly #brought = new Map<string, number>();
  #running = false;

  constructor(options: {
    readonly tablet: Tablet;
    /** Resolves when the sections are durable, however long that takes. */
    readonly append: (sections: () => readonly Section[]) => Promise<void>;
    /** Resolves when no query asks for a still picture. */
    readonly released: () => Promise<void>;
  }) {
    this.#tablet = options.tablet;
    this.#append = options.append;
    this.#released = options.released;
  }

  /** Resolves when none is left; at once when another call is at it. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#next(); next.length > 0; next = this.#next()) {
      await this.#released();
      await this.#append(() => this.#sectionsOf(next));
      for (const { target, record } of next) this.#brought.set(target, record.sequence);
    }
    this.#running = false;
  }

  #next(): readonly OutgoingTransfer[] {
    const next: OutgoingTransfer[] = [];
    let weight = 0;
    for (const transfer of this.#tablet.transfers.pendingBeyond(this.#brought)) {
      weight += transfer.record.content.kind === 'user' ? PIECE_WEIGHT : 1;
      if (weight > FRAME_WEIGHT_MAX) break;
      next.push(transfer);
    }
    return next;
  }

  #sectionsOf(transfers: readonly OutgoingTransfer[]): Section[] {
    const { bits, account } = this.#tablet;
    const targets = [...new Set(transfers.map(({ target }) => target))];
    const done = transfers.map(({ target, record: { atMs, sequence } }) => {
      return { kind: 'transferDone', atMs, target, sequence } as const;
    });
    const sections = targets.map((tablet) => {
      const records = transfers.filter(({ target }) => target === tablet).map(({ record }) => record);
      return { account: account.name, tablet, records: encodeRecords(records) };
    });
    return [...sections, { account: account.name, tablet: bits, records: encodeRecords(done) }];
  }
}
