import type { Runs } from '../contract.ts';
import type { Packed } from './kernels.ts';
import { unpack } from './unpack.ts';

/** Rules counted at once: a bit each of a mask of MASK_WORDS. */
export const TALLY_RULES = 128;
export const MASK_WORDS = TALLY_RULES / 32;
/** A count is known up to here. */
export const TALLY_COUNT_MAX = 255;
/** Cleared between two yields. */
const WORDS_PER_STEP = 1 << 18;
/** Digits of a count that is not asked beyond 8, and of any other. */
const FEW_DIGITS = 3;
const MANY_DIGITS = 8;

/** So many rows: at most CHUNK_ROWS_MAX. */
export interface TallyRows {
  readonly rowCount: number;
  /** The class of each row. */
  readonly events: Packed;
  readonly values: Runs;
  readonly times: Runs;
  /** A run for each user, whose class is its ordinal; no ordinal has two of them. */
  readonly users: Runs;
}

/** A mask for each class: a row is counted for the rules whose bit is set in all of its three. */
export interface TallyMasks {
  readonly events: Uint32Array;
  readonly values: Uint32Array;
  readonly times: Uint32Array;
}

/** What is shown rows of users to count them for rules. */
export interface RowCounter {
  countRows(rows: TallyRows, masks: TallyMasks): void;
  /** Counts one row for the rules in a mask. */
  add(ordinal: number, mask: Uint32Array): void;
}

/**
 * Counts rows of users for up to TALLY_RULES rules at once: bit r of a user's planes has a digit of the user's count for
 * rule r, so that one addition of planes counts a row for all rules. Above the digits one more plane has what overflowed.
 */
export interface Tally extends RowCounter {
  /** To be done before anything else: begins at 0. In small steps. */
  clearSteps(): Generator<void, void>;
  /** Counts what `source` has for `target` too. */
  addUser(source: number, target: number): void;
  /**
   * Bit u of targets[r] = whether user u has at least thresholds[r] rows of rule r, for the users of [from, to), where
   * `from` begins a word; at most TALLY_USERS of them. Thresholds are 1 to `countMax`, and nothing is asked of rules without
   * a target. Writes whole words.
   */
  selectAtLeast(
    from: number,
    to: number,
    thresholds: Uint32Array,
    targets: readonly (Uint32Array | undefined)[],
  ): void;
  /** Ends it. */
  release(): void;
}

/** Rows that are counted at once: what is read of them stays in a near cache. */
export const TALLY_ROWS = 8192;

/** Users whose counts are compared at once. */
export const TALLY_USERS = 8192;

/** The tally in plain TypeScript: the oracle of the SIMD one, and what runs where there is no SIMD. */
export class PlainTally implements Tally {
  /** By user, then digit from the lowest, then word. */
  protected readonly planes: Uint32Array;
  protected readonly digits: number;

  constructor(planes: Uint32Array, countMax: number) {
    this.planes = planes;
    this.digits = digitsOf(countMax);
  }

  *clearSteps(): Generator<void, void> {
    for (let from = 0; from < this.planes.length; from += WORDS_PER_STEP) {
      this.planes.fill(0, from, from + WORDS_PER_STEP);
      yield;
    }
  }

  countRows({ rowCount, events, values, times, users }: TallyRows, masks: TallyMasks): void {
    const eventClasses = new Uint32Array(rowCount);
    unpack(events.packed, events.bits, 0, rowCount, eventClasses);
    const mask = new Uint32Array(MASK_WORDS);
    let [value, time, user] = [0, 0, 0];
    for (let row = 0; row < rowCount; row++) {
      while (values.ends[value]! <= row) value++;
      while (times.ends[time]! <= row) time++;
      while (users.ends[user]! <= row) user++;
      for (let w = 0; w < MASK_WORDS; w++) {
        mask[w] =
          masks.events[eventClasses[row]! * MASK_WORDS + w]! &
          masks.values[values.classes[value]! * MASK_WORDS + w]! &
          masks.times[times.classes[time]! * MASK_WORDS + w]!;
      }
      this.add(users.classes[user]!, mask);
    }
  }

  add(ordinal: number, mask: Uint32Array): void {
    const { planes, digits } = this;
    const first = ordinal * planeWords(digits);
    for (let w = 0; w < MASK_WORDS; w++) {
      let carry = mask[w]!;
      let at = first + w;
      for (let digit = 0; digit < digits && carry !== 0; digit++, at += MASK_WORDS) {
        const plane = planes[at]!;
        planes[at] = plane ^ carry;
        carry &= plane;
      }
      planes[first + digits * MASK_WORDS + w]! |= carry;
    }
  }

  addUser(source: number, target: number): void {
    const { planes, digits } = this;
    const words = planeWords(digits);
    for (let w = 0; w < MASK_WORDS; w++) {
      let carry = 0;
      let at = w;
      for (let digit = 0; digit < digits; digit++, at += MASK_WORDS) {
        const [a, b] = [planes[source * words + at]!, planes[target * words + at]!];
        planes[target * words + at] = a ^ b ^ carry;
        carry = (a & b) | (carry & (a | b));
      }
      planes[target * words + at]! |= planes[source * words + at]! | carry;
    }
  }

  selectAtLeast(
    from: number,
    to: number,
    thresholds: Uint32Array,
    targets: readonly (Uint32Array | undefined)[],
  ): void {
    for (const [rule, target] of targets.entries()) {
      if (target === undefined) continue;
      target.fill(0, from >>> 5, (to + 31) >>> 5);
      for (let user = from; user < to; user++) {
        if (this.#count(user, rule) >= thresholds[rule]!) target[user >>> 5]! |= 1 << (user & 31);
      }
    }
  }

  /** Infinity once it has overflowed. */
  #count(user: number, rule: number): number {
    const { planes, digits } = this;
    let count = 0;
    let at = user * planeWords(digits) + (rule >>> 5);
    for (let digit = 0; digit < digits; digit++, at += MASK_WORDS) {
      count |= ((planes[at]! >>> (rule & 31)) & 1) << digit;
    }
    return ((planes[at]! >>> (rule & 31)) & 1) === 1 ? Infinity : count;
  }

  release(): void {}
}

export function newPlainTally(userCount: number, countMax: number): PlainTally {
  return new PlainTally(new Uint32Array(tallyBytes(userCount, countMax) >>> 2), countMax);
}

/** What is kept of so many users. */
export function tallyBytes(userCount: number, countMax: number): number {
  return 4 * userCount * planeWords(digitsOf(countMax));
}

function digitsOf(countMax: number): number {
  return countMax <= 2 ** FEW_DIGITS ? FEW_DIGITS : MANY_DIGITS;
}

function planeWords(digits: number): number {
  return MASK_WORDS * (digits + 1);
}

/** Of each digit, and of what overflows, the bits of the rules' thresholds. Others are only reached by what overflows. */
export function thresholdPlanes(thresholds: Uint32Array, countMax: number): Uint32Array {
  const digits = digitsOf(countMax);
  const planes = new Uint32Array(planeWords(digits));
  for (let rule = 0; rule < TALLY_RULES; rule++) {
    const threshold = thresholds[rule] || 2 ** digits;
    for (let digit = 0; digit <= digits; digit++) {
      planes[digit * MASK_WORDS + (rule >>> 5)]! |= ((threshold >>> digit) & 1) << (rule & 31);
    }
  }
  return planes;
}
