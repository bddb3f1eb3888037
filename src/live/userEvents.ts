import type { Part } from '../store/part.ts';
import { readTrail } from '../store/trail.ts';
import type { TabletView } from '../store/view.ts';
import type { LiveEvent } from './condition.ts';

/** Every stored event of a user, those of merged users included. */
export function userEvents(view: TabletView, ordinal: number): LiveEvent[] {
  const trail = readTrail(view.events, [ordinal, ...view.users.mergedInto(ordinal)]);
  return trail.map(({ part, row }) => eventAt(view, part, row));
}

export function eventAt({ schema }: TabletView, part: Part, row: number): LiveEvent {
  return {
    event: schema.eventName(part.eventAt(row)),
    timeMs: part.timeAt(row),
    property: (prop) => {
      const code = schema.propertyCode(prop);
      return code === undefined ? undefined : part.valueAt(row, code);
    },
  };
}
