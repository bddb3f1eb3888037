import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

/** Work that goes on until it is told to end, and a record of what began and ended. */
function gated() {
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
  const end = async (name: string) => {
    gates.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    turns,
    events,
    end,
    read: (name: string) => turns.read(work(name)),
    write: (name: string) => turns.write(work(name)),
  };
}

test('writes run alone, reads side by side', async () => {
  const { turns, events, end, read, write } = gated();
  const all = [read('r1'), read('r2'), write('w1'), write('w2')];
  expect(events).toEqual(['+r1', '+r2']);
  expect(turns.isWriting).toBe(true);
  await end('r2');
  expect(events).toEqual(['+r1', '+r2', '-r2']);
  await end('r1');
  await end('w1');
  expect(events.slice(3)).toEqual(['-r1', '+w1', '-w1', '+w2']);
  await end('w2');
  await Promise.all(all);
  expect(turns.isWriting).toBe(false);
});

test('a write waits for a few reads and not for a queue of them; then reads have their turn', async () => {
  const { events, end, read, write } = gated();
  const all = [...['r1', 'r2', 'r3', 'r4', 'r5'].map(read), write('w1'), write('w2')];
  await end('r1');
  await end('r2');
  expect(events).toEqual(['+r1', '+r2', '-r1', '+r3', '-r2', '+r4']);
  await end('r3');
  await end('r4');
  expect(events.slice(6)).toEqual(['-r3', '-r4', '+w1']);
  await end('w1');
  expect(events.slice(9)).toEqual(['-w1', '+r5']);
  await end('r5');
  await end('w2');
  await Promise.all(all);
});

test('a turn that fails tells its owner and lets the next one in', async () => {
  const turns = new Turns();
  await expect(turns.write(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.read(async () => 'yes')).toBe('yes');
});

test('whoever looks waits for the write that runs, and for nothing else', async () => {
  const { turns, events, end, read, write } = gated();
  const all = [read('r1'), write('w1'), write('w2')];
  const look = (name: string) => turns.look(() => events.push(name));
  void look('look 1');
  expect(events).toEqual(['+r1', 'look 1']);
  await end('r1');
  const looks = [look('look 2'), look('look 3')];
  expect(events.at(-1)).toBe('+w1');
  await end('w1');
  expect(events.slice(-4)).toEqual(['-w1', 'look 2', 'look 3', '+w2']);
  await end('w2');
  await Promise.all([...all, ...looks]);
  const failing = turns.look(() => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
});
