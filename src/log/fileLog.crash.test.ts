import { expect, test } from 'vitest';
import type { Clock } from '../base/clock.ts';
import { SeededRandom } from '../base/random.ts';
import { SimulatedDisk } from '../simulation/disk.ts';
import { FileLog, type FileLogOptions } from './fileLog.ts';

/**
 * The log's promise, over lives that end in a power loss, a killed process or a clean close at any moment, on a disk
 * that takes writes in parts, loses what was not synced and sometimes fails:
 *
 *   1. every acknowledged frame is there, once, at its position;
 *   2. every other frame is there whole, at the position it would have had, or not at all, and so are those after it;
 *   3. what one life found in the log, the next ones find too.
 */

/** Runs what is scheduled in order of its time, one step at a time. */
class StepClock implements Clock {
  #nowMs = 0;
  #scheduled: { atMs: number; run: () => void }[] = [];
  now = () => this.#nowMs;
  monotonicMs = () => this.#nowMs;
  yield = () => new Promise<void>((resolve) => void this.schedule(0, resolve));

  schedule(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    const later = this.#scheduled.findIndex(({ atMs }) => atMs > timer.atMs);
    this.#scheduled.splice(later === -1 ? this.#scheduled.length : later, 0, timer);
    return () => {
      this.#scheduled = this.#scheduled.filter((other) => other !== timer);
    };
  }

  /** Runs the next thing and all that follows from it at once. */
  async step(): Promise<void> {
    const next = this.#scheduled.shift();
    if (next !== undefined) {
      this.#nowMs = next.atMs;
      next.run();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Steps until the promise settles. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    while (!isSettled) await this.step();
    return promise;
  }
}

/** Undefined instead of an error. */
function attempt<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined);
}

/** Lives through one history and throws when the promise is broken. Returns how many frames the log ends with. */
async function live(seed: number, faults: NonNullable<FileLogOptions['faults']> = {}): Promise<number> {
  const random = new SeededRandom(seed);
  const clock = new StepClock();
  let disk = new SimulatedDisk(random, { clock });
  const limits = { segmentBytesMax: 5000, batchBytesMax: 3000 };
  const open = () => FileLog.open({ disk, clock, random, directory: 'log', limits, faults });

  /** By position: what was appended there last, and whether it must be there. */
  let frames: { payload: Uint8Array; isSafe: boolean }[] = [];
  for (let life = 0; life < 6; life++) {
    disk.faults = { shortWrite: 0.3, writeError: 0, syncError: random.chance(0.3) ? 0.1 : 0 };
    const opening = attempt(open());
    if (random.chance(0.2)) {
      for (let steps = random.below(30); steps > 0; steps--) await clock.step();
      disk = random.chance(0.7) ? disk.crash() : disk.kill();
    }
    const log = await clock.finish(opening);
    if (log === undefined) {
      disk = random.chance(0.7) ? disk.crash() : disk.kill();
      continue;
    }
    frames = await clock.finish(check(log, frames));
    for (let steps = random.below(150); steps > 0; steps--) {
      if (random.chance(0.4)) append(log, random, frames);
      await clock.step();
    }
    if (random.chance(0.2)) await clock.finish(attempt(log.close()));
    disk = random.chance(0.7) ? disk.crash() : disk.kill();
  }
  disk.faults = { shortWrite: 0, writeError: 0, syncError: 0 };
  return (await clock.finish(check(await clock.finish(open()), frames))).length;
}

function append(
  log: FileLog,
  random: SeededRandom,
  frames: { payload: Uint8Array; isSafe: boolean }[],
): void {
  const frame = { payload: random.bytes(random.below(1500)), isSafe: false };
  const position = log.end('host');
  log.append('host', frame.payload).then(
    (given) => {
      expect(given).toBe(position);
      frame.isSafe = true;
    },
    () => undefined,
  );
  if (log.end('host') > position) frames[position] = frame;
}

/** Returns the frames found, all of which are safe from now on. */
async function check(log: FileLog, frames: readonly { payload: Uint8Array; isSafe: boolean }[]) {
  const found: { payload: Uint8Array; isSafe: boolean }[] = [];
  for await (const { position, frame } of log.read('host', 0)) {
    expect(position).toBe(found.length);
    expect(Buffer.compare(frame, frames[position]!.payload)).toBe(0);
    found.push({ payload: frame, isSafe: true });
  }
  expect(log.end('host')).toBe(found.length);
  expect(frames.slice(found.length).filter(({ isSafe }) => isSafe)).toEqual([]);
  return found;
}

test('no acknowledged frame is lost or changed, whatever the crash', async () => {
  let frameCount = 0;
  for (let seed = 0; seed < 200; seed++) {
    frameCount += await live(seed).catch((error) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
  }
  expect(frameCount).toBeGreaterThan(200 * 20);
});

test.each([{ acknowledgeBeforeSync: true }, { ignoreShortWrites: true }])('%o is found', async (faults) => {
  const histories = await Promise.allSettled(Array.from({ length: 20 }, (_, seed) => live(seed, faults)));
  expect(histories.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
});
