import type { MemoryBudget } from '../../base/memoryBudget.ts';
import { type Brackets, fifthWithin, OPEN } from './quintiles.ts';
import { RFM, type RfmMeasure, type RfmUsers } from './rfmUsers.ts';

/**
 * A tablet's users in classes: each has three scores, in the order of RFM. Where a score is OPEN, the class has only
 * users of one value, by which the score will be known.
 */
export interface RfmPart {
  readonly scores: Uint8Array;
  readonly values: Float64Array;
  /** By class. */
  readonly users: Float64Array;
  readonly sums: Float64Array;
  /** By measure: users by score, where that is not OPEN. */
  readonly counts: Readonly<Record<RfmMeasure, Float64Array>>;
  /** By measure, by edge: the least value past its bracket; Infinity for none. */
  readonly leastPast: Readonly<Record<RfmMeasure, Float64Array>>;
}

const USERS_PER_STEP = 1 << 12;
const SURE_CLASSES = 125;
/** With its key, and in the part. */
const OPEN_CLASS_BYTES = 300;

export class RfmScores {
  readonly #brackets: Readonly<Record<RfmMeasure, Brackets>>;
  readonly #counts = {
    recency: new Float64Array(5),
    frequency: new Float64Array(5),
    monetary: new Float64Array(5),
  };
  readonly #leastPast = { recency: infinities(), frequency: infinities(), monetary: infinities() };
  /** Of classes without OPEN scores: by recency, frequency, monetary. */
  readonly #sureUsers = new Float64Array(SURE_CLASSES);
  readonly #sureSums = new Float64Array(SURE_CLASSES);
  readonly #open = new Map<string, OpenClass>();
  readonly #budget: MemoryBudget | undefined;

  constructor(brackets: Readonly<Record<RfmMeasure, Brackets>>, budget: MemoryBudget | undefined) {
    this.#brackets = brackets;
    this.#budget = budget;
  }

  *addSteps(users: RfmUsers): Generator<void, void> {
    for (let user = 0; user < users.count; user++) {
      if (user % USERS_PER_STEP === 0) yield;
      const recency = this.#scoreOf('recency', users.recency[user]!);
      const frequency = this.#scoreOf('frequency', users.frequency[user]!);
      const monetary = this.#scoreOf('monetary', users.monetary[user]!);
      if (recency !== OPEN && frequency !== OPEN && monetary !== OPEN) {
        const at = sureClass(recency, frequency, monetary);
        this.#sureUsers[at]!++;
        this.#sureSums[at]! += users.sums[user]!;
      } else this.#addOpen([recency, frequency, monetary], users, user);
    }
  }

  part(): RfmPart {
    const scores: number[] = [];
    const values: number[] = [];
    const users: number[] = [];
    const sums: number[] = [];
    for (let at = 0; at < SURE_CLASSES; at++) {
      if (this.#sureUsers[at] === 0) continue;
      scores.push(Math.floor(at / 25) + 1, (Math.floor(at / 5) % 5) + 1, (at % 5) + 1);
      values.push(0, 0, 0);
      users.push(this.#sureUsers[at]!);
      sums.push(this.#sureSums[at]!);
    }
    for (const open of this.#open.values()) {
      scores.push(...open.scores);
      values.push(...open.values);
      users.push(open.users);
      sums.push(open.sum);
    }
    return {
      scores: Uint8Array.from(scores),
      values: Float64Array.from(values),
      users: Float64Array.from(users),
      sums: Float64Array.from(sums),
      counts: this.#counts,
      leastPast: this.#leastPast,
    };
  }

  #scoreOf(measure: RfmMeasure, value: number): number {
    const brackets = this.#brackets[measure];
    const score = fifthWithin(brackets, value);
    if (score !== OPEN) this.#counts[measure][score - 1]!++;
    const leastPast = this.#leastPast[measure];
    for (let k = 0; k < 4; k++) {
      if (value > brackets.highs[k]! && value < leastPast[k]!) leastPast[k] = value;
    }
    return score;
  }

  #addOpen(scores: readonly number[], users: RfmUsers, user: number): void {
    const values = RFM.map((measure, i) => (scores[i] === OPEN ? users[measure][user]! : 0));
    const key = `${scores} ${values}`;
    let open = this.#open.get(key);
    if (open === undefined) {
      this.#budget?.charge(OPEN_CLASS_BYTES);
      open = { scores, values, users: 0, sum: 0 };
      this.#open.set(key, open);
    }
    open.users++;
    open.sum += users.sums[user]!;
  }
}

interface OpenClass {
  readonly scores: readonly number[];
  readonly values: readonly number[];
  users: number;
  sum: number;
}

function sureClass(recency: number, frequency: number, monetary: number): number {
  return (recency - 1) * 25 + (frequency - 1) * 5 + monetary - 1;
}

function infinities(): Float64Array {
  return new Float64Array(4).fill(Number.POSITIVE_INFINITY);
}
