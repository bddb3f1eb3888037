import type { Clock } from '../base/clock.ts';
import type { ControlRecord } from '../log/record.ts';
import type { AccountEntry, Directory } from '../shard/directory.ts';
import { keyId } from '../shard/keys.ts';
import type { AccountValue, KeyValue } from '../tablet/account.ts';
import type { AccountConfig } from './config.ts';

/**
 * The decisions that bring an account in the log to what the configuration says: settings, keys that are new there,
 * and the end of configured keys that are gone. None when nothing changed.
 */
export function configuredDecisions(
  directory: Directory,
  account: AccountConfig,
  host: { readonly threads: number; readonly clock: Clock },
): ControlRecord[] {
  const atMs = host.clock.now();
  const state = directory.get(account.name)?.state;
  const decisions: ControlRecord[] = [];
  const { timezone, retentionMs } = account;
  const tablets = state?.settings.tablets ?? startingTablets(account.tablets, host.threads);
  const settings: AccountValue = { timezone, tablets, ...(retentionMs === undefined ? {} : { retentionMs }) };
  if (state === undefined || !sameSettings(state.settings, settings)) {
    decisions.push({ kind: 'control', atMs, what: 'account', name: account.name, value: settings });
  }
  const wanted = new Map(
    account.keys.map(({ role, sha256 }): [string, KeyValue] => {
      const value: KeyValue = { role, sha256, configured: true };
      return [keyId(value), value];
    }),
  );
  for (const [name, value] of wanted) {
    const there = state?.keys.get(name);
    if (there?.role === value.role && there.configured === true) continue;
    decisions.push({ kind: 'control', atMs, what: 'key', name, value });
  }
  for (const [name, { configured }] of state?.keys ?? []) {
    if (configured === true && !wanted.has(name))
      decisions.push({ kind: 'control', atMs, what: 'key', name, value: null });
  }
  return decisions;
}

/** The end of the configured keys of an account that the configuration names no more. None when there are none. */
export function unnamedDecisions({ state }: AccountEntry, clock: Clock): ControlRecord[] {
  return [...state.keys]
    .filter(([, { configured }]) => configured === true)
    .map(([name]) => ({ kind: 'control', atMs: clock.now(), what: 'key', name, value: null }));
}

/** At least one for every thread. */
function startingTablets(tablets: AccountConfig['tablets'], threads: number): number {
  return tablets === 'auto' ? 2 ** Math.ceil(Math.log2(threads)) : tablets;
}

function sameSettings(a: AccountValue, b: AccountValue): boolean {
  return a.timezone === b.timezone && a.retentionMs === b.retentionMs && a.tablets === b.tablets;
}
