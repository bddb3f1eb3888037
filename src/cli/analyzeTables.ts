import type { Pivot, PivotCell, PivotParams, PivotTotal, Rfm, Trend } from '../client/analysisTypes.ts';
import { nameOf } from './analyzeUsers.ts';
import { bar, grid, percent, readableNumber } from './charts.ts';
import { readableCount, readableTime, table } from './print.ts';

/** Answers that are tables of numbers, for people to read. */

export function trendText({ series }: Trend): string {
  const values = series.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
  const max = Math.max(0, ...values);
  return series
    .map(({ event, key, points }) => {
      const title = key === undefined ? nameOf({ event }) : `${nameOf({ event })}, ${key}`;
      const numbers = points.map(({ value }) => readableNumber(value));
      const width = Math.max(0, ...numbers.map(({ length }) => length));
      const rows = points.map(({ t, value }, i) => [
        readableTime(t),
        numbers[i]!.padStart(width),
        bar(value ?? 0, max),
      ]);
      return [title, table(rows)].join('\n');
    })
    .join('\n\n');
}

/** `▲` and `▼` mark cells with much more or less than the totals of their row and column let one expect. */
export function pivotText(
  { rows, columns, cells, rowTotals, columnTotals, total }: Pivot,
  params: PivotParams,
): string {
  const isOfTime = 'interval' in params.columns;
  const headings = columns.map((column) => (isOfTime ? readableTime(String(column)) : String(column)));
  return grid([
    ['', ...headings, 'total'],
    ...rows.map((row, i) => [String(row), ...cells[i]!.map(cellText), totalText(rowTotals[i]!)]),
    ['total', ...columnTotals.map(totalText), totalText(total)],
  ]);
}

function cellText(cell: PivotCell): string {
  const mark = cell.standsOut ? (cell.score! > 0 ? '▲ ' : '▼ ') : '';
  return mark + totalText(cell);
}

function totalText({ value, previous }: PivotTotal): string {
  return previous === undefined
    ? readableNumber(value)
    : `${readableNumber(value)} (${readableNumber(previous)})`;
}

export function rfmText({ users, value, grid: cells, groups }: Rfm): string {
  const scores = cells.map((_, i) => i + 1);
  const map = scores
    .toReversed()
    .map((recency) => [String(recency), ...cells[recency - 1]!.map((cell) => readableCount(cell.users))]);
  const list = groups.map((group) => [
    group.name,
    readableCount(group.users),
    percent(users === 0 ? 0 : group.users / users),
    readableNumber(group.value),
  ]);
  return [
    'users by recency (down) and by frequency and value (across), 5 being the best',
    grid([['', ...scores.map(String)], ...map]),
    '',
    grid([
      ['group', 'users', 'share', 'value'],
      ...list,
      ['all', readableCount(users), '', readableNumber(value)],
    ]),
  ].join('\n');
}
