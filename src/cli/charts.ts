/** Small charts of characters, for a terminal. */

const BAR_CHARS = 32;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const CELL_GAP = '  ';

/** A bar that is BAR_CHARS long for `max`; none for what is not positive. */
export function bar(value: number, max: number): string {
  if (!(value > 0 && max > 0)) return '';
  const eighths = Math.max(1, Math.round(Math.min(value / max, 1) * BAR_CHARS * 8));
  return '█'.repeat(eighths >>> 3) + EIGHTHS[eighths & 7]!;
}

/** Of a share from 0 to 1: `7.5 %`, `42 %`. */
export function percent(share: number): string {
  const hundredths = share * 100;
  const isShort = hundredths === 0 || hundredths >= 9.95;
  return `${isShort ? Math.round(hundredths) : hundredths.toFixed(1)} %`;
}

/** Of a number that need not be whole: four digits of its fraction's side at the most. */
export function readableNumber(n: number | null): string {
  if (n === null) return '–';
  const digits = Number.isInteger(n) || Math.abs(n) >= 1000 ? 0 : 2;
  return n.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Rows of text as columns: the first one to the left, all others to the right. */
export function grid(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join(CELL_GAP)
        .trimEnd(),
    )
    .join('\n');
}
