import type { LogEntry } from '../log/log.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';
import { Directory } from '../shard/directory.ts';
import { applyRecords } from '../tablet/apply.ts';
import type { SegmentChange } from '../tablet/effects.ts';
import { Tablet } from '../tablet/tablet.ts';
import { finish } from '../tablet/testTablet.ts';

/** A change that a replica has seen, with the campaigns that were there before it. */
export interface ReplicaChange extends SegmentChange {
  readonly account: string;
  readonly campaigns: ReadonlySet<string>;
}

/** Every tablet of a log, applied one frame after the other with nothing in between: what replicas must equal. */
export class Replica {
  readonly tablets: Tablet[] = [];
  readonly #directory = new Directory(1);

  apply({ position, frame }: LogEntry): ReplicaChange[] {
    const seen: ReplicaChange[] = [];
    for (const section of decodeSections(frame)) {
      if (section.tablet === undefined) {
        this.#directory.apply(section);
        this.#makeTablets(section.account);
      }
      const records = decodeRecords(section.records);
      for (const tablet of this.tablets) {
        const { name: account, campaigns } = tablet.account;
        if (account !== section.account) continue;
        if (section.tablet !== undefined && section.tablet !== tablet.bits) continue;
        const before = new Set(campaigns.keys());
        const { changes } = finish(applyRecords(tablet, records, position));
        seen.push(...changes.map((change) => ({ ...change, account, campaigns: before })));
      }
    }
    return seen;
  }

  #makeTablets(account: string): void {
    for (const bits of this.#directory.get(account)!.tree.leaves) {
      const exists = this.tablets.some((tablet) => tablet.account.name === account && tablet.bits === bits);
      if (!exists) this.tablets.push(new Tablet(account, bits));
    }
  }
}
