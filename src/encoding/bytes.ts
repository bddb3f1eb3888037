import { assert } from '../base/assert.ts';
import { damaged, type Place, type Writer } from './contract.ts';

/** Varints: seven bits a byte, the lowest first, the eighth bit set when more follow. */
const VARINT_BYTES_MAX = 8;

/** Collects a chunk's bytes. */
export class ByteWriter implements Writer {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacityBytes: number) {
    this.#buffer = new Uint8Array(capacityBytes);
  }

  clear(): void {
    this.#length = 0;
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a varint is a whole number');
    this.#reserve(VARINT_BYTES_MAX);
    while (value >= 128) {
      this.#buffer[this.#length++] = (value % 128) + 128;
      value = Math.floor(value / 128);
    }
    this.#buffer[this.#length++] = value;
  }

  double(value: number): void {
    this.bytes(new Uint8Array(Float64Array.of(value).buffer));
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written since clear(), without a copy. */
  written(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(2 * this.#buffer.length + bytes);
    larger.set(this.written());
    this.#buffer = larger;
  }
}

/** Takes a chunk apart. Every method throws DamageError when that many bytes are not there. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly place: Place;
  /** This process made the bytes: what is in them needs no check, only where they end. */
  readonly trusted: boolean;
  #offset: number;
  #end: number;

  /** Reads bytes [offset, end). */
  constructor(
    bytes: Uint8Array,
    range: { readonly offset: number; readonly end: number },
    place: Place,
    trusted: boolean,
  ) {
    this.bytes = bytes;
    this.place = place;
    this.trusted = trusted;
    this.#offset = range.offset;
    this.#end = range.end;
  }

  get offset(): number {
    return this.#offset;
  }

  byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  /** A varint of `min` to `max`, which is a safe integer. */
  varint(what: string, min: number, max: number): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      unit *= 128;
      if (byte >= 128) continue;
      if (value < min || value > max) damaged(this.place, `${what} of ${min} to ${max}`, String(value));
      return value;
    }
    return damaged(this.place, `${what} in at most ${VARINT_BYTES_MAX} bytes`, 'more');
  }

  double(): number {
    const at = this.skip(8);
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at).getFloat64(0, true);
  }

  /** The place of so many bytes, which it steps over. */
  skip(count: number): number {
    const at = this.#offset;
    if (count > this.#end - at) damaged(this.place, `${count} more bytes`, String(this.#end - at));
    this.#offset = at + count;
    return at;
  }

  /** From now on, the bytes end after so many more. */
  endAfter(count: number): void {
    this.skip(count);
    this.#end = this.#offset;
    this.#offset -= count;
  }

  expectEnd(): void {
    this.expect(this.#offset === this.#end, 'the end', `${this.#end - this.#offset} more bytes`);
  }

  expect(holds: boolean, expected: string, found: string): void {
    if (!holds) damaged(this.place, expected, found);
  }
}
