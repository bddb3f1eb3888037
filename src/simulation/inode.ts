import { assert } from '../base/assert.ts';
import type { SeededRandom } from '../base/random.ts';

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

/**
 * One file's content, under whatever name: as processes see it, and as much of it as is sure to survive a power loss.
 */
export class Inode {
  readonly cached = new Content();
  readonly durable = new Content();
  /** Bytes below this are the same in both, as far as the cache knows. */
  #dirtyFrom = 0;

  append(bytes: Uint8Array): void {
    this.cached.put(this.cached.size, bytes);
  }

  truncate(size: number): void {
    this.cached.resize(size);
    this.#dirtyFrom = Math.min(this.#dirtyFrom, size);
  }

  sync(): void {
    this.durable.resize(this.cached.size);
    this.durable.put(this.#dirtyFrom, this.cached.bytes().subarray(this.#dirtyFrom));
    this.#dirtyFrom = this.cached.size;
  }

  /** As Linux does it: the pages count as clean afterwards, so that no later sync writes them. */
  failSync(random: SeededRandom): void {
    this.#syncSome(random);
    this.#dirtyFrom = this.cached.size;
  }

  losePower(random: SeededRandom): void {
    this.#syncSome(random);
    this.cached.resize(0);
    this.cached.put(0, this.durable.bytes());
    this.#dirtyFrom = this.cached.size;
  }

  #syncSome(random: SeededRandom): void {
    const outcome = random.pick(['nothing', 'everything', 'prefix', 'sectors'] as const);
    if (outcome === 'everything') this.sync();
    if (outcome === 'nothing' || outcome === 'everything') return;
    const start = this.#dirtyFrom;
    const end = start + random.below(this.cached.size - start + 1);
    this.durable.resize(end);
    const firstSector = start - (start % SECTOR_BYTES);
    for (let sector = firstSector; sector < end; sector += SECTOR_BYTES) {
      if (outcome === 'sectors' && random.chance(0.5)) continue;
      const from = Math.max(sector, start);
      this.durable.put(from, this.cached.bytes().subarray(from, Math.min(sector + SECTOR_BYTES, end)));
    }
  }
}

/** Bytes that grow; those never written are zero. */
class Content {
  #bytes = new Uint8Array(SECTOR_BYTES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      grown.set(this.bytes());
      this.#bytes = grown;
    }
    this.#bytes.fill(0, size, Math.max(size, this.#size));
    this.#size = size;
  }

  put(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.#size) this.resize(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  flipBit(offset: number, bit: number): void {
    assert(offset < this.#size, 'the byte to damage exists');
    this.#bytes[offset]! ^= 1 << bit;
  }
}
