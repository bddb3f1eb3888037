import { Bitset, ctz32 } from '../base/bitset.ts';
import { arraysOf, arraysUntilClosed, type MemoryBudget } from '../base/memoryBudget.ts';
import { kernels } from '../encoding/kernels/chosen.ts';
import { PAIR_ORDINAL_BITS } from '../encoding/kernels/matches.ts';
import {
  type RowCounter,
  TALLY_USERS,
  type Tally,
  type TallyMasks,
  type TallyRows,
  tallyBytes,
} from '../encoding/kernels/tally.ts';
import type { TabletView, UsersView } from '../store/view.ts';
import { ListedPairs, listedBytes } from './listedPairs.ts';

/** Pairs of a row and a rule for each user up to which they are listed: a tally takes far more memory than so many. */
const LISTED_PER_USER = 2;
const LISTED_MIN = 1 << 16;
/** Words of 32 ordinals, all of which may be merged, between two yields. */
const MERGED_WORDS_PER_STEP = 1 << 9;

/** Of each rule, by threshold, the ordinals that have at least so many rows. */
export type UsersWithAtLeast = readonly ReadonlyMap<number, Bitset>[];

/**
 * How many rows users have for each of up to TALLY_RULES rules. Where they are expected to be few they are listed; when they are
 * not, or turn out not to be, a tally counts them.
 */
export class RuleCounts implements RowCounter {
  readonly #users: UsersView;
  readonly #budget: MemoryBudget | undefined;
  /** Greatest threshold that is asked about. */
  readonly #countMax: number;
  readonly #pairsMax: number;
  #listed: ListedPairs | undefined;
  #tally: Tally | undefined;
  #bytes = 0;

  /** `expected`: pairs of a row and a rule that wants it. `pairsMin`: so many are listed however few the users; fewer for tests. */
  constructor(
    { users, budget }: Pick<TabletView, 'users' | 'budget'>,
    countMax: number,
    expected: number,
    pairsMin = LISTED_MIN,
  ) {
    this.#users = users;
    this.#budget = budget;
    this.#countMax = countMax;
    this.#pairsMax = Math.max(pairsMin, LISTED_PER_USER * users.count);
    if (expected > this.#pairsMax / 2 || users.count > 1 << PAIR_ORDINAL_BITS) return;
    this.#charge(listedBytes(this.#pairsMax));
    this.#listed = new ListedPairs(arraysUntilClosed(budget));
  }

  countRows(rows: TallyRows, masks: TallyMasks): void {
    if (this.#listed === undefined) this.#tally!.countRows(rows, masks);
    else kernels().listMatches(rows, masks, (pairs) => this.#listed!.push(pairs));
  }

  add(ordinal: number, mask: Uint32Array): void {
    if (this.#listed === undefined) this.#tally!.add(ordinal, mask);
    else this.#listed.add(ordinal, mask);
  }

  /** To be done before rows are counted, and again after some thousands of them. */
  *roomSteps(): Generator<void, void> {
    const listed = this.#listed;
    if (this.#tally !== undefined || (listed !== undefined && listed.count <= this.#pairsMax)) return;
    this.#charge(tallyBytes(this.#users.count, this.#countMax));
    const tally = kernels().newTally(this.#users.count, this.#countMax);
    yield* tally.clearSteps();
    this.#tally = tally;
    if (listed === undefined) return;
    yield* listed.addToSteps(tally);
    this.#listed = undefined;
    this.#release(listedBytes(this.#pairsMax));
  }

  /** Once all rows are counted. What merged ordinals have counts for those who stand for them. */
  *atLeastSteps(thresholds: readonly (readonly number[])[]): Generator<void, UsersWithAtLeast> {
    const found: Map<number, Bitset>[] = [];
    for (const ofRule of thresholds) {
      found.push(new Map(ofRule.map((each) => [each, this.#noUsers()])));
      yield;
    }
    if (this.#listed !== undefined)
      yield* this.#listed.selectSteps(this.#users, arraysOf(this.#budget), found);
    else yield* selectSteps(this.#tally!, this.#users, found);
    return found;
  }

  release(): void {
    this.#tally?.release();
    this.#release(this.#bytes);
  }

  /** Until the query ends. */
  #noUsers(): Bitset {
    const users = Bitset.takeFrom(arraysUntilClosed(this.#budget), this.#users.count);
    users.words.fill(0);
    return users;
  }

  #charge(bytes: number): void {
    this.#budget?.charge(bytes);
    this.#bytes += bytes;
  }

  #release(bytes: number): void {
    this.#budget?.release(bytes);
    this.#bytes -= bytes;
  }
}

function* selectSteps(tally: Tally, users: UsersView, found: UsersWithAtLeast): Generator<void, void> {
  yield* addMerged(users, tally);
  const thresholds = found.map((ofRule) => [...ofRule.keys()]);
  const rounds = Math.max(0, ...thresholds.map(({ length }) => length));
  for (let round = 0; round < rounds; round++) {
    const ofRound = Uint32Array.from(thresholds, (ofRule) => ofRule[round] ?? 0);
    const targets = found.map((ofRule, rule) => ofRule.get(ofRound[rule]!)?.words);
    for (let from = 0; from < users.count; from += TALLY_USERS) {
      tally.selectAtLeast(from, Math.min(from + TALLY_USERS, users.count), ofRound, targets);
      yield;
    }
  }
}

/** Adds what merged ordinals have to those who stand for them. */
function* addMerged({ count, canonical, merged }: UsersView, tally: Tally): Generator<void, void> {
  for (let w = 0; w << 5 < count; w++) {
    if (w % MERGED_WORDS_PER_STEP === 0) yield;
    for (let word = merged[w]!; word !== 0; word &= word - 1) {
      const ordinal = (w << 5) + ctz32(word);
      if (ordinal < count) tally.addUser(ordinal, canonical[ordinal]!);
    }
  }
}
