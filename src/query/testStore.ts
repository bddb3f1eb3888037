import { EventStore, type StoreJobOptions } from '../store/events.ts';
import { Profiles } from '../store/profiles/profiles.ts';
import { Schema } from '../store/schema.ts';
import { Users } from '../store/users.ts';
import type { TabletView } from '../store/view.ts';
import type { TestTablet } from './testView.ts';

/** The same tablet as `testView`'s in the real store, cut into small blocks: queries must not tell them apart. */
export function testStore(tablet: TestTablet): TabletView {
  const { merges = [], traits = [], deleted = [], saved = {} } = tablet;
  const users = new Users();
  const profiles = new Profiles();
  const schema = new Schema();
  const events = new EventStore({ headRowsMax: 24, chunkRows: 256, windowRowsMax: 60 });
  for (const user of tablet.users) users.ensure(user);
  for (const [source, target] of merges) users.merge(source, target);
  for (const [ordinal, values] of traits) {
    schema.declare({ events: [], traits: Object.keys(values) });
    for (const [trait, value] of Object.entries(values)) {
      profiles.apply(ordinal, { op: 'set', trait, value }, 0);
    }
  }
  for (const { ordinal, event, timeMs, properties } of tablet.parts.flat()) {
    schema.declare({ events: [{ event, properties: Object.keys(properties) }], traits: [] });
    const values = Object.entries(properties).map(
      ([name, value]) => [schema.propertyCode(name)!, value] as const,
    );
    users.noteEvent(ordinal, timeMs);
    events.append(ordinal, schema.eventCode(event)!, timeMs, values);
    // Every other full head stays one.
    if (timeMs % 2 === 0) run(events.writeSteps(jobOptions(users)));
  }
  for (const ordinal of deleted) {
    profiles.drop(ordinal);
    run(users.erase(ordinal));
    events.usersLeft(users.goneCount);
    // Rows of some are compacted away.
    if (ordinal % 3 === 0) while (run(events.writeSteps(jobOptions(users))));
  }
  return {
    ...{ users, profiles, schema, events },
    settings: tablet.settings ?? { timezone: 'UTC' },
    clockMs: 0,
    savedSegment: (name) => saved[name],
  };
}

/** Compaction brings merged users' rows to those who stand for them. */
function jobOptions(users: Users): StoreJobOptions {
  return {
    quiet: true,
    gone: users.goneCount,
    merged: users.merges.count,
    users: users.count,
    retentionMs: undefined,
    goneOrdinals: () => users.goneOrdinals(),
    merges: () => users.merges.list(),
  };
}

export function run<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
