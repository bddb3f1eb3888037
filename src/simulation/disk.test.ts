import { describe, expect, test } from 'vitest';
import type { AppendFile } from '../base/disk.ts';
import { SeededRandom } from '../base/random.ts';
import { NO_FAULTS, SimulatedDisk } from './disk.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

function newDisk(seed = 1): SimulatedDisk {
  return new SimulatedDisk(new SeededRandom(seed));
}

async function newFile(disk: SimulatedDisk, content: Uint8Array): Promise<AppendFile> {
  const file = await disk.openAppend('file');
  await file.write(content);
  await file.sync();
  await disk.syncDirectory('');
  return file;
}

describe('a power loss', () => {
  test('keeps what was synced, and of the rest nothing, a prefix, all, or any sectors', async () => {
    const synced = new Uint8Array(700).fill(1);
    const unsynced = new Uint8Array(2000).fill(2);
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const disk = newDisk(seed);
      await (await newFile(disk, synced)).write(unsynced);
      const found = (await disk.crash().read('file'))!;
      expect(found.subarray(0, 700)).toEqual(synced);
      const rest = found.subarray(700);
      expect(rest.every((byte) => byte === 0 || byte === 2)).toBe(true);
      if (rest.length === 0) outcomes.add('nothing');
      else if (rest.length === 2000 && !rest.includes(0)) outcomes.add('everything');
      else outcomes.add(rest.includes(0) ? 'sectors' : 'prefix');
    }
    expect(outcomes.size).toBe(4);
  });

  test('may undo a truncation', async () => {
    const sizes = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = newDisk(seed);
      await (await newFile(disk, bytes(1, 2, 3))).truncate(1);
      expect(await disk.size('file')).toBe(1);
      sizes.add(await disk.crash().size('file'));
    }
    expect([...sizes].sort()).toEqual([1, 3]);
  });

  test('may undo anything that was done to a directory since it was synced', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const disk = newDisk(seed);
      await newFile(disk, bytes(1));
      await disk.makeDirectory('a/b');
      await disk.openAppend('new');
      await disk.rename('new', 'renamed');
      await disk.remove('file');
      expect(await disk.list('')).toEqual(['a', 'renamed']);
      outcomes.add((await disk.crash().list('')).join());
    }
    expect([...outcomes].sort()).toEqual([
      'a',
      'a,file',
      'a,file,new',
      'a,file,renamed',
      'a,new',
      'a,renamed',
    ]);
  });

  test('ends the disk and its files for the process that used them', async () => {
    const disk = newDisk();
    const file = await newFile(disk, bytes(1));
    const pending = file.write(bytes(2));
    disk.crash();
    await expect(pending).rejects.toThrow('ECRASHED');
    await expect(file.sync()).rejects.toThrow('ECRASHED');
    await expect(disk.openAppend('file')).rejects.toThrow('ECRASHED');
  });
});

test('a killed process loses nothing, until the power fails', async () => {
  const sizes = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    let disk = newDisk(seed);
    await (await newFile(disk, bytes(1))).write(bytes(2));
    disk = disk.kill();
    expect(await disk.read('file')).toEqual(bytes(1, 2));
    sizes.add(await disk.crash().size('file'));
  }
  expect(sizes.size).toBe(2);
});

test('after a failed sync, what reads back may be lost although the next sync succeeds', async () => {
  let lostCount = 0;
  for (let seed = 0; seed < 20; seed++) {
    const disk = newDisk(seed);
    const file = await newFile(disk, bytes(1));
    await file.write(bytes(2));
    disk.faults = { ...NO_FAULTS, syncError: 1 };
    await expect(file.sync()).rejects.toThrow('EIO');
    disk.faults = NO_FAULTS;
    await file.write(bytes(3));
    await file.sync();
    expect(await disk.read('file')).toEqual(bytes(1, 2, 3));
    const found = (await disk.crash().read('file'))!;
    expect([found[0], found[2]]).toEqual([1, 3]);
    if (found[1] === 0) lostCount++;
  }
  expect(lostCount).toBeGreaterThan(0);
  expect(lostCount).toBeLessThan(20);
});

test('short and failing writes take a part', async () => {
  const disk = newDisk();
  const file = await newFile(disk, bytes());
  disk.faults = { ...NO_FAULTS, shortWrite: 1 };
  const taken = await file.write(new Uint8Array(1000));
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(1000);
  expect(await disk.size('file')).toBe(taken);
  disk.faults = { ...NO_FAULTS, writeError: 1 };
  await expect(file.write(new Uint8Array(1000))).rejects.toThrow('EIO');
});

test('reads like any disk', async () => {
  const disk = newDisk();
  await newFile(disk, bytes(1, 2, 3, 4));
  expect(await disk.read('missing')).toBeUndefined();
  await expect(disk.size('missing')).rejects.toThrow('ENOENT');
  await expect(disk.openAppend('missing/file')).rejects.toThrow('ENOENT');
  expect(await disk.readAt('file', 1, 2)).toEqual(bytes(2, 3));
  expect(await disk.readAt('file', 3, 9)).toEqual(bytes(4));
  expect(await disk.list('missing')).toEqual([]);
});
