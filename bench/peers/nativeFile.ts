import { closeSync, openSync, writeSync } from 'node:fs';
import { type EventTable, type NumberColumn, scaled, type TextColumn } from './eventTable.ts';

const BLOCK_ROWS = 1 << 18;

/**
 * Writes a table in ClickHouse's Native format, the shortest way from typed arrays into a rival. Its blocks are:
 *
 * | bytes | what |
 * |---|---|
 * | varint, varint | columns, rows |
 * | varint + UTF-8, twice | per column: name, type |
 * | rows | where the type is Nullable: 1 for a null |
 * | … | the values: little-endian numbers, or texts, each a varint of its bytes and the bytes |
 *
 * Numbers come as whole ones of their last digit, times as milliseconds.
 */
export function writeNative(table: EventTable, path: string): void {
  const file = openSync(path, 'w');
  const texts = [table.event, ...table.texts].map(
    (column) => [column, column.texts.map(encodedText)] as const,
  );
  try {
    for (let from = 0; from < table.rows; from += BLOCK_ROWS) {
      const to = Math.min(from + BLOCK_ROWS, table.rows);
      const columns = [
        column('user_id', 'UInt32', [bytesOf(table.user.subarray(from, to))]),
        column('ts', 'Int64', [int64s(table.timeMs.subarray(from, to))]),
        ...texts.map(([text, encoded]) =>
          column(text.name, 'Nullable(String)', textValues(text, encoded, from, to)),
        ),
        ...table.numbers.map((number) =>
          column(number.name, 'Nullable(Int64)', numberValues(number, from, to)),
        ),
      ];
      for (const part of [varint(columns.length), varint(to - from), ...columns.flat()]) writeAll(file, part);
    }
  } finally {
    closeSync(file);
  }
}

function column(name: string, type: string, values: readonly Uint8Array[]): Uint8Array[] {
  return [encodedText(name), encodedText(type), ...values];
}

function textValues(
  { codes, absentCode }: TextColumn,
  encoded: readonly Uint8Array[],
  from: number,
  to: number,
): Uint8Array[] {
  const nulls = new Uint8Array(to - from);
  let bytes = 0;
  for (let row = from; row < to; row++) bytes += encoded[codes[row]!]!.length;
  const values = new Uint8Array(bytes);
  let at = 0;
  for (let row = from; row < to; row++) {
    const text = encoded[codes[row]!]!;
    if (codes[row] === absentCode) nulls[row - from] = 1;
    values.set(text, at);
    at += text.length;
  }
  return [nulls, values];
}

function numberValues({ values, digits }: NumberColumn, from: number, to: number): Uint8Array[] {
  const part = values.subarray(from, to);
  const nulls = Uint8Array.from(part, (value) => (Number.isNaN(value) ? 1 : 0));
  return [nulls, int64s(part.map((value) => (Number.isNaN(value) ? 0 : scaled(value, digits))))];
}

/** Of safe integers. */
function int64s(values: Float64Array): Uint8Array {
  const halves = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const high = Math.floor(values[i]! / 0x1_0000_0000);
    halves[2 * i] = values[i]! - high * 0x1_0000_0000;
    halves[2 * i + 1] = high;
  }
  return bytesOf(halves);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function encodedText(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
