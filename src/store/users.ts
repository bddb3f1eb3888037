import { assert } from '../base/assert.ts';
import type { Bitset } from '../base/bitset.ts';
import { IdList } from '../base/idList.ts';
import { IdTable } from '../base/idTable.ts';
import { ORDINALS_MAX } from '../base/limits.ts';
import { PagedList } from '../base/pagedList.ts';
import type { UserRef } from '../log/record.ts';
import { MergeList } from './mergeList.ts';
import { hasBit, OrdinalBits } from './ordinalBits.ts';
import { SetHash, StateHash } from './stateHash.ts';
import type { UsersView } from './view.ts';

/**
 * A tablet's users. Each id ever seen gets the next ordinal and keeps it; merging changes only which ordinal is the
 * canonical one, so that rows written under the old one need not be touched.
 */
export class Users implements UsersView {
  /** Ids by ordinal. Known and anonymous ids are two name spaces, so two tables. */
  readonly #ids = new IdList();
  readonly #known = new IdTable(this.#ids);
  readonly #anonymous = new IdTable(this.#ids);
  /** Anonymous ids that belong to known users of other tablets, and these. */
  readonly #forwardedIds = new IdList();
  readonly #forwardTargets = new IdList();
  readonly #forwards = new IdTable(this.#forwardedIds);
  /** A target's latest forward, and of each forward the one before it with the same target, NONE for the first. */
  readonly #latestForwards = new IdTable(this.#forwardTargets);
  readonly #previousForwards = new PagedList<number>((size) => new Int32Array(size));
  #goneCount = 0;
  #erasedCount = 0;

  readonly #latestEventMs = new PagedList<number>((size) => new Float64Array(size));
  /**
   * Who is merged into whom, as rings: a canonical ordinal points to the last one merged into it (to itself when there
   * is none), that one to the first, and so on in the order of the merges.
   */
  readonly #ring = new PagedList<number>((size) => new Uint32Array(size));
  readonly merges = new MergeList();
  /** In one piece, for kernels: growing copies 4 bytes a user, 1.6 ms at a tablet's million. */
  #canonical = new Uint32Array(ORDINALS_AT_FIRST);
  readonly #withEvents = new OrdinalBits();
  readonly #isKnown = new OrdinalBits();
  /** Those that others stand for, and those that stand for nobody. */
  readonly #merged = new OrdinalBits();
  readonly #gone = new OrdinalBits();
  /** Snapshots in use, and whether one of them has `#canonical`, which is then copied before it is changed. */
  #snapshots = 0;
  #canonicalIsShared = false;
  /** Ordinals whose ids are to be erased when no snapshot is in use. */
  readonly #idsToErase: number[] = [];
  /** While one is: of an id that came again, the ordinal that stands for nobody, by the one that it has now. */
  readonly #earlierOrdinals = new Map<number, number>();

  get count(): number {
    return this.#ids.length;
  }

  /** Ordinals that stand for someone. */
  get hereCount(): number {
    return this.count - this.#goneCount;
  }

  get canonical(): Uint32Array {
    return this.#canonical;
  }

  get withEvents(): Uint32Array {
    return this.#withEvents.words;
  }

  get merged(): Uint32Array {
    return this.#merged.words;
  }

  get memoryBytes(): number {
    const bits = [this.#withEvents, this.#isKnown, this.#merged, this.#gone];
    const perOrdinal =
      this.#canonical.byteLength +
      bits.reduce((total, { byteLength }) => total + byteLength, 0) +
      this.#ring.capacity * (8 + 4);
    const tables = [this.#known, this.#anonymous, this.#forwards, this.#latestForwards];
    const ids = [this.#ids, this.#forwardedIds, this.#forwardTargets];
    const others = [...tables, ...ids, this.merges];
    return (
      perOrdinal +
      this.#previousForwards.capacity * 4 +
      others.reduce((total, { memoryBytes }) => total + memoryBytes, 0)
    );
  }

  /** As it is now, for as long as it takes until `close`. */
  snapshot(): UsersSnapshot {
    this.#snapshots++;
    this.#canonicalIsShared = true;
    const { count } = this;
    const canonical = this.#canonical;
    const gone = this.#gone.share();
    const ring = this.#ring.snapshot();
    const latestEventMs = this.#latestEventMs.snapshot();
    const isGone = (ordinal: number) => hasBit(gone, ordinal);
    return {
      count,
      canonical,
      withEvents: this.#withEvents.share(),
      merged: this.#merged.share(),
      find: (user) => {
        let ordinal = this.#tableOf(user).find(user.id);
        while (ordinal >= count) ordinal = this.#earlierOrdinals.get(ordinal) ?? NONE;
        return ordinal === NONE || isGone(ordinal) ? NONE : canonical[ordinal]!;
      },
      refOf: (ordinal) => this.refOf(ordinal),
      mergedInto: (ordinal) => ringOf(ring, canonical, ordinal),
      isGone,
      latestEventMs: (ordinal) => latestEventMs.get(ordinal),
      forwardOf: (anonymousId) => this.forwardOf(anonymousId),
      close: () => {
        if (--this.#snapshots > 0) return;
        this.#canonicalIsShared = false;
        for (const bits of [this.#withEvents, this.#merged, this.#gone]) bits.unshare();
        this.#earlierOrdinals.clear();
        this.#eraseIds();
      },
    };
  }

  find(user: UserRef): number {
    const ordinal = this.#tableOf(user).find(user.id);
    return ordinal === -1 || this.isGone(ordinal) ? -1 : this.#canonical[ordinal]!;
  }

  /** The canonical ordinal, of a new user if need be; -1 when the tablet has ORDINALS_MAX and the user is not among them. */
  ensure(user: UserRef): number {
    const found = this.find(user);
    return found === -1 ? this.#create(user) : found;
  }

  refOf(ordinal: number): UserRef {
    return { known: this.#isKnown.has(ordinal), id: this.#ids.get(ordinal) };
  }

  /** Alone: what a split asks of every user. */
  idOf(ordinal: number): string {
    return this.#ids.get(ordinal);
  }

  mergedInto(ordinal: number): readonly number[] {
    return ringOf(this.#ring, this.#canonical, ordinal);
  }

  /**
   * From now on `source` and all that was merged into it stand for `target`. Both are canonical, different, and of this
   * tablet; users who came from another one are added by `addForeign`.
   */
  merge(source: number, target: number): void {
    assert(source !== target, 'a user is not merged into itself');
    assert(this.#isCanonical(source), 'the source of a merge is canonical');
    assert(this.#isCanonical(target), 'the target of a merge is canonical');
    this.#ownCanonical();
    for (const merged of this.mergedInto(source)) {
      this.#canonical[merged] = target;
      this.#appendToRing(target, merged);
    }
    this.#canonical[source] = target;
    this.#merged.set(source, true);
    this.#withEvents.set(source, false);
    this.#appendToRing(target, source);
    this.noteEvent(target, this.#latestEventMs.get(source));
  }

  /**
   * An anonymous user of another tablet who was merged into a known user of this one: the ordinal for the events that
   * come along, the same when it is asked for again. -1 as for `ensure`.
   */
  addForeign(anonymousId: string, target: number): number {
    const anonymous: UserRef = { known: false, id: anonymousId };
    const canonical = this.ensure(anonymous);
    if (canonical === -1) return -1;
    const ordinal = this.#anonymous.find(anonymousId);
    if (canonical === ordinal) this.merge(ordinal, target);
    return ordinal;
  }

  /**
   * This tablet's anonymous id belongs to a known user of another tablet, for as long as there is that user; the first
   * owner stays. False, and nothing is kept, when there have been ORDINALS_MAX such ids.
   */
  forward(anonymousId: string, userId: string): boolean {
    if (this.#forwards.find(anonymousId) !== -1) return true;
    const forward = this.#forwardedIds.length;
    if (forward === ORDINALS_MAX) return false;
    this.#forwardedIds.push(anonymousId);
    this.#forwardTargets.push(userId);
    this.#previousForwards.push(this.#latestForwards.find(userId));
    this.#forwards.put(anonymousId, forward);
    this.#latestForwards.put(userId, forward);
    return true;
  }

  forwardOf(anonymousId: string): string | undefined {
    const forward = this.#forwards.find(anonymousId);
    return forward === -1 ? undefined : this.#forwardTargets.get(forward);
  }

  /** This tablet's anonymous ids that are forwarded to the known user of another one, the latest first. */
  forwardedTo(userId: string): readonly string[] {
    return this.#forwardsTo(userId).map((forward) => this.#forwardedIds.get(forward));
  }

  /** These belong to nobody any more. */
  eraseForwardsTo(userId: string): void {
    for (const forward of this.#forwardsTo(userId)) {
      this.#forwardedIds.erase(forward);
      this.#forwardTargets.erase(forward);
    }
  }

  /** The user is deleted: leaves, as by `drop`, in small steps; the ids go too, as soon as no snapshot is in use. */
  *erase(ordinal: number): Generator<void> {
    const all = [...this.mergedInto(ordinal), ordinal];
    this.#beginDrop(ordinal);
    for (const [i, gone] of all.entries()) {
      if (i % ORDINALS_PER_STEP === ORDINALS_PER_STEP - 1) yield;
      this.#dropOne(gone);
      this.#idsToErase.push(gone);
    }
    this.#erasedCount++;
    if (this.#snapshots === 0) this.#eraseIds();
  }

  /** How many users were erased, each whole. */
  get erasedCount(): number {
    return this.#erasedCount;
  }

  /** The user has left: the ordinal and all merged into it stand for nobody. Their id, seen again, is a new user. */
  drop(ordinal: number): void {
    const all = [...this.mergedInto(ordinal), ordinal];
    this.#beginDrop(ordinal);
    for (const gone of all) this.#dropOne(gone);
  }

  /**
   * Takes over from a tablet that splits those who are `here`, under the same ordinals; the others stand for nobody.
   * An anonymous id whose home is here, merged into a user who is not, is forwarded. The table is empty before.
   */
  *inherit(parent: Users, here: Bitset, isHome: (id: string) => boolean): Generator<void> {
    this.#withEvents.inherit(parent.#withEvents, here);
    yield;
    this.#isKnown.inherit(parent.#isKnown, here);
    yield;
    this.#merged.inherit(parent.#merged, here);
    yield;
    this.#gone.fillFrom(here.copy().not());
    this.#goneCount = parent.count - here.count();
    this.#canonical = new Uint32Array(parent.#canonical.length);
    yield* this.merges.inherit(parent.merges, here);
    yield* this.#ids.inherit(parent.#ids, here);
    yield* this.#latestEventMs.inherit(parent.#latestEventMs, here, () => Number.NEGATIVE_INFINITY);
    yield* this.#ring.inherit(parent.#ring, here, (ordinal) => ordinal);
    yield* this.#known.inherit(parent.#known, here);
    yield* this.#anonymous.inherit(parent.#anonymous, here);
    for (let from = 0; from < parent.count; from += ORDINALS_PER_STEP) {
      yield;
      const to = Math.min(from + ORDINALS_PER_STEP, parent.count);
      this.#canonical.set(parent.#canonical.subarray(from, to), from);
      for (let ordinal = from; ordinal < to; ordinal++) {
        if (!here.has(ordinal) && parent.#canonical[ordinal] !== ordinal)
          this.#inheritMerged(parent, ordinal, isHome);
      }
    }
    for (let i = 0; i < parent.#forwardedIds.length; i++) {
      if (i % ORDINALS_PER_STEP === 0) yield;
      const id = parent.#forwardedIds.get(i);
      if (parent.#isForward(i, id) && isHome(id)) this.forward(id, parent.#forwardTargets.get(i));
    }
  }

  isGone(ordinal: number): boolean {
    return this.#gone.has(ordinal);
  }

  /** Ordinals that stand for nobody any more: since the beginning, since none comes back. */
  get goneCount(): number {
    return this.#goneCount;
  }

  /** A bit per ordinal, set for those. */
  goneOrdinals(): Uint32Array {
    return this.#gone.words.slice(0, (this.count + 31) >>> 5);
  }

  /** A row was stored under this ordinal. */
  noteEvent(ordinal: number, timeMs: number): void {
    const canonical = this.#canonical[ordinal]!;
    if (timeMs <= this.#latestEventMs.get(canonical)) return;
    this.#latestEventMs.set(canonical, timeMs);
    this.#withEvents.set(canonical, true);
  }

  latestEventMs(ordinal: number): number {
    return this.#latestEventMs.get(ordinal);
  }

  /** Whether the user counts among all users (INTERFACE §4): a canonical ordinal with an event or a trait retained. */
  retained(ordinal: number, nowMs: number, retentionMs: number | undefined, hasTraits: boolean): boolean {
    if (!this.#isCanonical(ordinal)) return false;
    const visibleAfterMs = retentionMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - retentionMs;
    return hasTraits || this.#latestEventMs.get(ordinal) > visibleAfterMs;
  }

  /** Users by their ids: the numbering is not part of the logical state. */
  hashInto(hash: StateHash): void {
    const member = new StateHash();
    const users = new SetHash();
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      if (!this.#isCanonical(ordinal)) continue;
      member.number(this.#latestEventMs.get(ordinal));
      for (const same of [ordinal, ...this.mergedInto(ordinal)]) {
        const { known, id } = this.refOf(same);
        member.boolean(known).text(id);
      }
      users.add(member);
    }
    const forwards = new SetHash();
    for (let i = 0; i < this.#forwardedIds.length; i++) {
      const id = this.#forwardedIds.get(i);
      if (this.#isForward(i, id)) forwards.add(member.text(id).text(this.#forwardTargets.get(i)));
    }
    hash.set(users).set(forwards);
  }

  /** Numbers of forwards, the latest first. */
  #forwardsTo(userId: string): readonly number[] {
    const forwards: number[] = [];
    let forward = this.#latestForwards.find(userId);
    for (; forward !== NONE; forward = this.#previousForwards.get(forward)) forwards.push(forward);
    return forwards;
  }

  /** Whether the forward of this number, of this id, was not erased. */
  #isForward(forward: number, id: string): boolean {
    return this.#forwards.find(id) === forward;
  }

  #beginDrop(ordinal: number): void {
    assert(this.#isCanonical(ordinal), 'only a user who is here can leave');
    this.merges.drop(ordinal);
    this.#ownCanonical();
  }

  #dropOne(gone: number): void {
    this.#gone.set(gone, true);
    this.#merged.set(gone, false);
    this.#goneCount++;
    this.#canonical[gone] = gone;
    this.#ring.set(gone, gone);
    this.#latestEventMs.set(gone, Number.NEGATIVE_INFINITY);
    this.#withEvents.set(gone, false);
  }

  #eraseIds(): void {
    for (const ordinal of this.#idsToErase.splice(0)) this.#ids.erase(ordinal);
  }

  #create(user: UserRef): number {
    const ordinal = this.count;
    if (ordinal === ORDINALS_MAX) return -1;
    if (ordinal === this.#canonical.length) this.#grow();
    this.#canonical[ordinal] = ordinal;
    if (user.known) this.#isKnown.set(ordinal, true);
    this.#ring.push(ordinal);
    this.#latestEventMs.push(Number.NEGATIVE_INFINITY);
    const table = this.#tableOf(user);
    if (this.#snapshots > 0) {
      const earlier = table.find(user.id);
      if (earlier !== NONE) this.#earlierOrdinals.set(ordinal, earlier);
    }
    this.#ids.push(user.id);
    table.put(user.id, ordinal);
    return ordinal;
  }

  /** An ordinal that is not here any more, of an id that may be at home here. */
  #inheritMerged(parent: Users, ordinal: number, isHome: (id: string) => boolean): void {
    this.#canonical[ordinal] = ordinal;
    const id = parent.#ids.get(ordinal);
    if (isHome(id)) this.forward(id, parent.#ids.get(parent.#canonical[ordinal]!));
  }

  #isCanonical(ordinal: number): boolean {
    return this.#canonical[ordinal] === ordinal && !this.isGone(ordinal);
  }

  #tableOf(user: UserRef): IdTable {
    return user.known ? this.#known : this.#anonymous;
  }

  #appendToRing(target: number, merged: number): void {
    const last = this.#ring.get(target);
    this.merges.add(merged, target, last === target);
    this.#ring.set(merged, last === target ? merged : this.#ring.get(last));
    if (last !== target) this.#ring.set(last, merged);
    this.#ring.set(target, merged);
  }

  /** Before anything below `count` is changed in it. */
  #ownCanonical(): void {
    if (!this.#canonicalIsShared) return;
    this.#canonical = this.#canonical.slice();
    this.#canonicalIsShared = false;
  }

  #grow(): void {
    this.#canonical = doubled(this.#canonical);
    for (const bits of [this.#withEvents, this.#isKnown, this.#merged, this.#gone])
      bits.reserve(this.#canonical.length);
    this.#canonicalIsShared = false;
  }
}

/** The users of one moment. `forwardOf` is of that moment only until the tablet changes. */
export interface UsersSnapshot extends UsersView {
  forwardOf(anonymousId: string): string | undefined;
  /** It is not used any more. */
  close(): void;
}

function ringOf(ring: PagedList<number>, canonical: Uint32Array, ordinal: number): readonly number[] {
  const last = ring.get(ordinal);
  if (last === ordinal || canonical[ordinal] !== ordinal) return [];
  const merged: number[] = [];
  let next = last;
  do {
    next = ring.get(next);
    merged.push(next);
  } while (next !== last);
  return merged;
}

function doubled(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(numbers.length * 2);
  more.set(numbers);
  return more;
}

const NONE = -1;
const ORDINALS_AT_FIRST = 256;
const ORDINALS_PER_STEP = 2048;
