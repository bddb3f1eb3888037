import { assert } from '../base/assert.ts';
import type { LogRecord, SplitRecord } from '../log/record.ts';
import { decodeRecords, type Section } from '../log/sections.ts';
import { applyRecords, applySplit } from '../tablet/apply.ts';
import type { Effects } from '../tablet/effects.ts';
import type { Directory } from './directory.ts';
import type { Counts, Delivery } from './messages.ts';
import type { OwnedTablet, OwnedTablets } from './ownedTablets.ts';
import type { Slicer } from './slicer.ts';

/** Brings what the log has made durable to the tablets of one shard, in the log's order. */
export class Deliveries {
  readonly #tablets: OwnedTablets;
  readonly #directory: Directory;
  readonly #slicer: Slicer;
  readonly #applied: (owned: OwnedTablet, effects: Effects) => void;
  readonly #written: (owned: OwnedTablet) => void;

  constructor(options: {
    readonly tablets: OwnedTablets;
    readonly directory: Directory;
    readonly slicer: Slicer;
    /** What a frame's share caused. */
    readonly applied: (owned: OwnedTablet, effects: Effects) => void;
    /** A tablet, still whole, has its share of a delivery. */
    readonly written: (owned: OwnedTablet) => void;
  }) {
    this.#tablets = options.tablets;
    this.#directory = options.directory;
    this.#slicer = options.slicer;
    this.#applied = options.applied;
    this.#written = options.written;
  }

  /** Applies what one group commit made durable, each tablet its share in one turn. Resolves with counts by entry. */
  async apply(entries: readonly Delivery[]): Promise<readonly Counts[]> {
    const counts = entries.map(() => ({ accepted: 0, duplicate: 0, rejected: 0 }));
    const shares = new Map<OwnedTablet, FrameShare[]>();
    for (const [i, { position, sections }] of entries.entries()) {
      for (const section of sections) {
        for (const [owned, part] of this.#partsOf(section)) {
          const share = { ...part, position, counts: counts[i]! };
          const others = shares.get(owned);
          if (others === undefined) shares.set(owned, [share]);
          else others.push(share);
        }
      }
    }
    await Promise.all([...shares].map(([owned, share]) => this.#write(owned, share)));
    return counts;
  }

  /** The tablets here that a section is for, each with its part; account decisions reach the directory at once. */
  #partsOf(section: Section): (readonly [OwnedTablet, SectionPart])[] {
    const { account, tablet: writtenFor } = section;
    if (writtenFor !== undefined) {
      const part = { records: () => decodeRecords(section.records), writtenFor };
      return this.#tablets.under(account, writtenFor).map((owned) => [owned, part]);
    }
    const known = this.#tablets.of(account);
    const records = this.#directory.apply(section);
    const entry = this.#directory.get(account);
    assert(entry !== undefined, 'an account section makes its account known');
    const made = this.#tablets.ensure(entry);
    const [split] = records;
    const parent = split?.kind === 'split' && known.find(({ tablet }) => tablet.bits === split.tablet);
    if (!parent || entry.state.tree.has(split.tablet))
      return [...known, ...made].map((owned) => [owned, { records: () => records }]);
    this.#tablets.beginSplit(parent, made);
    return known.map((owned) => [owned, { records: () => records, ...(owned === parent && { split }) }]);
  }

  async #write(owned: OwnedTablet, shares: readonly FrameShare[]): Promise<void> {
    // Where there is room it takes its turn at once, so that a question that comes next finds it taken.
    if (owned.waitingForRoom > 0 || !owned.blocks.hasRoom || !owned.snapshots.hasRoom) {
      owned.waitingForRoom++;
      await owned.blocks.room();
      await owned.snapshots.room();
      owned.waitingForRoom--;
    }
    await owned.turns.write(async () => {
      if (shares.some(({ split }) => split !== undefined)) await owned.snapshots.closed();
      await this.#slicer.run(this.#applyShares(owned, shares), { isWrite: true });
    });
    if (owned.isSplit) return;
    owned.blocks.appended();
    this.#written(owned);
  }

  *#applyShares(owned: OwnedTablet, shares: readonly FrameShare[]): Generator<void> {
    for (const { position, records, writtenFor, split, counts } of shares) {
      if (split !== undefined) {
        yield* this.#split(owned, split, position);
        return;
      }
      const effects = yield* applyRecords(owned.tablet, records(), position, writtenFor);
      counts.accepted += effects.accepted;
      counts.duplicate += effects.duplicate;
      counts.rejected += effects.rejected;
      this.#applied(owned, effects);
      yield;
    }
  }

  *#split(parent: OwnedTablet, split: SplitRecord, position: number): Generator<void> {
    const [first, second] = parent.children;
    assert(first !== undefined && second !== undefined, 'a split was delivered first');
    const effects = yield* applySplit(parent.tablet, [first.tablet, second.tablet], split, position);
    this.#tablets.endSplit(parent);
    for (const [i, child] of [first, second].entries()) {
      child.blocks.appended();
      this.#applied(child, effects[i]!);
    }
  }
}

/** What one section has for one tablet. */
interface SectionPart {
  /** Decoded when their turn has come. */
  readonly records: () => readonly LogRecord[];
  /** The tablet that the section names, when it is for one: this one, or one that it came of. */
  readonly writtenFor?: string;
  /** The tablet's own split: nothing comes after it. */
  readonly split?: SplitRecord;
}

/** What one frame has for one tablet. */
interface FrameShare extends SectionPart {
  readonly position: number;
  /** Of the whole frame, added up over its tablets. */
  readonly counts: { accepted: number; duplicate: number; rejected: number };
}
