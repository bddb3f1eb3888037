import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/limits.ts';
import type { Io } from './io.ts';

const CELL_GAP = '  ';

export function printLine(io: Io, text: string): void {
  if (text !== '') io.stdout.write(`${text}\n`);
}

export function printJson(io: Io, value: unknown): void {
  printLine(io, JSON.stringify(value, undefined, 2));
}

/** Rows as aligned columns; numbers to the right. The first row may be a heading. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cellText(cell).length);
    });
  }
  const line = (row: (typeof rows)[number]) =>
    row
      .map((cell, i) => {
        const text = cellText(cell);
        return typeof cell === 'number' ? text.padStart(widths[i]!) : text.padEnd(widths[i]!);
      })
      .join(CELL_GAP)
      .trimEnd();
  return rows.map(line).join('\n');
}

function cellText(cell: string | number): string {
  return typeof cell === 'number' ? readableCount(cell) : cell;
}

/** `1,234`. */
export function readableCount(n: number): string {
  return n.toLocaleString('en-US');
}

/** `3 users`, `1 user`. */
export function counted(n: number, what: string): string {
  return `${readableCount(n)} ${what}${n === 1 ? '' : 's'}`;
}

/** Three digits of it: `1.23 MiB`. */
export function readableBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let value = bytes;
  for (; value >= 1000 && i < units.length - 1; i++) value /= 1024;
  return `${i === 0 ? value : value.toPrecision(3)} ${units[i]}`;
}

/** `0.42 ms`, `12 ms`, `3.1 s`. */
export function readableMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

/** Two digits of it: `450 ms`, `3.1 s`, `12 min`, `5.2 h`, `3.4 d`. */
export function readableDuration(ms: number): string {
  const units = [
    ['d', DAY_MS],
    ['h', HOUR_MS],
    ['min', MINUTE_MS],
    ['s', SECOND_MS],
  ] as const;
  const [unit, unitMs] = units.find(([, unitMs]) => ms >= unitMs) ?? ['ms', 1];
  const value = ms / unitMs;
  return `${value >= 10 || unitMs === 1 ? readableCount(Math.round(value)) : value.toFixed(1)} ${unit}`;
}

/** ISO-8601 in UTC as people read it: `2011-12-09 12:50:00`. */
export function readableTime(iso: string): string {
  return iso.replace('T', ' ').replace(/(\.000)?Z$/, '');
}

/** `sku: 85123A, quantity: 6`. */
export function readableValues(values: object): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(' | ') : value}`)
    .join(', ');
}
