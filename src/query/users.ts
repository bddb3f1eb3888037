import { Bitset, ctz32 } from '../base/bitset.ts';
import type { AccountSettings, TabletView } from '../store/view.ts';

/** Ordinals looked at between two yields: well under a millisecond of simple work. */
export const ORDINALS_PER_STEP = 1 << 15;

/** Events before this time are out of retention; the line moves with now, not with a query's `at`. */
export function visibleFromMs(settings: AccountSettings, nowMs: number): number {
  return settings.retentionMs === undefined ? -Infinity : nowMs - settings.retentionMs + 1;
}

/** Whether the canonical ordinal is a user: has a visible event or a trait. */
export function isUser(view: TabletView, ordinal: number, nowMs: number): boolean {
  return hasVisibleEvent(view, ordinal, visibleFromMs(view.settings, nowMs)) || view.profiles.has(ordinal);
}

/** Canonical ordinals of all users, in a bitset of `view.users.count`. */
export function* usersOf(view: TabletView, nowMs: number): Generator<void, Bitset> {
  const { count } = view.users;
  const users = new Bitset(count, view.users.withEvents.slice(0, (count + 31) >>> 5));
  const fromMs = visibleFromMs(view.settings, nowMs);
  yield;
  for (let ordinal = 0; fromMs !== -Infinity && ordinal < count; ordinal += ORDINALS_PER_STEP) {
    dropInvisible(view, users, fromMs, ordinal, Math.min(ordinal + ORDINALS_PER_STEP, count));
    yield;
  }
  const { withTraits } = view.profiles;
  const end = Math.min(users.words.length, withTraits.length);
  for (let w = 0; w < end; w++) users.words[w]! |= withTraits[w]!;
  return users;
}

/** Of [from, to), where `from` begins a word. */
function dropInvisible({ users }: TabletView, found: Bitset, fromMs: number, from: number, to: number): void {
  for (let w = from >>> 5; w << 5 < to; w++) {
    for (let word = found.words[w]!; word !== 0; word &= word - 1) {
      const ordinal = (w << 5) + ctz32(word);
      if (users.latestEventMs(ordinal) < fromMs) found.delete(ordinal);
    }
  }
}

function hasVisibleEvent(view: TabletView, ordinal: number, fromMs: number): boolean {
  const latestMs = view.users.latestEventMs(ordinal);
  return latestMs !== -Infinity && latestMs >= fromMs;
}
