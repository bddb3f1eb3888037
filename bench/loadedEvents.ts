import type { Value } from '../src/base/value.ts';
import type { OracleEvent } from '../src/query/oracle.ts';
import { BulkLoader, type Place } from './bulk.ts';
import { type NaiveUser, readNaively } from './naive.ts';
import { SESSION_NAMES, type SessionColumns, type SessionOptions, sessionColumns } from './sessions.ts';

/** The events of an import file, without its traits. */
export async function loadFile(path: string, tabletCount: number): Promise<BulkLoader> {
  const { users } = await readNaively(path);
  return loadUsers(
    users.map((user) => ({ ...user, traits: {} })),
    tabletCount,
  );
}

/** Names of events, of properties of each, and of traits are declared as they come. */
export function loadUsers(users: readonly NaiveUser[], tabletCount: number): BulkLoader {
  const events = users
    .flatMap((user) => user.events.map((event) => ({ user, event })))
    .sort((a, b) => a.event.timeMs - b.event.timeMs);
  const names = new Map<string, Set<string>>();
  for (const { event } of events) {
    const properties = names.get(event.event) ?? new Set<string>();
    for (const property of Object.keys(event.properties)) properties.add(property);
    names.set(event.event, properties);
  }
  const loader = new BulkLoader(tabletCount, {
    events: [...names].map(([event, properties]) => ({ event, properties: [...properties] })),
    traits: [...new Set(users.flatMap(({ traits }) => Object.keys(traits)))],
  });
  const { schema } = loader.tablets[0]!;
  const places = new Map(users.map((user) => [user, loader.place({ known: user.known, id: user.id })!]));
  for (const [{ traits }, place] of places) loader.identify(place, traits, 0);
  for (const { user, event } of events) {
    const coded = Object.entries(event.properties)
      .map(([property, value]): readonly [number, Value] => [schema.propertyCode(property)!, value])
      .sort(([a], [b]) => a - b);
    loader.add(places.get(user)!, schema.eventCode(event.event)!, event.timeMs, coded);
  }
  loader.finish();
  return loader;
}

/** Which properties an event of the sessions has is said by the event, so that they are declared by example. */
const SESSION_PROPERTIES = ['city', 'platform', 'amount', 'product'];

export const SESSION_EVENTS = SESSION_NAMES.event.map((event) => ({ event, properties: SESSION_PROPERTIES }));

/** Synthetic sessions (sessions.ts). */
export function loadSessions(options: SessionOptions, tabletCount: number): BulkLoader {
  return loadColumns(sessionColumns(options), tabletCount);
}

/** Of the tablets that `holds` says yes to, what is in them. */
export function loadColumns(
  columns: SessionColumns,
  tabletCount: number,
  holds?: (index: number) => boolean,
): BulkLoader {
  const loader = new BulkLoader(tabletCount, { events: SESSION_EVENTS, traits: [] }, holds);
  /** By user; null for those whose tablet is not held here. */
  const places = new Array<Place | null | undefined>(
    columns.user.reduce((most, user) => Math.max(most, user), 0) + 1,
  );
  addSessions(loader, columns, (user) => {
    let place = places[user];
    if (place === undefined) {
      place = loader.place({ known: true, id: sessionUserId(user) }) ?? null;
      places[user] = place;
    }
    return place;
  });
  loader.finish();
  return loader;
}

/** SESSION_EVENTS are declared. `placeOf` a user's number: where the user's events go, null for those to leave out. */
export function addSessions(
  loader: BulkLoader,
  columns: SessionColumns,
  placeOf: (user: number) => Place | null,
): void {
  const [city, platform, amount, product] = SESSION_PROPERTIES.map(
    (property) => loader.tablets[0]!.schema.propertyCode(property)!,
  ) as [number, number, number, number];
  for (let i = 0; i < columns.event.length; i++) {
    const place = placeOf(columns.user[i]!);
    if (place === null) continue;
    const properties: [number, Value][] = [
      [city, SESSION_NAMES.city[columns.city[i]!]!],
      [platform, SESSION_NAMES.platform[columns.platform[i]!]!],
    ];
    if (columns.amountCents[i] !== 0) properties.push([amount, columns.amountCents[i]! / 100]);
    if (columns.product[i] !== 0) properties.push([product, SESSION_NAMES.product[columns.product[i]!]!]);
    loader.add(place, columns.event[i]!, columns.timeMs[i]!, properties);
  }
}

/** One of the columns' events, as the oracle wants it. */
export function sessionEvent(columns: SessionColumns, i: number): OracleEvent {
  return {
    event: SESSION_NAMES.event[columns.event[i]!]!,
    timeMs: columns.timeMs[i]!,
    properties: {
      city: SESSION_NAMES.city[columns.city[i]!]!,
      platform: SESSION_NAMES.platform[columns.platform[i]!]!,
      ...(columns.amountCents[i] !== 0 && { amount: columns.amountCents[i]! / 100 }),
      ...(columns.product[i] !== 0 && { product: SESSION_NAMES.product[columns.product[i]!]! }),
    },
  };
}

/** The id of a user that has a number in the columns. */
export function sessionUserId(user: number): string {
  return `u${user}`;
}
