import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('writes run alone, reads side by side, all in the order they came', async () => {
  const turns = new Turns();
  const events: string[] = [];
  const gates = new Map<string, () => void>();
  const work = (name: string) => () => {
    events.push(`+${name}`);
    return new Promise<void>((resolve) =>
      gates.set(name, () => {
        events.push(`-${name}`);
        resolve();
      }),
    );
  };
  const all = [
    turns.read(work('r1')),
    turns.read(work('r2')),
    turns.write(work('w')),
    turns.read(work('r3')),
  ];
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  expect(events).toEqual(['+r1', '+r2']);
  expect(turns.isWriting).toBe(true);
  gates.get('r2')!();
  await settle();
  expect(events).toEqual(['+r1', '+r2', '-r2']);
  gates.get('r1')!();
  await settle();
  expect(events.slice(3)).toEqual(['-r1', '+w']);
  gates.get('w')!();
  await settle();
  expect(events.slice(5)).toEqual(['-w', '+r3']);
  gates.get('r3')!();
  await Promise.all(all);
  expect(turns.isWriting).toBe(false);
});

test('a turn that fails tells its owner and lets the next one in', async () => {
  const turns = new Turns();
  await expect(turns.write(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.read(async () => 'yes')).toBe('yes');
});
