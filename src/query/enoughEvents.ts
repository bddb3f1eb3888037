import type { Bitset } from '../base/bitset.ts';
import { arraysOf } from '../base/memoryBudget.ts';
import type { TabletView } from '../store/view.ts';
import type { PartSelection } from './partSelection.ts';
import { addMerged, satisfying } from './scan.ts';

/** Rows of a part whose users are noted one by one. */
const NOTED_ROWS_MAX = 1 << 14;

/**
 * Of users those who may have `least` different values of a property, one an event, in the selected rows: who has fewer
 * events need not be looked at. An array has many values, so whoever may have one is among them. Where it is not worth it,
 * all users.
 */
export function* usersWithEnoughSteps(
  view: TabletView,
  selections: readonly PartSelection[],
  users: Bitset,
  propertyCode: number | undefined,
  least: number,
): Generator<void, Bitset> {
  if (propertyCode === undefined) return users;
  const rowCounts = selections.map(({ any }) => any.count());
  yield;
  const rowCount = rowCounts.reduce((sum, count) => sum + count, 0);
  if (rowCount > least * users.count()) return users;
  const withArrays = selections.map(({ part }) => part.mayHaveArrays(propertyCode));
  if (withArrays.some((has, i) => has && rowCounts[i]! > NOTED_ROWS_MAX)) return users;
  const { count, canonical } = view.users;
  const bytes = count * Uint32Array.BYTES_PER_ELEMENT;
  view.budget?.charge(bytes);
  const arrays = arraysOf(view.budget);
  const counts = arrays.counts(count);
  for (const [i, { part, any }] of selections.entries()) {
    yield;
    if (!withArrays[i]) part.countByOrdinal(any, counts);
  }
  yield* addMerged(view.users, counts);
  for (const [i, { part, any }] of selections.entries()) {
    if (withArrays[i]) for (const row of any) counts[canonical[part.ordinalAt(row)]!] = least;
  }
  const found = yield* satisfying({ op: 'gte', value: least }, counts);
  arrays.giveBack(counts);
  view.budget?.release(bytes);
  return found.and(users);
}
