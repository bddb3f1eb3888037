import type { TabletView } from '../store/view.ts';
import type { Condition } from './condition.ts';
import { eventAt } from './userEvents.ts';

/** Rows looked at between two yields: some hundreds of microseconds. */
const ROWS_PER_STEP = 512;

/** Tells new conditions of every event that is stored, part by part. */
export function* fillConditions(
  view: TabletView,
  conditions: readonly Condition[],
  clockMs: number,
): Generator<void> {
  const byCode = new Map<number, Condition[]>();
  for (let code = 0; code < view.schema.eventCount; code++) {
    const touched = conditions.filter((condition) => condition.events.has(view.schema.eventName(code)));
    if (touched.length > 0) byCode.set(code, touched);
  }
  let rows = 0;
  for (const part of view.events.parts()) {
    const codes = [...byCode.keys()].filter((code) => part.mayHaveEvent(code));
    if (codes.length === 0) continue;
    for (const row of part.selectEvents(codes)) {
      if (rows++ % ROWS_PER_STEP === 0) yield;
      const ordinal = view.users.canonical[part.ordinalAt(row)]!;
      if (view.users.isGone(ordinal)) continue;
      const event = eventAt(view, part, row);
      for (const condition of byCode.get(part.eventAt(row))!) condition.onEvent(ordinal, event, clockMs);
    }
  }
}
