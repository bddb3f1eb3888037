import type { Clock } from '../base/clock.ts';
import { MemoryBudget } from '../base/memoryBudget.ts';
import { runOperation } from '../tablet/operations.ts';
import type { TabletSnapshot } from '../tablet/snapshot.ts';
import type { Question, TabletAnswer } from './messages.ts';
import type { OwnedTablet, OwnedTablets } from './ownedTablets.ts';
import type { Slicer } from './slicer.ts';

/** Answers questions about the tablets of one shard, from snapshots. */
export class Answers {
  readonly #tablets: OwnedTablets;
  readonly #slicer: Slicer;
  readonly #clock: Clock;
  readonly #queryBytesMax: number;

  constructor(options: {
    readonly tablets: OwnedTablets;
    readonly slicer: Slicer;
    readonly clock: Clock;
    /** What one question may take. */
    readonly queryBytesMax: number;
  }) {
    this.#tablets = options.tablets;
    this.#slicer = options.slicer;
    this.#clock = options.clock;
    this.#queryBytesMax = options.queryBytesMax;
  }

  /**
   * Each tablet answers from a snapshot of its own, which has everything that was delivered before the question came.
   * Rejects with the signal's reason, or `too_large`.
   */
  async answer({ account, tablet, operation, args }: Question, signal: AbortSignal): Promise<TabletAnswer[]> {
    const owned = this.#tablets
      .of(account)
      .filter((owned) => tablet === undefined || owned.tablet.bits === tablet);
    const budget = new MemoryBudget(this.#queryBytesMax);
    const open = async (owned: OwnedTablet): Promise<readonly OpenTablet[]> => {
      const snapshot = await owned.turns.look(() =>
        owned.isSplit ? undefined : owned.snapshots.open(budget),
      );
      return snapshot === undefined
        ? (await Promise.all(owned.children.map(open))).flat()
        : [{ owned, snapshot }];
    };
    // All of them before the first is opened: whoever has one open may keep another's writes waiting for room.
    await Promise.all(owned.map((each) => each.upToDate()));
    const opened = (await Promise.all(owned.map(open))).flat();
    try {
      const steps = answersInTurn(opened, (snapshot) => runOperation(snapshot, operation, args, this.#clock));
      return await this.#slicer.run(steps, { signal, account });
    } finally {
      for (const { owned, snapshot } of opened) owned.snapshots.close(snapshot);
    }
  }
}

interface OpenTablet {
  readonly owned: OwnedTablet;
  readonly snapshot: TabletSnapshot;
}

/**
 * One tablet after the other, so that what is held while a tablet is worked on is held once, however many there are.
 * Takes each off the list and closes it when it is done.
 */
function* answersInTurn(
  opened: OpenTablet[],
  ask: (snapshot: TabletSnapshot) => Generator<void, unknown>,
): Generator<void, TabletAnswer[]> {
  const answers: TabletAnswer[] = [];
  for (let next = opened[0]; next !== undefined; next = opened[0]) {
    const { owned, snapshot } = next;
    const part = yield* ask(snapshot);
    const { epochs, tablets } = snapshot;
    answers.push({ tablet: owned.tablet.bits, part, epochs, tablets });
    owned.snapshots.close(snapshot);
    opened.shift();
  }
  return answers;
}
