import { mergeDescriptions } from '../store/schema.ts';
import { readTrail } from '../store/trail.ts';
import { isHome } from '../tablet/placement.ts';
import type { Tablet } from '../tablet/tablet.ts';
import { expectSame, fail } from './failures.ts';

/** What tablets have together, as lines that are the same before and after one of them splits. */
export function contentsOf(tablets: readonly Tablet[]): readonly string[] {
  const lines = tablets.flatMap((tablet) => [
    ...usersOf(tablet),
    ...messagesOf(tablet),
    ...transfersOf(tablet),
    ...tablet.deadLetters.list(Number.MAX_SAFE_INTEGER).map(({ id }) => `letter ${id}`),
  ]);
  return [...lines, ...countsOf(tablets)].sort();
}

/** Invariant 11: everything of a tablet is in exactly one of its children, and every user in the one of the user's id. */
export function checkSplit(before: readonly string[], children: readonly Tablet[]): void {
  for (const { bits, users } of children) {
    for (const ordinal of canonicalOrdinals(users)) {
      const { id } = users.refOf(ordinal);
      if (!isHome(bits, id)) fail(`user ${id} is in tablet ${bits}`);
    }
  }
  const after = contentsOf(children);
  const differs = Array.from(before, (line, i) => line !== after[i]).indexOf(true);
  if (differs !== -1) expectSame(String(after[differs]), before[differs]!, 'what has become of a tablet');
  if (after.length > before.length) fail(`of a tablet came what it did not have: ${after[before.length]}`);
}

function* usersOf({ users, events, profiles, live }: Tablet): Generator<string> {
  for (const ordinal of canonicalOrdinals(users)) {
    const merged = users.mergedInto(ordinal);
    const trail = readTrail(events, [ordinal, ...merged]).map(({ part, row, timeMs }) => {
      return [timeMs, part.eventAt(row), part.propertiesAt(row)];
    });
    const aliases = merged.map((alias) => users.refOf(alias).id);
    const segments = live.names().filter((name) => live.has(name, ordinal));
    const traits = Object.entries(profiles.all(ordinal)).sort();
    const latestMs = users.latestEventMs(ordinal);
    yield `user ${JSON.stringify([users.refOf(ordinal), latestMs, aliases, trail, traits, segments])}`;
  }
}

function* messagesOf({ outbox }: Tablet): Generator<string> {
  for (const { messageId, campaign, state, dueMs, expireAtMs, attempts } of outbox.messages())
    yield `message ${JSON.stringify([messageId, campaign, state, dueMs, expireAtMs, attempts])}`;
}

/** Those of one user are in order. */
function transfersOf({ transfers }: Tablet): string[] {
  const ofUser = new Map<string, unknown[]>();
  for (const { record } of transfers.pending()) {
    const { anonymousId, userId, content } = record;
    const key = `transfer ${anonymousId} ${userId}`;
    ofUser.set(key, [...(ofUser.get(key) ?? []), content]);
  }
  return [...ofUser].map(([key, contents]) => `${key} ${JSON.stringify(contents)}`);
}

function* countsOf(tablets: readonly Tablet[]): Generator<string> {
  const sums = new Map<string, number>();
  const add = (counts: object, of: string) => {
    for (const [name, count] of Object.entries(counts))
      sums.set(`${of} ${name}`, (sums.get(`${of} ${name}`) ?? 0) + count);
  };
  for (const { totals, profiles, outbox, account } of tablets) {
    add(totals, 'total');
    add({ droppedValues: profiles.droppedValues }, 'total');
    for (const campaign of account.campaigns.keys()) add(outbox.statsOf(campaign), campaign);
  }
  for (const [name, sum] of sums) yield `${name} ${sum}`;
  yield `schema ${JSON.stringify(tablets.map(({ schema }) => schema.describe()).reduce(mergeDescriptions))}`;
}

function* canonicalOrdinals(users: Tablet['users']): Generator<number> {
  for (let ordinal = 0; ordinal < users.count; ordinal++) {
    if (!users.isGone(ordinal) && users.canonical[ordinal] === ordinal) yield ordinal;
  }
}
