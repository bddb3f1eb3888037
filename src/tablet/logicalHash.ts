import { SetHash, StateHash } from '../store/stateHash.ts';
import { readTrail } from '../store/trail.ts';
import type { Tablet } from './tablet.ts';

/**
 * The logical state hash of a tablet, 16 hex digits: equal on every replica, after every crash and in the simulator,
 * however its rows are cut into blocks and its tables laid out (docs/spec/tablet.md, invariant 3).
 */
export function logicalHash(tablet: Tablet): string {
  const hash = new StateHash();
  hash.number(tablet.clockMs).number(tablet.position);
  hashEvents(tablet, hash);
  for (const part of [
    tablet.account,
    tablet.schema,
    tablet.users,
    tablet.dedupe,
    tablet.transfers,
    tablet.erasures,
    tablet.deadLetters,
    tablet.live,
    tablet.outbox,
  ]) {
    part.hashInto(hash);
  }
  tablet.profiles.hashInto(hash, tablet.users);
  for (const total of Object.values(tablet.totals)) hash.number(total);
  const { hi, lo } = hash.digest();
  return hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0');
}

/** Every retained row: whose, its place among the user's, and all it holds. */
function hashEvents(tablet: Tablet, hash: StateHash): void {
  const { retentionMs } = tablet.settings;
  const fromMs = retentionMs === undefined ? undefined : tablet.clockMs - retentionMs + 1;
  const rows = new SetHash();
  const row = new StateHash();
  for (let ordinal = 0; ordinal < tablet.users.count; ordinal++) {
    // Rows of who has left, or was deleted, are there until they are compacted away.
    if (tablet.users.canonical[ordinal] !== ordinal || tablet.users.isGone(ordinal)) continue;
    const { known, id } = tablet.users.refOf(ordinal);
    const ordinals = [ordinal, ...tablet.users.mergedInto(ordinal)];
    const trail = readTrail(tablet.events, ordinals, fromMs === undefined ? {} : { fromMs });
    for (const [place, { part, row: r, timeMs }] of trail.entries()) {
      row.boolean(known).text(id).number(place).number(timeMs).number(part.eventAt(r));
      for (const [code, value] of part.propertiesAt(r)) row.number(code).value(value);
      rows.add(row);
    }
  }
  hash.set(rows);
}
