import { dirname } from 'node:path';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { AppendFile, Disk } from '../base/disk.ts';
import type { SeededRandom } from '../base/random.ts';
import { Inode } from './inode.ts';

/** Probabilities per operation. */
export interface DiskFaults {
  readonly shortWrite: number;
  /** EIO; some of the bytes may have been written. */
  readonly writeError: number;
  /** EIO; what was not synced may be lost although it still reads back and a later sync succeeds. */
  readonly syncError: number;
}

export const NO_FAULTS: DiskFaults = { shortWrite: 0, writeError: 0, syncError: 0 };

/** The simulated disk's own failures, with codes like those of node:fs. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;

  constructor(code: 'EIO' | 'ENOENT' | 'ECRASHED', what: string) {
    super(`${code}: ${what}`);
    this.code = code;
  }
}

/** File names by path. The root, '', is no entry. */
type Entries = Map<string, Inode | 'directory'>;

interface EntryChange {
  readonly directory: string;
  readonly apply: (entries: Entries) => void;
}

/**
 * A disk in memory that fails like a real one, the same way for the same seed. What processes see (`#entries`,
 * `Inode.cached`) is kept apart from what is sure to survive a power loss (`#durableEntries`, `Inode.durable`).
 *
 * A crash ends this object: it and its files throw from then on, so that code of the crashed process that still runs
 * touches nothing. `crash` and `kill` return the disk as the next process finds it.
 */
export class SimulatedDisk implements Disk {
  /** May be set at any time. */
  faults: DiskFaults = NO_FAULTS;
  free = 2 ** 40;

  readonly #random: SeededRandom;
  readonly #clock: Clock | undefined;
  readonly #latencyMsMax: number;
  #entries: Entries = new Map();
  #durableEntries: Entries = new Map();
  /** In the order they were made, not yet synced. */
  #entryChanges: EntryChange[] = [];
  #crashed = false;

  /** With a clock every operation takes up to `latencyMsMax` of its time; without one, a microtask. */
  constructor(random: SeededRandom, options: { clock?: Clock; latencyMsMax?: number } = {}) {
    this.#random = random;
    this.#clock = options.clock;
    this.#latencyMsMax = options.latencyMsMax ?? 2;
  }

  /** The power fails. What was synced is kept; of the rest nothing, some or all, as the seed decides. */
  crash(): SimulatedDisk {
    for (const change of this.#entryChanges) {
      if (this.#random.chance(0.5)) change.apply(this.#durableEntries);
    }
    for (const entry of this.#durableEntries.values()) {
      if (entry !== 'directory') entry.losePower(this.#random);
    }
    this.#entries = new Map(this.#durableEntries);
    this.#entryChanges = [];
    return this.kill();
  }

  /** The process dies and the machine goes on: nothing is lost, but what was not synced still is not. */
  kill(): SimulatedDisk {
    const next = new SimulatedDisk(this.#random, {
      ...(this.#clock === undefined ? {} : { clock: this.#clock }),
      latencyMsMax: this.#latencyMsMax,
    });
    next.faults = this.faults;
    next.free = this.free;
    next.#entries = this.#entries;
    next.#durableEntries = this.#durableEntries;
    next.#entryChanges = this.#entryChanges;
    this.#crashed = true;
    return next;
  }

  /** Damages a stored byte, for good. */
  flipBit(path: string, offset: number, bit = 0): void {
    const inode = this.#inode(path);
    inode.cached.flipBit(offset, bit);
    inode.durable.flipBit(offset, bit);
  }

  openAppend(path: string): Promise<AppendFile> {
    return this.#operation(() => {
      const directory = parentOf(path);
      if (directory !== '' && this.#entries.get(directory) !== 'directory') throw missing(directory);
      if (!this.#entries.has(path)) {
        const inode = new Inode();
        this.#changeEntries(directory, (entries) => entries.set(path, inode));
      }
      return this.#appendFile(this.#inode(path));
    });
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.#operation(() =>
      this.#entries.has(path) ? this.#inode(path).cached.bytes().slice() : undefined,
    );
  }

  readAt(path: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#operation(() =>
      this.#inode(path)
        .cached.bytes()
        .slice(offset, offset + length),
    );
  }

  size(path: string): Promise<number> {
    return this.#operation(() => this.#inode(path).cached.size);
  }

  list(directory: string): Promise<readonly string[]> {
    return this.#operation(() => {
      const inside = [...this.#entries.keys()].filter((path) => parentOf(path) === directory);
      return inside.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort();
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.#operation(() => {
      for (let made = path; made !== ''; made = parentOf(made)) {
        this.#entries.set(made, 'directory');
        this.#durableEntries.set(made, 'directory');
      }
    });
  }

  rename(source: string, target: string): Promise<void> {
    assert(parentOf(source) === parentOf(target), 'files are renamed within their directory');
    return this.#operation(() => {
      const inode = this.#inode(source);
      this.#changeEntries(parentOf(source), (entries) => {
        entries.delete(source);
        entries.set(target, inode);
      });
    });
  }

  remove(path: string): Promise<void> {
    return this.#operation(() => {
      this.#inode(path);
      this.#changeEntries(parentOf(path), (entries) => entries.delete(path));
    });
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#operation(() => {
      for (const change of this.#entryChanges) {
        if (change.directory === directory) change.apply(this.#durableEntries);
      }
      this.#entryChanges = this.#entryChanges.filter((change) => change.directory !== directory);
    });
  }

  freeBytes(): Promise<number> {
    return this.#operation(() => this.free);
  }

  #appendFile(inode: Inode): AppendFile {
    return {
      write: (bytes) =>
        this.#operation(() => {
          const fails = this.#random.chance(this.faults.writeError);
          const isShort = fails || this.#random.chance(this.faults.shortWrite);
          const taken = isShort ? this.#random.below(bytes.length + 1) : bytes.length;
          // A short write takes at least a byte.
          const written = fails ? taken : Math.max(taken, Math.min(1, bytes.length));
          inode.append(bytes.subarray(0, written));
          if (fails) throw new DiskError('EIO', 'write');
          return written;
        }),
      sync: () =>
        this.#operation(() => {
          if (this.#random.chance(this.faults.syncError)) {
            inode.failSync(this.#random);
            throw new DiskError('EIO', 'sync');
          }
          inode.sync();
        }),
      truncate: (size) => this.#operation(() => inode.truncate(size)),
      close: () => this.#operation(() => undefined),
    };
  }

  /** A crash may come before the operation has happened, and after it has but before the caller knows. */
  async #operation<T>(run: () => T): Promise<T> {
    await this.#latency();
    const result = run();
    await this.#latency();
    return result;
  }

  async #latency(): Promise<void> {
    const clock = this.#clock;
    if (!this.#crashed && clock !== undefined) {
      const delayMs = this.#random.fraction() * this.#latencyMsMax;
      await new Promise<void>((resolve) => clock.schedule(delayMs, resolve));
    } else {
      await undefined;
    }
    if (this.#crashed) throw new DiskError('ECRASHED', 'the process using this disk has crashed');
  }

  #changeEntries(directory: string, apply: (entries: Entries) => void): void {
    apply(this.#entries);
    this.#entryChanges.push({ directory, apply });
  }

  #inode(path: string): Inode {
    const entry = this.#entries.get(path);
    if (entry === undefined || entry === 'directory') throw missing(path);
    return entry;
  }
}

function parentOf(path: string): string {
  const directory = dirname(path);
  return directory === '.' ? '' : directory;
}

function missing(path: string): DiskError {
  return new DiskError('ENOENT', `no such file or directory: ${path}`);
}
