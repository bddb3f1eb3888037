import type { LogEntry } from '../log/log.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';
import { Directory } from '../shard/directory.ts';
import { applyRecords } from '../tablet/apply.ts';
import { Tablet } from '../tablet/tablet.ts';

/** Every tablet of a log, applied one frame after the other with nothing in between: what replicas must equal. */
export class Replica {
  readonly tablets: Tablet[] = [];
  readonly #directory = new Directory(1);

  apply({ position, frame }: LogEntry): void {
    for (const section of decodeSections(frame)) {
      if (section.tablet === undefined) {
        this.#directory.apply(section);
        this.#makeTablets(section.account);
      }
      const records = decodeRecords(section.records);
      for (const tablet of this.tablets) {
        if (tablet.account.name !== section.account) continue;
        if (section.tablet === undefined || section.tablet === tablet.bits)
          finish(applyRecords(tablet, records, position));
      }
    }
  }

  #makeTablets(account: string): void {
    for (const bits of this.#directory.get(account)!.tree.leaves) {
      const exists = this.tablets.some((tablet) => tablet.account.name === account && tablet.bits === bits);
      if (!exists) this.tablets.push(new Tablet(account, bits));
    }
  }
}

function finish(steps: Generator<void, unknown>): void {
  while (steps.next().done !== true);
}
