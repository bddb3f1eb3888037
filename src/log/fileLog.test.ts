import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Clock, realClock } from '../base/clock.ts';
import { DamageError, MusterError } from '../base/errors.ts';
import { realRandom, SeededRandom } from '../base/random.ts';
import { RealDisk } from '../base/realDisk.ts';
import { NO_FAULTS, SimulatedDisk } from '../simulation/disk.ts';
import { FileLog, type FileLogOptions } from './fileLog.ts';
import { FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './frame.ts';
import { LogFailedError } from './log.ts';

/** Does everything at once, but for what is scheduled, which waits for `runScheduled`. */
class IdleClock implements Clock {
  #scheduled: (() => void)[] = [];
  now = () => 0;
  monotonicMs = () => 0;
  yield = () => Promise.resolve();

  schedule(_: number, run: () => void): () => void {
    this.#scheduled.push(run);
    return () => {
      this.#scheduled = this.#scheduled.filter((other) => other !== run);
    };
  }

  runScheduled(): void {
    for (const run of this.#scheduled.splice(0)) run();
  }
}

const SMALL = { segmentBytesMax: 4096, batchBytesMax: 1024 };

function openLog(disk: SimulatedDisk, options: Partial<FileLogOptions> = {}): Promise<FileLog> {
  return FileLog.open({
    disk,
    clock: new IdleClock(),
    random: new SeededRandom(7),
    directory: 'log',
    limits: SMALL,
    ...options,
  });
}

async function framesOf(log: FileLog, from = 0): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const { position, frame } of log.read('host', from)) {
    expect(position).toBe(from + frames.length);
    frames.push(frame);
  }
  return frames;
}

async function cut(disk: SimulatedDisk, path: string, size: number): Promise<void> {
  const file = await disk.openAppend(path);
  await file.truncate(size);
  await file.close();
}

/** `count` frames of 100 bytes, each in a batch of its own: 33 to a segment. */
async function filledLog(disk: SimulatedDisk, count: number): Promise<FileLog> {
  const log = await openLog(disk);
  for (let i = 0; i < count; i++) await log.append('host', new Uint8Array(100).fill(i));
  return log;
}

const FRAME_BYTES = FRAME_HEADER_BYTES + 100;
const FRAMES_PER_SEGMENT = Math.floor((SMALL.segmentBytesMax - SEGMENT_HEADER_BYTES) / FRAME_BYTES);
const offsetOf = (frame: number) => SEGMENT_HEADER_BYTES + frame * FRAME_BYTES;
const pathOf = (segment: number) => `log/${String(segment * FRAMES_PER_SEGMENT).padStart(16, '0')}.log`;

test('positions follow the order of the calls, over segments and reopenings', async () => {
  let disk = new SimulatedDisk(new SeededRandom(1));
  const payloads = Array.from({ length: 300 }, (_, i) => new SeededRandom(i).bytes((i * 37) % 700));
  for (let life = 0; life < 3; life++) {
    const log = await openLog(disk);
    const appended = payloads.slice(life * 100, life * 100 + 100);
    const positions = await Promise.all(appended.map((payload) => log.append('host', payload)));
    expect(positions).toEqual(appended.map((_, i) => life * 100 + i));
    expect(log.end('host')).toBe(life * 100 + 100);
    await log.close();
    disk = disk.kill();
  }
  const log = await openLog(disk);
  expect(await framesOf(log)).toEqual(payloads);
  expect(await framesOf(log, 123)).toEqual(payloads.slice(123));
  expect(await framesOf(log, 300)).toEqual([]);
  expect((await disk.list('log')).length).toBeGreaterThan(20);
});

test('reading sees the log as it stood at the call', async () => {
  const log = await filledLog(new SimulatedDisk(new SeededRandom(1)), 3);
  const entries = log.read('host', 0);
  for (let i = 0; i < 2 * FRAMES_PER_SEGMENT; i++) await log.append('host', new Uint8Array(100));
  const positions: number[] = [];
  for await (const { position } of entries) positions.push(position);
  expect(positions).toEqual([0, 1, 2]);
});

test('closing waits for what was appended', async () => {
  const disk = new SimulatedDisk(new SeededRandom(1));
  const log = await openLog(disk);
  const pending = [1, 2, 3].map((byte) => log.append('host', new Uint8Array([byte])));
  await log.close();
  expect(await Promise.all(pending)).toEqual([0, 1, 2]);
  expect(await framesOf(await openLog(disk))).toEqual([1, 2, 3].map((byte) => new Uint8Array([byte])));
});

describe('what a segment may look like', () => {
  test('a flipped bit anywhere in an older segment is found by reading, at the frame it is in', async () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    const log = await filledLog(disk, 3 * FRAMES_PER_SEGMENT);
    const bytes = offsetOf(FRAMES_PER_SEGMENT);
    for (let offset = 0; offset < bytes; offset += 7) {
      disk.flipBit(pathOf(1), offset, offset % 8);
      const frame = Math.floor((offset - SEGMENT_HEADER_BYTES) / FRAME_BYTES);
      const expected = { name: 'DamageError', file: pathOf(1), offset: frame < 0 ? 0 : offsetOf(frame) };
      await expect(framesOf(log)).rejects.toMatchObject(expected);
      disk.flipBit(pathOf(1), offset, offset % 8);
    }
    expect(await framesOf(log)).toHaveLength(3 * FRAMES_PER_SEGMENT);
  });

  test('an older segment that ends early is damage', async () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    const log = await filledLog(disk, 3 * FRAMES_PER_SEGMENT);
    for (const size of [offsetOf(20) + 50, offsetOf(20), SEGMENT_HEADER_BYTES]) {
      await cut(disk, pathOf(1), size);
      const offset = size === SEGMENT_HEADER_BYTES ? size : offsetOf(20);
      await expect(framesOf(log)).rejects.toMatchObject({ name: 'DamageError', file: pathOf(1), offset });
    }
    await cut(disk, pathOf(1), 0);
    await expect(framesOf(log)).rejects.toMatchObject({ name: 'DamageError', file: pathOf(1), offset: 0 });
  });

  test('a missing segment is damage', async () => {
    let disk = new SimulatedDisk(new SeededRandom(1));
    await (await filledLog(disk, 3 * FRAMES_PER_SEGMENT)).close();
    await disk.remove(pathOf(1));
    await expect(framesOf(await openLog(disk))).rejects.toThrow(DamageError);
    await disk.remove(pathOf(0));
    await expect(framesOf(await openLog(disk))).rejects.toThrow(DamageError);
    disk = disk.kill();
    await disk.remove(pathOf(2));
    await expect(openLog(disk)).rejects.toMatchObject({ name: 'DamageError', file: pathOf(2) });
  });

  test('in the newest segment, damage before the last batch is damage, and in it a torn tail', async () => {
    let disk = new SimulatedDisk(new SeededRandom(1));
    await filledLog(disk, 10);
    for (let offset = 0; offset < offsetOf(9); offset += 5) {
      disk = disk.kill();
      disk.flipBit(pathOf(0), offset);
      const frame = Math.floor((offset - SEGMENT_HEADER_BYTES) / FRAME_BYTES);
      const expected = { name: 'DamageError', file: pathOf(0), offset: frame < 0 ? 0 : offsetOf(frame) };
      await expect(openLog(disk)).rejects.toMatchObject(expected);
      disk.flipBit(pathOf(0), offset);
    }
    disk.flipBit(pathOf(0), offsetOf(9) + 3);
    expect(await framesOf(await openLog(disk))).toHaveLength(9);
  });

  test('after a clean close there is no torn tail, only damage', async () => {
    for (let offset = 0; offset < offsetOf(10); offset += 5) {
      let disk = new SimulatedDisk(new SeededRandom(offset));
      await (await filledLog(disk, 10)).close();
      disk = disk.crash();
      disk.flipBit(pathOf(0), offset);
      await expect(openLog(disk)).rejects.toMatchObject({ name: 'DamageError', file: pathOf(0) });
      disk.flipBit(pathOf(0), offset);
      await cut(disk, pathOf(0), offsetOf(9));
      await expect(openLog(disk)).rejects.toMatchObject({ name: 'DamageError', offset: offsetOf(9) });
    }
  });

  test('a torn tail of every length is cut off, and the log goes on', async () => {
    for (let length = 0; length < FRAME_BYTES; length++) {
      const disk = new SimulatedDisk(new SeededRandom(1));
      await filledLog(disk, 3);
      await cut(disk, pathOf(0), offsetOf(2) + length);
      const log = await openLog(disk.kill());
      expect(log.end('host')).toBe(2);
      expect(await log.append('host', new Uint8Array(1))).toBe(2);
      expect((await framesOf(log)).map((frame) => frame.length)).toEqual([100, 100, 1]);
    }
  });

  test('a segment whose creation was cut short is created anew', async () => {
    for (let length = 0; length <= SEGMENT_HEADER_BYTES; length++) {
      let disk = new SimulatedDisk(new SeededRandom(1));
      await filledLog(disk, FRAMES_PER_SEGMENT);
      const file = await disk.openAppend(pathOf(1));
      await file.write(new SeededRandom(length).bytes(length));
      disk = disk.kill();
      const log = await openLog(disk);
      expect(await log.append('host', new Uint8Array(1))).toBe(FRAMES_PER_SEGMENT);
      expect(await framesOf(log)).toHaveLength(FRAMES_PER_SEGMENT + 1);
    }
  });

  test('a payload that looks like frames does not turn a torn tail into damage', async () => {
    const other = new SimulatedDisk(new SeededRandom(1));
    await filledLog(other, 9);
    const disk = new SimulatedDisk(new SeededRandom(1));
    const log = await openLog(disk, { random: new SeededRandom(8) });
    await log.append('host', (await other.read(pathOf(0)))!);
    disk.flipBit(pathOf(0), SEGMENT_HEADER_BYTES);
    expect(await framesOf(await openLog(disk.kill()))).toEqual([]);
  });
});

describe('when the disk fails', () => {
  test.each(['writeError', 'syncError'] as const)('%s ends the log for good', async (fault) => {
    const disk = new SimulatedDisk(new SeededRandom(3));
    const log = await filledLog(disk, 3);
    disk.faults = { ...NO_FAULTS, [fault]: 1 };
    const pending = [log.append('host', new Uint8Array(5)), log.append('host', new Uint8Array(2000))];
    for (const append of pending) await expect(append).rejects.toThrow(LogFailedError);
    disk.faults = NO_FAULTS;
    await expect(log.append('host', new Uint8Array(1))).rejects.toThrow(LogFailedError);
    expect(await framesOf(log)).toHaveLength(3);
    expect(await disk.size(pathOf(0))).toBe(offsetOf(3));
    await log.close();
    expect((await openLog(disk.kill())).end('host')).toBe(3);
  });

  test('short writes are continued', async () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    disk.faults = { ...NO_FAULTS, shortWrite: 0.9 };
    const log = await filledLog(disk, 50);
    expect(await framesOf(log)).toEqual(Array.from({ length: 50 }, (_, i) => new Uint8Array(100).fill(i)));
  });

  test('a full queue refuses, and takes again when it has room', async () => {
    const log = await openLog(new SimulatedDisk(new SeededRandom(1)), { limits: { queueBytesMax: 300 } });
    const pending = [log.append('host', new Uint8Array(100)), log.append('host', new Uint8Array(100))];
    const refused = log.append('host', new Uint8Array(100));
    const frameBytes = FRAME_HEADER_BYTES + 100;
    expect(log.memoryBytes).toBe(2 * frameBytes);
    await expect(refused).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 });
    expect(await Promise.all(pending)).toEqual([0, 1]);
    // What they were written from stays.
    expect(log.memoryBytes).toBeGreaterThanOrEqual(frameBytes);
    expect(log.memoryBytes).toBeLessThanOrEqual(2 * frameBytes);
    expect(await log.append('host', new Uint8Array(100))).toBe(2);
  });

  test('out of disk, appends are refused until there is room again', async () => {
    const clock = new IdleClock();
    const disk = new SimulatedDisk(new SeededRandom(1));
    disk.free = 1000;
    const log = await openLog(disk, { clock, limits: { diskFreeBytesMin: 900 } });
    expect(await log.append('host', new Uint8Array(200))).toBe(0);
    expect(log.outOfDisk).toBe(true);
    await expect(log.append('host', new Uint8Array(1))).rejects.toThrow(MusterError);
    clock.runScheduled();
    await expect.poll(() => log.outOfDisk).toBe(false);
    expect(await log.append('host', new Uint8Array(1))).toBe(1);
    disk.free = 0;
    clock.runScheduled();
    await expect.poll(() => log.outOfDisk).toBe(true);
    expect(await framesOf(log)).toHaveLength(2);
  });
});

test('works on the real disk', async () => {
  const root = await mkdtemp(join(tmpdir(), 'muster-log-'));
  try {
    const options = {
      disk: new RealDisk(root),
      clock: realClock,
      random: realRandom,
      directory: 'log',
      limits: { ...SMALL, diskFreeBytesMin: 0 },
    };
    const payloads = Array.from({ length: 100 }, (_, i) => new SeededRandom(i).bytes(i * 9));
    const first = await FileLog.open(options);
    await Promise.all(payloads.map((payload) => first.append('host', payload)));
    expect(await framesOf(first, 50)).toEqual(payloads.slice(50));
    await first.close();
    const second = await FileLog.open(options);
    expect(await framesOf(second)).toEqual(payloads);
    expect(await second.append('host', new Uint8Array(0))).toBe(100);
    await second.close();
  } finally {
    await rm(root, { recursive: true });
  }
});
