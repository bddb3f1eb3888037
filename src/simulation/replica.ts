import type { LogEntry } from '../log/log.ts';
import type { DeleteRecord, LogRecord, SplitRecord } from '../log/record.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';
import { Directory } from '../shard/directory.ts';
import { applyRecords, applySplit } from '../tablet/apply.ts';
import type { Effects, SegmentChange } from '../tablet/effects.ts';
import { childrenOf } from '../tablet/placement.ts';
import { Tablet } from '../tablet/tablet.ts';
import { finish } from '../tablet/testTablet.ts';
import { checkSplit, contentsOf } from './splits.ts';

/** A change that a replica has seen, with the campaigns that were there before it. */
export interface ReplicaChange extends SegmentChange {
  readonly account: string;
  readonly campaigns: ReadonlySet<string>;
}

type OnDelete = (account: string, record: DeleteRecord, tablets: readonly Tablet[]) => void;

/** Every tablet of a log, applied one frame after the other with nothing in between: what replicas must equal. */
export class Replica {
  tablets: readonly Tablet[] = [];
  readonly #directory = new Directory(1);
  readonly #onDelete: OnDelete;

  /** `onDelete`: told of a deletion, with the account's tablets, when all that comes before it was applied. */
  constructor(onDelete: OnDelete = () => {}) {
    this.#onDelete = onDelete;
  }

  apply({ position, frame }: LogEntry): ReplicaChange[] {
    const seen: ReplicaChange[] = [];
    for (const { account, tablet: writtenFor, ...section } of decodeSections(frame)) {
      const records = decodeRecords(section.records);
      if (writtenFor === undefined) this.#directory.apply({ account, tablet: writtenFor, ...section });
      const tablets = this.#tabletsUnder(account, writtenFor ?? '');
      const applyAll = (some: readonly LogRecord[]) => {
        for (const tablet of tablets) {
          const campaigns = new Set(tablet.account.campaigns.keys());
          const { changes } = this.#apply(tablet, some, position, writtenFor);
          seen.push(...changes.map((change) => ({ ...change, account, campaigns })));
        }
      };
      const [first] = records;
      if (first?.kind === 'delete') {
        // Time goes first, so that nothing is intended and taken back at once.
        applyAll([{ kind: 'tick', atMs: first.atMs }]);
        this.#onDelete(account, first, tablets);
      }
      applyAll(records);
    }
    return seen;
  }

  #apply(
    tablet: Tablet,
    records: readonly LogRecord[],
    position: number,
    writtenFor: string | undefined,
  ): Effects {
    const [first] = records;
    if (first?.kind === 'split' && first.tablet === tablet.bits && !this.#isLeaf(tablet))
      return this.#split(tablet, first, position);
    return finish(applyRecords(tablet, records, position, writtenFor));
  }

  #split(parent: Tablet, split: SplitRecord, position: number): Effects {
    const [first, second] = childrenOf(parent.bits).map((bits) => new Tablet(parent.account.name, bits));
    // Time goes first, so that nothing but the split is between the two looks.
    const effects = finish(applyRecords(parent, [{ kind: 'tick', atMs: split.atMs }], position));
    const before = contentsOf([parent]);
    finish(applySplit(parent, [first!, second!], split, position));
    checkSplit(before, [first!, second!]);
    this.tablets = [...this.tablets.filter((tablet) => tablet !== parent), first!, second!];
    return effects;
  }

  #isLeaf({ account, bits }: Tablet): boolean {
    return this.#directory.get(account.name)!.state.tree.has(bits);
  }

  /** Makes those that the account's settings have just brought about. */
  #tabletsUnder(account: string, bits: string): readonly Tablet[] {
    const own = this.tablets.filter((tablet) => tablet.account.name === account);
    if (own.length > 0) return own.filter((tablet) => tablet.bits.startsWith(bits));
    const { leaves } = this.#directory.get(account)!.state.tree;
    const made = leaves.map((leaf) => new Tablet(account, leaf));
    this.tablets = [...this.tablets, ...made];
    return made;
  }
}
