import type { TransferContent, TransferRecord } from '../log/record.ts';
import { SetHash, StateHash } from '../store/stateHash.ts';

/**
 * A tablet's side of merges across tablets (decision 2a). Transfers from one tablet to another are numbered from 1, go
 * out in that order and are taken in that order, so one number per neighbour says what has been taken.
 */
export class Transfers {
  /** Per target: transfers not yet known to be taken, oldest first. */
  readonly #pending = new Map<string, TransferRecord[]>();
  readonly #sent = new Map<string, number>();
  readonly #done = new Map<string, number>();
  readonly #received = new Map<string, number>();

  /** Numbers a transfer and keeps it until it is done. */
  send(transfer: {
    readonly atMs: number;
    readonly source: string;
    readonly target: string;
    readonly anonymousId: string;
    readonly userId: string;
    readonly content: TransferContent;
  }): OutgoingTransfer {
    const { target, ...rest } = transfer;
    const sequence = (this.#sent.get(target) ?? 0) + 1;
    this.#sent.set(target, sequence);
    const record: TransferRecord = { kind: 'transfer', ...rest, sequence };
    const pending = this.#pending.get(target);
    if (pending === undefined) this.#pending.set(target, [record]);
    else pending.push(record);
    return { target, record };
  }

  /** The transfer that is done now; undefined when this was known before. */
  done(target: string, sequence: number): TransferRecord | undefined {
    const [oldest] = this.#pending.get(target) ?? [];
    if (oldest?.sequence !== sequence) return undefined;
    this.#pending.get(target)!.shift();
    // Until the last piece the user is still seen here: a query must not find the tablets in agreement.
    if (oldest.content.kind !== 'user' || oldest.content.last) this.#done.set(target, sequence);
    return oldest;
  }

  /** Whether this transfer is new here. A repeated one is not. */
  receive(source: string, sequence: number): boolean {
    if (sequence !== (this.#received.get(source) ?? 0) + 1) return false;
    this.#received.set(source, sequence);
    return true;
  }

  /** What the owner must bring to the log, again after a restart; per target in order. */
  pending(): OutgoingTransfer[] {
    return [...this.pendingBeyond(new Map())];
  }

  /** Those of `pending` that are numbered above what is given for their target. */
  *pendingBeyond(brought: ReadonlyMap<string, number>): Generator<OutgoingTransfer> {
    for (const [target, records] of this.#pending) {
      const first = records[0]?.sequence ?? 0;
      const known = Math.max(0, (brought.get(target) ?? 0) + 1 - first);
      for (let i = known; i < records.length; i++) yield { target, record: records[i]! };
    }
  }

  /** For queries: two tablets show a merged user once when the target's `received` equals the source's `done`. */
  epochs(): MergeEpochs {
    return { done: Object.fromEntries(this.#done), received: Object.fromEntries(this.#received) };
  }

  hashInto(hash: StateHash): void {
    const member = new StateHash();
    for (const counters of [this.#sent, this.#done, this.#received]) {
      const members = new SetHash();
      for (const [neighbour, sequence] of counters) members.add(member.text(neighbour).number(sequence));
      hash.set(members);
    }
    for (const { target, record } of this.pending()) hash.text(target).text(JSON.stringify(record));
  }
}

export interface OutgoingTransfer {
  readonly target: string;
  readonly record: TransferRecord;
}

export interface MergeEpochs {
  readonly done: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
}

/** Whether what these tablets (by prefix bits) answered shows every merged user exactly once. */
export function epochsAgree(tablets: ReadonlyMap<string, MergeEpochs>): boolean {
  for (const [source, { done }] of tablets) {
    for (const [target, sequence] of Object.entries(done)) {
      if ((tablets.get(target)?.received[source] ?? 0) !== sequence) return false;
    }
  }
  for (const [target, { received }] of tablets) {
    for (const [source, sequence] of Object.entries(received)) {
      if ((tablets.get(source)?.done[target] ?? 0) !== sequence) return false;
    }
  }
  return true;
}
