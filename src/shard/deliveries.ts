import { assert } from '../base/assert.ts';
import type { SplitRecord } from '../log/record.ts';
import { decodeRecords, type Section } from '../log/sections.ts';
import { applyRecords, applySplit } from '../tablet/apply.ts';
import type { Effects } from '../tablet/effects.ts';
import { addCounts, noCounts } from './counts.ts';
import type { Directory } from './directory.ts';
import type { Counts, Delivery } from './messages.ts';
import type { OwnedTablet, OwnedTablets, SectionPart } from './ownedTablets.ts';
import type { Slicer } from './slicer.ts';

/** Some ten milliseconds of work. */
const TURN_BYTES_MAX = 256 << 10;

/** Brings what the log has made durable to the tablets of one shard, in the log's order. */
export class Deliveries {
  readonly #tablets: OwnedTablets;
  readonly #directory: Directory;
  readonly #slicer: Slicer;
  readonly #applied: (owned: OwnedTablet, effects: Effects) => void;
  readonly #written: (owned: OwnedTablet) => void;
  readonly #failed: (error: unknown) => void;
  readonly #turnBytesMax: number;

  constructor(options: {
    readonly tablets: OwnedTablets;
    readonly directory: Directory;
    readonly slicer: Slicer;
    /** What a frame's share caused. */
    readonly applied: (owned: OwnedTablet, effects: Effects) => void;
    /** A tablet, still whole, has had a turn. */
    readonly written: (owned: OwnedTablet) => void;
    /** Hears of what must not happen: a frame that cannot be applied. */
    readonly failed: (error: unknown) => void;
    /** What one turn applies; TURN_BYTES_MAX unless it is given. */
    readonly turnBytesMax?: number | undefined;
  }) {
    this.#tablets = options.tablets;
    this.#directory = options.directory;
    this.#slicer = options.slicer;
    this.#applied = options.applied;
    this.#written = options.written;
    this.#failed = options.failed;
    this.#turnBytesMax = options.turnBytesMax ?? TURN_BYTES_MAX;
  }

  /**
   * Applies what one group commit made durable. Resolves with counts by entry. It is with its tablets, to be waited
   * for, before this returns.
   */
  async apply(entries: readonly Delivery[]): Promise<readonly Counts[]> {
    const counts = entries.map(noCounts);
    const concerned = new Set<OwnedTablet>();
    const applied: Promise<void>[] = [];
    for (const [i, { position, sections }] of entries.entries()) {
      for (const section of sections) {
        for (const [owned, part] of this.#partsOf(section)) {
          applied.push(
            new Promise((resolve) => {
              owned.unapplied.push({ ...part, position, counts: counts[i]!, waiting: [resolve] });
            }),
          );
          concerned.add(owned);
        }
      }
    }
    for (const owned of concerned) if (!owned.isTakingTurns) this.#takeTurns(owned).catch(this.#failed);
    await Promise.all(applied);
    return counts;
  }

  /** The tablets here that a section is for, each with its part; account decisions reach the directory at once. */
  #partsOf(section: Section): (readonly [OwnedTablet, SectionPart])[] {
    const { account, tablet: writtenFor } = section;
    if (writtenFor !== undefined) {
      const { records } = section;
      const part = { records: () => decodeRecords(records), bytes: records.length, writtenFor };
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
      return [...known, ...made].map((owned) => [owned, { records: () => records, bytes: 0 }]);
    this.#tablets.beginSplit(parent, made);
    return known.map((owned) => [
      owned,
      { records: () => records, bytes: 0, ...(owned === parent && { split }) },
    ]);
  }

  /** Until nothing is left. What comes while a turn waits, or works, is in it: turns get fewer as they get longer. */
  async #takeTurns(owned: OwnedTablet): Promise<void> {
    owned.isTakingTurns = true;
    for (let next = owned.unapplied.first; next !== undefined; next = owned.unapplied.first) {
      const { split } = next;
      if (!owned.blocks.hasRoom || !owned.snapshots.hasRoom) {
        await owned.blocks.room();
        await owned.snapshots.room();
      }
      await owned.turns.write(async () => {
        if (split !== undefined) await owned.snapshots.closed();
        const steps =
          split === undefined ? this.#applyShares(owned) : this.#split(owned, split, next.position);
        await this.#slicer.run(steps, { isWrite: true });
      });
      if (split !== undefined) {
        owned.unapplied.take();
        for (const resolve of next.waiting) resolve();
        assert(owned.unapplied.length === 0, 'a tablet gets nothing after its split');
        return;
      }
      owned.blocks.appended();
      this.#written(owned);
    }
    owned.isTakingTurns = false;
  }

  /** As much as one turn may, or up to what somebody waits for: whoever looks at the tablet does so between turns. */
  *#applyShares(owned: OwnedTablet): Generator<void> {
    let bytes = 0;
    while (bytes < this.#turnBytesMax) {
      const { first: share } = owned.unapplied;
      if (share === undefined || share.split !== undefined) return;
      const { records, position, writtenFor, counts, waiting } = share;
      const effects = yield* applyRecords(owned.tablet, records(), position, writtenFor);
      addCounts(counts, effects);
      bytes += share.bytes;
      owned.unapplied.take();
      this.#applied(owned, effects);
      for (const resolve of waiting) resolve();
      if (waiting.length > 1) return;
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
