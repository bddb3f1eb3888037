import { assert } from '../base/assert.ts';
import { Fifo } from '../base/fifo.ts';
import type { LogRecord, SplitRecord } from '../log/record.ts';
import type { Tablet } from '../tablet/tablet.ts';
import type { BlockKeeping } from './blockKeeping.ts';
import type { Tally } from './counts.ts';
import type { AccountEntry, Directory } from './directory.ts';
import { Snapshots } from './snapshots.ts';
import type { TransferBringer } from './transferBringer.ts';
import { Turns } from './turns.ts';

/** A tablet with its owner's bookkeeping. */
export class OwnedTablet {
  readonly tablet: Tablet;
  readonly bringer: TransferBringer;
  readonly blocks: BlockKeeping;
  readonly turns = new Turns();
  readonly snapshots: Snapshots;
  /** What was delivered and is not applied, in the log's order. */
  readonly unapplied = new Fifo<FrameShare>();
  /** Until that is empty. */
  isTakingTurns = false;
  /** False for what is to come of a split that is not done. */
  isWhole = true;
  /** There are some from the place of the log on at which it splits. */
  children: readonly OwnedTablet[] = [];
  /** Everything has gone to the children. */
  isSplit = false;
  /** Tells the children so. */
  tellSplit: () => void = () => {};

  constructor(options: Pick<OwnedTablet, 'tablet' | 'bringer' | 'blocks'>) {
    this.tablet = options.tablet;
    this.snapshots = new Snapshots(options.tablet);
    this.bringer = options.bringer;
    this.blocks = options.blocks;
  }

  /** Resolves when everything delivered so far has been applied. */
  async upToDate(): Promise<void> {
    const { last } = this.unapplied;
    if (last !== undefined) await new Promise<void>((resolve) => last.waiting.push(resolve));
  }
}

/** What one section has for one tablet. */
export interface SectionPart {
  /** Decoded when their turn has come. */
  readonly records: () => readonly LogRecord[];
  readonly bytes: number;
  /** The tablet that the section names, when it is for one: this one, or one that it came of. */
  readonly writtenFor?: string;
  /** The tablet's own split: nothing comes after it. */
  readonly split?: SplitRecord;
}

/** What one frame has for one tablet. */
export interface FrameShare extends SectionPart {
  readonly position: number;
  /** Of the whole frame, added up over its tablets. */
  readonly counts: Tally;
  /** Told when it is applied: the delivery first, then whoever asks for what came before. */
  readonly waiting: (() => void)[];
}

/** The tablets of one shard, and who has what while some of them split. */
export class OwnedTablets {
  readonly #index: number;
  readonly #directory: Directory;
  readonly #make: (account: string, bits: string) => OwnedTablet;
  readonly #tablets = new Map<string, OwnedTablet>();
  /** Their split was delivered and is not done; an older one comes before those that are to come of it. */
  readonly #splitting = new Set<OwnedTablet>();

  /** `index`: of the shard. */
  constructor(options: {
    readonly index: number;
    readonly directory: Directory;
    readonly make: (account: string, bits: string) => OwnedTablet;
  }) {
    this.#index = options.index;
    this.#directory = options.directory;
    this.#make = options.make;
  }

  /** Those that have what they stand for now. */
  whole(): readonly OwnedTablet[] {
    return [...this.#splitting, ...this.#tablets.values()].filter(({ isWhole }) => isWhole);
  }

  /** As of the last delivery: those that are to come of a split are among them, instead of the one that splits. */
  of(account: string): readonly OwnedTablet[] {
    return [...this.#tablets.values()].filter(({ tablet }) => tablet.account.name === account);
  }

  /** The tablet, or those that have come of it by splits. */
  under(account: string, bits: string): readonly OwnedTablet[] {
    const whole = this.#tablets.get(keyOf(account, bits));
    if (whole !== undefined) return [whole];
    const owned = this.of(account).filter(({ tablet }) => tablet.bits.startsWith(bits));
    assert(owned.length > 0, 'a section is delivered to the owner of its tablet');
    return owned;
  }

  /** The tablet that now has what belongs to users of this id; its owner is this shard. */
  homeOf(account: string, id: string): OwnedTablet {
    const entry = this.#directory.get(account);
    assert(entry !== undefined, 'an account with tablets is known');
    const leaf = entry.state.tree.tabletOf(id);
    for (const parent of this.#splitting) {
      if (parent.tablet.account.name === account && leaf.startsWith(parent.tablet.bits)) return parent;
    }
    const home = this.#tablets.get(keyOf(account, leaf));
    assert(home !== undefined, 'this shard owns the tablet');
    return home;
  }

  /**
   * Makes those that the directory knows and that are not there yet: when the account's first settings arrive (before
   * that nobody can know how many), and when a tablet splits. Gives the new ones.
   */
  ensure(entry: AccountEntry): readonly OwnedTablet[] {
    const account = entry.state.name;
    const missing = entry.state.tree.leaves.filter(
      (bits) =>
        !this.#tablets.has(keyOf(account, bits)) && this.#directory.ownerOf(entry, bits) === this.#index,
    );
    return missing.map((bits) => {
      const owned = this.#make(account, bits);
      this.#tablets.set(keyOf(account, bits), owned);
      return owned;
    });
  }

  /** From this place of the log on there are the children. Their first turn is to wait for what the parent has. */
  beginSplit(parent: OwnedTablet, children: readonly OwnedTablet[]): void {
    this.#tablets.delete(keyOf(parent.tablet.account.name, parent.tablet.bits));
    this.#splitting.add(parent);
    parent.children = children;
    const isSplit = new Promise<void>((resolve) => {
      parent.tellSplit = resolve;
    });
    for (const child of children) {
      child.isWhole = false;
      void child.turns.write(() => isSplit);
    }
  }

  /** The children have everything. */
  endSplit(parent: OwnedTablet): void {
    this.#splitting.delete(parent);
    parent.isSplit = true;
    for (const child of parent.children) child.isWhole = true;
    parent.tellSplit();
  }
}

function keyOf(account: string, bits: string): string {
  return `${account}/${bits}`;
}
