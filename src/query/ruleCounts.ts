import { Bitset } from '../base/bitset.ts';
import type { MemoryBudget } from '../base/memoryBudget.ts';
import { kernels } from '../encoding/kernels/kernels.ts';
import { type Comparison, countsThatSatisfy } from './criterion.ts';
import type { RuleLists } from './ruleClasses.ts';
import { RULE_COUNT_MAX } from './rules.ts';

/** Events of a rule that are put down before they are counted. */
const STAGED = 2048;
/** Looked at between two looks at what is full: each is put down at most once for a rule. */
const EVENTS_PER_STEP = 512;
const STAGED_BYTES = 4;
/** With an event for one in so many users, a byte for each of them takes less than a longer list, and less time. */
const USERS_PER_LISTED = 16;

/** How many events each user has that a rule wants, up to RULE_COUNT_MAX, of many rules. */
export class RuleCounts {
  readonly #userCount: number;
  readonly #budget: MemoryBudget | undefined;
  /** STAGED ordinals of each rule. */
  readonly #staged: Uint32Array;
  readonly #stagedCounts: Uint32Array;
  readonly #users: readonly UserCounts[];
  /** A byte a user, 0 between two uses. */
  readonly #scratch: Uint8ClampedArray;

  constructor(ruleCount: number, userCount: number, budget: MemoryBudget | undefined) {
    this.#userCount = userCount;
    this.#budget = budget;
    budget?.charge(ruleCount * STAGED * STAGED_BYTES + userCount);
    this.#staged = new Uint32Array(ruleCount * STAGED);
    this.#stagedCounts = new Uint32Array(ruleCount);
    this.#users = Array.from({ length: ruleCount }, () => new UserCounts(userCount, budget));
    this.#scratch = new Uint8ClampedArray(userCount);
  }

  /** Counts events, one a class, for the rules that want them. Times are read as far as the lists need them. */
  add(classes: Uint32Array, ordinals: Uint32Array, timesMs: Float64Array, lists: RuleLists): void {
    for (let from = 0; from < classes.length; from += EVENTS_PER_STEP) {
      const to = Math.min(from + EVENTS_PER_STEP, classes.length);
      stage(classes, ordinals, timesMs, lists, from, to, this.#staged, this.#stagedCounts);
      for (let rule = 0; rule < this.#users.length; rule++) {
        if (this.#stagedCounts[rule]! > STAGED - EVENTS_PER_STEP) this.#unstage(rule);
      }
    }
  }

  /** The ordinals of which the comparison holds. */
  select(rule: number, compare: Comparison): Bitset {
    this.#unstage(rule);
    const { from, to } = countsThatSatisfy(compare);
    const ordinals =
      from > to ? new Bitset(this.#userCount) : this.#users[rule]!.select(from, to, this.#scratch);
    return compare.op === 'neq' ? ordinals.not() : ordinals;
  }

  /** Ends it. */
  release(): void {
    for (const users of this.#users) users.release();
    this.#budget?.release(this.#staged.byteLength + this.#userCount);
  }

  #unstage(rule: number): void {
    const from = rule * STAGED;
    this.#users[rule]!.add(this.#staged.subarray(from, from + this.#stagedCounts[rule]!));
    this.#stagedCounts[rule] = 0;
  }
}

/** Events of one rule: a list of their users, or a byte a user once they are many. */
class UserCounts {
  readonly #userCount: number;
  readonly #budget: MemoryBudget | undefined;
  #listed = new Uint32Array(0);
  #listedCount = 0;
  /** Then nothing is listed. */
  #counts: Uint8ClampedArray | undefined;

  constructor(userCount: number, budget: MemoryBudget | undefined) {
    this.#userCount = userCount;
    this.#budget = budget;
  }

  add(ordinals: Uint32Array): void {
    if (this.#counts === undefined && !this.#hasRoom(ordinals.length)) {
      this.#budget?.charge(this.#userCount);
      this.#counts = new Uint8ClampedArray(this.#userCount);
      count(this.#listed.subarray(0, this.#listedCount), this.#counts);
      this.#budget?.release(this.#listed.byteLength);
      this.#listed = new Uint32Array(0);
    }
    if (this.#counts !== undefined) {
      count(ordinals, this.#counts);
      return;
    }
    this.#listed.set(ordinals, this.#listedCount);
    this.#listedCount += ordinals.length;
  }

  /** The ordinals with from <= count <= to. `scratch` is all 0, and left so. */
  select(from: number, to: number, scratch: Uint8ClampedArray): Bitset {
    if (this.#counts === undefined) {
      const ordinals = from === 0 ? Bitset.full(this.#userCount) : new Bitset(this.#userCount);
      const listed = this.#listed.subarray(0, this.#listedCount);
      count(listed, scratch);
      markCounted(listed, scratch, from, to, ordinals.words);
      return ordinals;
    }
    const ordinals = new Bitset(this.#userCount);
    const bytes = new Uint8Array(this.#counts.buffer);
    const most = Math.min(to, RULE_COUNT_MAX);
    kernels().selectRange(bytes, 8, from, most, this.#userCount, ordinals.words);
    return ordinals;
  }

  release(): void {
    this.#budget?.release(this.#listed.byteLength + (this.#counts?.byteLength ?? 0));
  }

  /** Whether the list has room for so many more, or was given it. */
  #hasRoom(more: number): boolean {
    const needed = this.#listedCount + more;
    if (needed <= this.#listed.length) return true;
    if (needed > Math.max(STAGED, this.#userCount / USERS_PER_LISTED)) return false;
    const longer = new Uint32Array(2 * needed);
    this.#budget?.charge(longer.byteLength - this.#listed.byteLength);
    longer.set(this.#listed.subarray(0, this.#listedCount));
    this.#listed = longer;
    return true;
  }
}

/** Puts down the ordinals of events [from, to) for each rule that wants them. */
function stage(
  classes: Uint32Array,
  ordinals: Uint32Array,
  timesMs: Float64Array,
  { rules, starts, checked, fromMs, toMs }: RuleLists,
  from: number,
  to: number,
  staged: Uint32Array,
  stagedCounts: Uint32Array,
): void {
  for (let i = from; i < to; i++) {
    const ruleClass = classes[i]!;
    const ordinal = ordinals[i]!;
    const checkedFrom = checked[ruleClass]!;
    const end = starts[ruleClass + 1]!;
    let at = starts[ruleClass]!;
    for (; at < checkedFrom; at++) {
      const rule = rules[at]!;
      staged[rule * STAGED + stagedCounts[rule]!++] = ordinal;
    }
    if (at === end) continue;
    const timeMs = timesMs[i]!;
    for (; at < end; at++) {
      const rule = rules[at]!;
      if (timeMs >= fromMs[rule]! && timeMs < toMs[rule]!)
        staged[rule * STAGED + stagedCounts[rule]!++] = ordinal;
    }
  }
}

/** Clamped counts stay at the most. */
function count(ordinals: Uint32Array, counts: Uint8ClampedArray): void {
  for (let i = 0; i < ordinals.length; i++) counts[ordinals[i]!]!++;
}

/** Sets the bits of the ordinals as their counts say, and makes those 0 again. */
function markCounted(
  ordinals: Uint32Array,
  counts: Uint8ClampedArray,
  from: number,
  to: number,
  words: Uint32Array,
): void {
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i]!;
    const found = counts[ordinal]!;
    if (found === 0) continue;
    counts[ordinal] = 0;
    const bit = 1 << (ordinal & 31);
    if (found >= from && found <= to) words[ordinal >>> 5]! |= bit;
    else words[ordinal >>> 5]! &= ~bit;
  }
}
