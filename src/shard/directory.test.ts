import { expect, test } from 'vitest';
import { Directory } from './directory.ts';
import { accountSection } from './shard.ts';

test('a key that moves to another account works there, in whatever order it moves', () => {
  const value = { role: 'write', sha256: 'ab'.repeat(32), configured: true } as const;
  const key = { kind: 'control', atMs: 0, what: 'key', name: 'abababababab' } as const;
  const directory = new Directory(1);
  const decide = (account: string, given: typeof value | null) =>
    directory.apply(accountSection(account, { ...key, value: given }));
  decide('old', value);
  decide('new', value);
  decide('old', null);
  expect(directory.keyOf(value.sha256)?.account).toBe('new');
  decide('new', null);
  decide('old', value);
  expect(directory.keyOf(value.sha256)?.account).toBe('old');
  decide('old', null);
  expect(directory.keyOf(value.sha256)).toBeUndefined();
});
