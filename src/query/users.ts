import { Bitset } from '../base/bitset.ts';
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
  const { count, canonical } = view.users;
  const fromMs = visibleFromMs(view.settings, nowMs);
  const users = new Bitset(count);
  for (let ordinal = 0; ordinal < count; ordinal++) {
    if (ordinal % ORDINALS_PER_STEP === 0) yield;
    if (canonical[ordinal] !== ordinal) continue;
    if (hasVisibleEvent(view, ordinal, fromMs) || view.profiles.has(ordinal)) users.add(ordinal);
  }
  return users;
}

function hasVisibleEvent(view: TabletView, ordinal: number, fromMs: number): boolean {
  const latestMs = view.users.latestEventMs(ordinal);
  return latestMs !== -Infinity && latestMs >= fromMs;
}
