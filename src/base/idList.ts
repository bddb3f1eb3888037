import type { Bitset } from './bitset.ts';

/**
 * Ids by number, as bytes outside V8's heap: a third of what texts would take, and nothing for its collector to visit. An
 * id lies in a page of PAGE_IDS, behind those before it, as
 *
 *   size     meaning
 *   1        2 × length, + 1 where a character takes two bytes; 127 in place of any length from 127 on
 *   0 or 4   then the length in bytes
 *   length   Latin-1, or UTF-16 from the lower byte on
 *
 * A page knows where every GROUP_IDS-th begins; from there on ids are passed by.
 */
export class IdList {
  readonly #pages: Page[] = [];
  #length = 0;
  #memoryBytes = 0;

  get length(): number {
    return this.#length;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  push(id: string): void {
    const page = this.#openPage();
    const { length } = id;
    if (page.bytes.length < page.used + HEADER_BYTES_MAX + 2 * length) this.#grow(page, 2 * length);
    const { bytes } = page;
    const at = startOf(page, this.#length);
    const from = at + headerBytes(length);
    if (writeLatin1(bytes, from, id)) {
      writeHeader(bytes, at, length, 0);
      page.used = from + length;
    } else {
      writeHeader(bytes, at, 2 * length, 1);
      page.used = at + headerBytes(2 * length) + bytes.write(id, at + headerBytes(2 * length), 'utf16le');
    }
    this.#pushed(page);
  }

  /** 0 <= i < length, as for `equals`. */
  get(i: number): string {
    const { bytes } = this.#pages[i >>> PAGE_BITS]!;
    const at = this.#find(i);
    const length = lengthAt(bytes, at);
    const from = at + headerBytes(length);
    return bytes.toString((bytes[at]! & WIDE) === 0 ? 'latin1' : 'utf16le', from, from + length);
  }

  equals(i: number, id: string): boolean {
    const { bytes } = this.#pages[i >>> PAGE_BITS]!;
    const at = this.#find(i);
    if ((bytes[at]! & WIDE) !== 0) return this.get(i) === id;
    const length = lengthAt(bytes, at);
    return length === id.length && isLatin1(bytes, at + headerBytes(length), id);
  }

  /** Becomes another id, of as many zeros: the text is nowhere any more. 0 <= i < length. */
  erase(i: number): void {
    const { bytes } = this.#pages[i >>> PAGE_BITS]!;
    const at = this.#find(i);
    const length = lengthAt(bytes, at);
    const from = at + headerBytes(length);
    bytes.fill(0, from, from + length);
  }

  /** Becomes, while empty, another list where ids that are not `here` are empty. Yields between some pages. */
  *inherit(parent: IdList, here: Bitset): Generator<void> {
    for (const [p, source] of parent.#pages.entries()) {
      yield;
      const first = p << PAGE_BITS;
      const end = Math.min(first + PAGE_IDS, parent.length);
      for (let i = first, at = 0; i < end; i++) {
        const next = nextOf(source.bytes, at);
        if (here.has(i)) this.#pushBytes(source.bytes, at, next);
        else this.#pushBytes(EMPTY, 0, 1);
        at = next;
      }
    }
  }

  /** An id with its header. */
  #pushBytes(source: Buffer, from: number, to: number): void {
    const page = this.#openPage();
    if (page.bytes.length < page.used + to - from) this.#grow(page, to - from);
    const at = startOf(page, this.#length);
    // For so few bytes a call and a view of them cost more than a loop.
    for (let i = from; i < to; i++) page.bytes[at + i - from] = source[i]!;
    page.used = at + to - from;
    this.#pushed(page);
  }

  #openPage(): Page {
    if (this.#length === this.#pages.length << PAGE_BITS) {
      this.#pages.push({ bytes: Buffer.alloc(0), used: 0, starts: new Uint32Array(PAGE_IDS / GROUP_IDS) });
      this.#memoryBytes += PAGE_BYTES;
    }
    return this.#pages.at(-1)!;
  }

  #pushed(page: Page): void {
    this.#length++;
    if (this.#length % PAGE_IDS === 0) this.#resize(page, page.used);
  }

  #grow(page: Page, more: number): void {
    this.#resize(page, Math.ceil(page.used * GROWTH) + HEADER_BYTES_MAX + more);
  }

  #resize(page: Page, size: number): void {
    const bytes = Buffer.allocUnsafeSlow(size);
    bytes.set(page.bytes.subarray(0, page.used));
    this.#memoryBytes += size - page.bytes.length;
    page.bytes = bytes;
  }

  /** Where the id's header is. */
  #find(i: number): number {
    const { bytes, starts } = this.#pages[i >>> PAGE_BITS]!;
    let at = starts[(i & (PAGE_IDS - 1)) >>> GROUP_BITS]!;
    for (let passed = i & (GROUP_IDS - 1); passed > 0; passed--) at = nextOf(bytes, at);
    return at;
  }
}

interface Page {
  bytes: Buffer;
  used: number;
  /** By group. */
  readonly starts: Uint32Array;
}

const PAGE_BITS = 10;
const PAGE_IDS = 1 << PAGE_BITS;
const GROUP_BITS = 3;
const GROUP_IDS = 1 << GROUP_BITS;
/** Its objects, as measured on Node 20. */
const PAGE_BYTES = 700 + (PAGE_IDS / GROUP_IDS) * 4;
/** Little is empty, and each byte is copied a few times. */
const GROWTH = 1.25;
const WIDE = 1;
const LONG = 127;
const HEADER_BYTES_MAX = 5;
const EMPTY = Buffer.of(0);

function headerBytes(length: number): number {
  return length < LONG ? 1 : HEADER_BYTES_MAX;
}

function writeHeader(bytes: Buffer, at: number, length: number, wide: number): void {
  bytes[at] = 2 * Math.min(length, LONG) + wide;
  if (length >= LONG) bytes.writeUint32LE(length, at + 1);
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes[at]! >>> 1;
  return length < LONG ? length : bytes.readUint32LE(at + 1);
}

function nextOf(bytes: Buffer, at: number): number {
  const length = lengthAt(bytes, at);
  return at + headerBytes(length) + length;
}

/** Where the i-th id of all, the next of this page, is to begin. */
function startOf(page: Page, i: number): number {
  if (i % GROUP_IDS === 0) page.starts[(i & (PAGE_IDS - 1)) >>> GROUP_BITS] = page.used;
  return page.used;
}

/** False where a character does not fit a byte. */
function writeLatin1(bytes: Buffer, at: number, text: string): boolean {
  let all = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    all |= code;
    bytes[at + i] = code;
  }
  return all < 256;
}

function isLatin1(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
