import { assert } from '../../base/assert.ts';
import type { Scalar, Value } from '../../base/value.ts';
import { BUFFER_BYTES } from './traitMemory.ts';
import { HEAP_REFS_FROM } from './traitRefs.ts';

/**
 * Texts and arrays of one page that rarely repeat, as bytes outside V8's heap. A reference is the number of a chunk,
 * from 1 on, in its upper 16 bits and a byte of it in its lower 16. There begins an entry:
 *
 *   size     meaning
 *   1        4 × length, + 2 if a byte is not ASCII, + 1 for an array; 63 stands for any length from 63 on
 *   0 or 4   then the length
 *   length   UTF-8: the text, or the array's JSON
 *
 * An entry lies in one chunk, which is longer than usual if it must be. What is freed leaves a gap; a chunk with more
 * gaps than entries is for its owner to move, entry by entry.
 */
export class TraitHeap {
  /** By number - 1. */
  readonly #chunks: (Chunk | undefined)[] = [];
  /** The number of the chunk that takes new entries; 0 before there is one. */
  #open = 0;

  get memoryBytes(): number {
    let total = 0;
    for (const chunk of this.#chunks) if (chunk !== undefined) total += chunk.bytes.length + BUFFER_BYTES;
    return total;
  }

  /** A text must be well-formed. */
  add(value: string | readonly Scalar[]): number {
    const isText = typeof value === 'string';
    const text = isText ? value : JSON.stringify(value);
    const length = Buffer.byteLength(text);
    const ref = this.#reserve(length + (length < LONG ? 1 : 5));
    const { bytes } = this.#chunkOf(ref);
    const at = ref & OFFSET_MASK;
    bytes[at] = 4 * Math.min(length, LONG) + (length === text.length ? 0 : WIDE) + (isText ? 0 : ARRAY);
    if (length >= LONG) bytes.writeUint32LE(length, at + 1);
    bytes.write(text, at + (length < LONG ? 1 : 5));
    return ref;
  }

  get(ref: number): Value {
    const { bytes } = this.#chunkOf(ref);
    const at = ref & OFFSET_MASK;
    const { from, to } = contentOf(bytes, at);
    const text = bytes.toString((bytes[at]! & WIDE) === 0 ? 'latin1' : 'utf8', from, to);
    return (bytes[at]! & ARRAY) === 0 ? text : (JSON.parse(text) as Scalar[]);
  }

  isArray(ref: number): boolean {
    return (this.#chunkOf(ref).bytes[ref & OFFSET_MASK]! & ARRAY) !== 0;
  }

  /**
   * The same as `get` for reading many, until something is changed: texts of ASCII are cut out of that of their chunk,
   * which is made once, so none may be kept.
   */
  reader(): (ref: number) => Value {
    if (this.memoryBytes > READ_BYTES_MAX) return (ref) => this.get(ref);
    const texts: string[] = [];
    return (ref) => {
      const { bytes, used } = this.#chunkOf(ref);
      const at = ref & OFFSET_MASK;
      if ((bytes[at]! & (WIDE | ARRAY)) !== 0) return this.get(ref);
      texts[ref >>> OFFSET_BITS] ??= bytes.toString('latin1', 0, used);
      const { from, to } = contentOf(bytes, at);
      return texts[ref >>> OFFSET_BITS]!.substring(from, to);
    };
  }

  /** Whether it is an entry of just these bytes. */
  equals(ref: number, content: Uint8Array): boolean {
    const { bytes } = this.#chunkOf(ref);
    const at = ref & OFFSET_MASK;
    if (bytes[at]! >>> 2 !== Math.min(content.length, LONG)) return false;
    const { from, to } = contentOf(bytes, at);
    if (to - from !== content.length) return false;
    for (let i = 0; i < content.length; i++) if (bytes[from + i] !== content[i]) return false;
    return true;
  }

  /** 1 for references to texts of just these bytes, 0 for other texts, and what `ofArray` says of arrays. */
  equalTo(content: Uint8Array, ofArray: (ref: number) => number): (ref: number) => number {
    const chunks = this.#chunks;
    const { length } = content;
    return (ref) => {
      const { bytes } = chunks[(ref >>> OFFSET_BITS) - 1]!;
      const at = ref & OFFSET_MASK;
      const header = bytes[at]!;
      if ((header & ARRAY) !== 0) return ofArray(ref);
      if (length >= LONG) return Number(this.equals(ref, content));
      if (header >>> 2 !== length) return 0;
      for (let i = 0; i < length; i++) if (bytes[at + 1 + i] !== content[i]) return 0;
      return 1;
    };
  }

  /** The number of a chunk that is now worth moving, if this made it so. */
  free(ref: number): number | undefined {
    const chunk = this.#chunkOf(ref);
    const number = ref >>> OFFSET_BITS;
    chunk.live -= contentOf(chunk.bytes, ref & OFFSET_MASK).to - (ref & OFFSET_MASK);
    if (number === this.#open) return undefined;
    if (chunk.live === 0) this.#chunks[number - 1] = undefined;
    return chunk.live > 0 && chunk.live * 2 < chunk.used ? number : undefined;
  }

  /** The entry's new reference, outside the chunk it was in. */
  move(ref: number): number {
    const { bytes } = this.#chunkOf(ref);
    const at = ref & OFFSET_MASK;
    const { to } = contentOf(bytes, at);
    const moved = this.#reserve(to - at);
    this.#chunkOf(moved).bytes.set(bytes.subarray(at, to), moved & OFFSET_MASK);
    this.free(ref);
    return moved;
  }

  /** Adds an entry of another heap. */
  addFrom(source: TraitHeap, ref: number): number {
    const { bytes } = source.#chunkOf(ref);
    const from = ref & OFFSET_MASK;
    const { to } = contentOf(bytes, from);
    const added = this.#reserve(to - from);
    const target = this.#chunkOf(added).bytes;
    const at = added & OFFSET_MASK;
    // For so few bytes a call and a view of them cost more than a loop.
    if (to - from > COPIED_BY_LOOP_MAX) target.set(bytes.subarray(from, to), at);
    else for (let i = from; i < to; i++) target[at + i - from] = bytes[i]!;
    return added;
  }

  #chunkOf(ref: number): Chunk {
    return this.#chunks[(ref >>> OFFSET_BITS) - 1]!;
  }

  /** Where an entry of so many bytes may be written. */
  #reserve(size: number): number {
    let chunk = this.#chunks[this.#open - 1];
    if (chunk === undefined || chunk.used + size > CHUNK_BYTES) {
      chunk = { bytes: Buffer.allocUnsafeSlow(size), used: 0, live: 0 };
      const gap = this.#chunks.indexOf(undefined);
      if (gap === -1) this.#chunks.push(chunk);
      else this.#chunks[gap] = chunk;
      this.#open = gap === -1 ? this.#chunks.length : gap + 1;
      assert(this.#open < 1 << OFFSET_BITS, 'a page has fewer entries than chunks can be numbered');
    }
    const at = chunk.used;
    if (at + size > chunk.bytes.length) {
      const grown = Math.max(at + size, Math.min(CHUNK_BYTES, Math.ceil(at * GROWTH)));
      const bytes = Buffer.allocUnsafeSlow(grown);
      bytes.set(chunk.bytes);
      chunk.bytes = bytes;
    }
    chunk.used += size;
    chunk.live += size;
    return this.#open * CHUNK_BYTES + at;
  }
}

interface Chunk {
  bytes: Buffer;
  used: number;
  /** Of `used`, what was not freed. */
  live: number;
}

const OFFSET_BITS = 16;
const CHUNK_BYTES = 1 << OFFSET_BITS;
const OFFSET_MASK = CHUNK_BYTES - 1;
assert(CHUNK_BYTES === HEAP_REFS_FROM, 'the first chunk begins there');
/** Of an entry's first byte. */
const ARRAY = 1;
const WIDE = 2;
const LONG = 63;
const COPIED_BY_LOOP_MAX = 64;
/** Of chunks as texts, for as long as something is read. */
const READ_BYTES_MAX = 1 << 22;
/** Little is empty, and each byte is copied a few times. */
const GROWTH = 1.25;

function contentOf(bytes: Buffer, at: number): { readonly from: number; readonly to: number } {
  const length = bytes[at]! >>> 2;
  return length < LONG
    ? { from: at + 1, to: at + 1 + length }
    : { from: at + 5, to: at + 5 + bytes.readUint32LE(at + 1) };
}
