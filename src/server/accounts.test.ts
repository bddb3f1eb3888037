import { expect, test } from 'vitest';
import { realClock } from '../base/clock.ts';
import { Directory } from '../shard/directory.ts';
import { keyId, sha256Hex } from '../shard/keys.ts';
import { accountSection } from '../shard/shard.ts';
import type { KeyValue } from '../tablet/account.ts';
import { configuredDecisions, unnamedDecisions } from './accounts.ts';

const configured = { role: 'admin', sha256: sha256Hex('ak') } as const;
const account = { name: 'default', timezone: 'UTC', tablets: 'auto', keys: [configured] } as const;
const host = { threads: 1, clock: realClock };

test('the configured keys of an account that is no longer named end, those made since stay', () => {
  const directory = new Directory(1);
  directory.apply(accountSection(account.name, ...configuredDecisions(directory, account, host)));
  const made: KeyValue = { role: 'read', sha256: sha256Hex('rk') };
  directory.apply(
    accountSection(account.name, { kind: 'control', atMs: 0, what: 'key', name: keyId(made), value: made }),
  );
  expect(configuredDecisions(directory, account, host)).toEqual([]);
  const decisions = unnamedDecisions(directory.get(account.name)!, realClock);
  directory.apply(accountSection(account.name, ...decisions));
  expect(directory.keyOf(configured.sha256)).toBeUndefined();
  expect(directory.keyOf(made.sha256)?.account).toBe(account.name);
  expect(unnamedDecisions(directory.get(account.name)!, realClock)).toEqual([]);
});
