import { Bitset } from '../base/bitset.ts';
import type { MemoryBudget } from '../base/memoryBudget.ts';
import { kernels } from '../encoding/kernels/kernels.ts';
import { BATCH_ROWS } from '../store/part.ts';
import { type Comparison, countsThatSatisfy } from './criterion.ts';
import type { RuleLists } from './ruleClasses.ts';
import { RULE_COUNT_MAX } from './rules.ts';

/** Events of a rule that are listed in any case. */
const LISTED_MIN = 1024;
/** With an event for one in so many users, a byte for each of them takes less than a longer list, and less time. */
const USERS_PER_LISTED = 16;

/** Of the events looked at, those of a class together. */
const sortedOrdinals = new Uint32Array(BATCH_ROWS);
const sortedTimesMs = new Float64Array(BATCH_ROWS);
/** Of a class, those of a rule's times. */
const keptOrdinals = new Uint32Array(BATCH_ROWS);

/** How many events each user has that a rule wants, up to RULE_COUNT_MAX, of many rules. */
export class RuleCounts {
  readonly #userCount: number;
  readonly #budget: MemoryBudget | undefined;
  readonly #users: readonly UserCounts[];
  /** A byte a user, 0 between two uses. */
  readonly #scratch: Uint8ClampedArray;

  constructor(ruleCount: number, userCount: number, budget: MemoryBudget | undefined) {
    this.#userCount = userCount;
    this.#budget = budget;
    budget?.charge(userCount);
    this.#users = Array.from({ length: ruleCount }, () => new UserCounts(userCount, budget));
    this.#scratch = new Uint8ClampedArray(userCount);
  }

  /**
   * Counts up to BATCH_ROWS events for the rules that want them, a class at a time: what depends on the class is done in
   * loops that do the same for each event. Times may be anything where no class's rules are checked.
   */
  add(classes: Uint32Array, ordinals: Uint32Array, timesMs: Float64Array, lists: RuleLists): void {
    const { rules, starts, checked, fromMs, toMs } = lists;
    const ends = sortByClass(classes, ordinals, timesMs, checked.length);
    for (let ruleClass = 1; ruleClass < checked.length; ruleClass++) {
      const from = ends[ruleClass - 1]!;
      const to = ends[ruleClass]!;
      if (from === to) continue;
      let at = starts[ruleClass]!;
      for (; at < checked[ruleClass]!; at++) this.#users[rules[at]!]!.add(sortedOrdinals, from, to);
      for (; at < starts[ruleClass + 1]!; at++) {
        const rule = rules[at]!;
        const count = keepTimes(from, to, fromMs[rule]!, toMs[rule]!);
        this.#users[rule]!.add(keptOrdinals, 0, count);
      }
    }
  }

  /** The ordinals of which the comparison holds. */
  select(rule: number, compare: Comparison): Bitset {
    const { from, to } = countsThatSatisfy(compare);
    const ordinals =
      from > to ? new Bitset(this.#userCount) : this.#users[rule]!.select(from, to, this.#scratch);
    return compare.op === 'neq' ? ordinals.not() : ordinals;
  }

  /** Ends it. */
  release(): void {
    for (const users of this.#users) users.release();
    this.#budget?.release(this.#userCount);
  }
}

/** Sorts the events into sortedOrdinals and sortedTimesMs; returns where those of each class end. */
function sortByClass(
  classes: Uint32Array,
  ordinals: Uint32Array,
  timesMs: Float64Array,
  classCount: number,
): Uint32Array {
  const ends = new Uint32Array(classCount);
  for (let i = 0; i < classes.length; i++) ends[classes[i]!]!++;
  let before = 0;
  for (let each = 0; each < classCount; each++) {
    const count = ends[each]!;
    ends[each] = before;
    before += count;
  }
  for (let i = 0; i < classes.length; i++) {
    const at = ends[classes[i]!]!++;
    sortedOrdinals[at] = ordinals[i]!;
    sortedTimesMs[at] = timesMs[i]!;
  }
  return ends;
}

/** Puts those of [from, to) whose time is in [fromMs, toMs) into keptOrdinals; how many. */
function keepTimes(from: number, to: number, fromMs: number, toMs: number): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    const timeMs = sortedTimesMs[i]!;
    keptOrdinals[count] = sortedOrdinals[i]!;
    count += (timeMs >= fromMs ? 1 : 0) & (timeMs < toMs ? 1 : 0);
  }
  return count;
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

  /** Those in [from, to). */
  add(ordinals: Uint32Array, from: number, to: number): void {
    if (this.#counts === undefined && !this.#hasRoom(to - from)) {
      this.#budget?.charge(this.#userCount);
      this.#counts = new Uint8ClampedArray(this.#userCount);
      count(this.#listed, 0, this.#listedCount, this.#counts);
      this.#budget?.release(this.#listed.byteLength);
      this.#listed = new Uint32Array(0);
    }
    if (this.#counts !== undefined) {
      count(ordinals, from, to, this.#counts);
      return;
    }
    copy(ordinals, from, to, this.#listed, this.#listedCount);
    this.#listedCount += to - from;
  }

  /** The ordinals with from <= count <= to. `scratch` is all 0, and left so. */
  select(from: number, to: number, scratch: Uint8ClampedArray): Bitset {
    if (this.#counts === undefined) {
      const ordinals = from === 0 ? Bitset.full(this.#userCount) : new Bitset(this.#userCount);
      const listed = this.#listed.subarray(0, this.#listedCount);
      count(listed, 0, listed.length, scratch);
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
    if (needed > Math.max(LISTED_MIN, this.#userCount / USERS_PER_LISTED)) return false;
    const longer = new Uint32Array(2 * needed);
    this.#budget?.charge(longer.byteLength - this.#listed.byteLength);
    longer.set(this.#listed.subarray(0, this.#listedCount));
    this.#listed = longer;
    return true;
  }
}

function copy(source: Uint32Array, from: number, to: number, target: Uint32Array, at: number): void {
  for (let i = from; i < to; i++) target[at + i - from] = source[i]!;
}

/** Clamped counts stay at the most. */
function count(ordinals: Uint32Array, from: number, to: number, counts: Uint8ClampedArray): void {
  for (let i = from; i < to; i++) counts[ordinals[i]!]!++;
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
