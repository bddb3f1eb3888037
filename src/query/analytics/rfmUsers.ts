import { DAY_MS } from '../../base/limits.ts';
import { arraysUntilClosed, type MemoryBudget } from '../../base/memoryBudget.ts';
import type { ArraySource } from '../../base/spareArrays.ts';
import type { EventPage } from '../eventPage.ts';

/** How recently, how often and for how much: what a user is judged by, each the more the better. */
export const RFM = ['recency', 'frequency', 'monetary'] as const;
export type RfmMeasure = (typeof RFM)[number];

const USERS_START = 1 << 12;
const USER_BYTES = 4 * 8;

/** Of each user with an event, his measures; until the query ends. */
export class RfmUsers {
  count = 0;
  /** Days since the last event, negative. */
  recency: Float64Array;
  /** Events. */
  frequency: Float64Array;
  /** The sum of their numbers, to 12 digits: as good as exact for amounts of money, however they are added up. */
  monetary: Float64Array;
  /** That sum as it was added up. */
  sums: Float64Array;
  readonly #endMs: number;
  readonly #budget: MemoryBudget | undefined;
  readonly #arrays: ArraySource;

  /** `endMs` is right after the range. */
  constructor(endMs: number, budget: MemoryBudget | undefined) {
    this.#endMs = endMs;
    this.#budget = budget;
    this.#arrays = arraysUntilClosed(budget);
    budget?.charge(USERS_START * USER_BYTES);
    this.recency = this.#arrays.numbers(USERS_START);
    this.frequency = this.#arrays.numbers(USERS_START);
    this.monetary = this.#arrays.numbers(USERS_START);
    this.sums = this.#arrays.numbers(USERS_START);
  }

  add({ userCount, starts, timesMs }: EventPage, numbers: Float64Array): void {
    this.#reserve(userCount);
    const { recency, frequency, monetary, sums } = this;
    let user = this.count;
    for (let u = 0; u < userCount; u++, user++) {
      const [from, to] = [starts[u]!, starts[u + 1]!];
      const sum = sumOf(numbers, from, to);
      recency[user] = 0 - daysBetween(timesMs[to - 1]!, this.#endMs);
      frequency[user] = to - from;
      monetary[user] = rounded(sum);
      sums[user] = sum;
    }
    this.count = user;
  }

  #reserve(userCount: number): void {
    const size = this.count + userCount;
    if (size <= this.sums.length) return;
    const length = Math.max(size, 2 * this.sums.length);
    this.#budget?.charge((length - this.sums.length) * USER_BYTES);
    for (const name of [...RFM, 'sums'] as const) {
      const longer = this.#arrays.numbers(length);
      longer.set(this[name].subarray(0, this.count));
      this.#arrays.giveBack(this[name]);
      this[name] = longer;
    }
  }
}

/** Whole days from a time to the last instant before the end. */
function daysBetween(timeMs: number, endMs: number): number {
  return Math.floor((endMs - 1 - timeMs) / DAY_MS);
}

function sumOf(numbers: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) if (!Number.isNaN(numbers[i]!)) sum += numbers[i]!;
  return sum;
}

const DIGITS = 12;
/** Beyond, powers of ten are not exact. */
const EXPONENT_MAX = 22;

/** To DIGITS significant digits. */
export function rounded(number: number): number {
  if (number === 0) return 0;
  const exponent = DIGITS - 1 - Math.floor(Math.log10(Math.abs(number)));
  if (Math.abs(exponent) > EXPONENT_MAX) return Number(number.toPrecision(DIGITS));
  const power = POWERS[Math.abs(exponent)]!;
  return exponent < 0 ? Math.round(number / power) * power : Math.round(number * power) / power;
}

const POWERS = Float64Array.from({ length: EXPONENT_MAX + 1 }, (_, exponent) => Number(`1e${exponent}`));
