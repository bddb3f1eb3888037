import { badRequest } from '../base/errors.ts';
import { MESSAGE_PACK_DEPTH_MAX } from '../base/limits.ts';

/**
 * MessagePack → plain JavaScript values, from a sender who is not trusted: lengths are checked before anything is
 * allocated, nesting and the number of values are bounded, and every value means what its JSON would mean. So maps have
 * text keys (`__proto__` is a key like any other, as for JSON.parse), 64-bit integers become doubles, a timestamp
 * becomes ISO-8601 text, binary is copied, and any other extension is refused.
 *
 * Throws MusterError `bad_request` whose path is the byte offset.
 */
export function unpack(bytes: Uint8Array, valuesMax = Number.POSITIVE_INFINITY): unknown {
  return new Unpacker(bytes, valuesMax).whole();
}

const TIMESTAMP = -1;
/** A call that makes a string costs more than comparing this much. */
const SHORT_TEXT_BYTES = 24;
const RECENT_SLOTS = 1024;
const recentTexts: string[] = new Array(RECENT_SLOTS).fill('');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Unpacker {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #view: DataView;
  #at = 0;
  #valuesLeft: number;

  constructor(bytes: Uint8Array, valuesMax: number) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#valuesLeft = valuesMax;
  }

  whole(): unknown {
    const value = this.#value(0);
    if (this.#at !== this.#bytes.length) throw this.#invalid('more bytes after the value');
    return value;
  }

  #value(depth: number): unknown {
    if (--this.#valuesLeft < 0) throw this.#invalid('too many values');
    const token = this.#uint(1);
    if (token < 0x80) return token;
    if (token < 0x90) return this.#map(token & 0x0f, depth);
    if (token < 0xa0) return this.#array(token & 0x0f, depth);
    if (token < 0xc0) return this.#text(token & 0x1f);
    if (token >= 0xe0) return token - 0x100;
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (token - 0xc4))).slice();
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (token - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#advance(4));
      case 0xcb:
        return this.#view.getFloat64(this.#advance(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (token - 0xcc));
      case 0xcf:
        return Number(this.#view.getBigUint64(this.#advance(8)));
      case 0xd0:
        return this.#view.getInt8(this.#advance(1));
      case 0xd1:
        return this.#view.getInt16(this.#advance(2));
      case 0xd2:
        return this.#view.getInt32(this.#advance(4));
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#advance(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (token - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(2 << (token - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (token - 0xde)), depth);
      default:
        throw this.#invalid(`no value begins with byte 0x${token.toString(16)}`);
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(length, depth);
    const array = new Array<unknown>(length);
    for (let i = 0; i < length; i++) array[i] = this.#value(depth + 1);
    return array;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    this.#enter(2 * length, depth);
    const map: Record<string, unknown> = {};
    for (let i = 0; i < length; i++) {
      const key = this.#value(depth + 1);
      if (typeof key !== 'string') throw this.#invalid('a key of a map is not text');
      const value = this.#value(depth + 1);
      if (key === '__proto__') {
        Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
      } else {
        map[key] = value;
      }
    }
    return map;
  }

  /** Every element takes at least a byte, so a length past the bytes left is a lie. */
  #enter(elementCount: number, depth: number): void {
    if (depth >= MESSAGE_PACK_DEPTH_MAX) throw this.#invalid(`nested deeper than ${MESSAGE_PACK_DEPTH_MAX}`);
    if (elementCount > this.#bytes.length - this.#at) throw this.#invalid('ends within a value');
  }

  #text(length: number): string {
    const start = this.#advance(length);
    const end = start + length;
    let i = start;
    while (i < end && this.#bytes[i]! < 0x80) i++;
    if (i < end) return this.#unicode(start, end);
    return length <= SHORT_TEXT_BYTES
      ? this.#shortText(start, end)
      : this.#buffer.toString('latin1', start, end);
  }

  /** ASCII. Most are keys, and the same few again and again: a slot per hash keeps the last one it saw. */
  #shortText(start: number, end: number): string {
    let hash = end - start;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + this.#bytes[i]!) | 0;
    const slot = hash & (RECENT_SLOTS - 1);
    const recent = recentTexts[slot]!;
    if (recent.length === end - start) {
      let i = start;
      while (i < end && this.#bytes[i] === recent.charCodeAt(i - start)) i++;
      if (i === end) return recent;
    }
    const text = this.#buffer.toString('latin1', start, end);
    recentTexts[slot] = text;
    return text;
  }

  #unicode(start: number, end: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(start, end));
    } catch {
      throw this.#invalid('text is not UTF-8');
    }
  }

  #extension(length: number): string {
    const type = this.#view.getInt8(this.#advance(1));
    const start = this.#advance(length);
    if (type !== TIMESTAMP) throw this.#invalid(`extension ${type} is not supported`);
    let seconds: number;
    let nanoseconds = 0;
    if (length === 4) {
      seconds = this.#view.getUint32(start);
    } else if (length === 8) {
      const high = this.#view.getUint32(start);
      nanoseconds = high >>> 2;
      seconds = (high & 3) * 2 ** 32 + this.#view.getUint32(start + 4);
    } else if (length === 12) {
      nanoseconds = this.#view.getUint32(start);
      seconds = Number(this.#view.getBigInt64(start + 4));
    } else {
      throw this.#invalid('a timestamp has 4, 8 or 12 bytes');
    }
    const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
    if (Number.isNaN(date.getTime())) throw this.#invalid('a timestamp is out of range');
    return date.toISOString();
  }

  #uint(byteCount: number): number {
    const start = this.#advance(byteCount);
    if (byteCount === 1) return this.#bytes[start]!;
    return byteCount === 2 ? this.#view.getUint16(start) : this.#view.getUint32(start);
  }

  #take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #advance(byteCount: number): number {
    const start = this.#at;
    if (byteCount > this.#bytes.length - start) throw this.#invalid('ends within a value');
    this.#at = start + byteCount;
    return start;
  }

  #invalid(message: string): Error {
    return badRequest(`not MessagePack: ${message}`, `byte ${this.#at}`);
  }
}
