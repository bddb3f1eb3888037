import type { Scalar } from '../../base/value.ts';
import { NO_KEY, OTHER_KEY } from './breakdown.ts';
import { type CellPart, merged, valueOfCell } from './cellValues.ts';
import type { CellMeasure } from './measure.ts';
import type { PivotPart } from './pivot.ts';

export interface PivotTable {
  /** The top values by number of events, then `(other)` and `(none)` where there are events of them. */
  readonly rows: readonly Scalar[];
  /** The same, or where intervals begin. */
  readonly columns: readonly Scalar[];
  /** By row, by column. */
  readonly cells: readonly (readonly PivotCell[])[];
  /** Of the events, not of the cells: a user is counted once. */
  readonly rowTotals: readonly PivotTotal[];
  readonly columnTotals: readonly PivotTotal[];
  readonly total: PivotTotal;
}

export interface PivotTotal {
  readonly value: number | null;
  /** With `compare`: of the range before. */
  readonly previous?: number | null;
}

/** `expected`, `score` and `standsOut` where the measure counts events or users. */
export interface PivotCell extends PivotTotal {
  /** Row · column / total, each the sum of its cells: what it were if rows had nothing to do with columns. */
  readonly expected?: number;
  /** How far from it, in standard deviations. */
  readonly score?: number;
  readonly standsOut?: boolean;
}

/** Beyond, chance alone would mark 3 cells of a thousand. */
const SCORE_MIN = 3;
/** With less expected, the score is not normally distributed: Cochran's rule, as for the chi-squared test. */
const EXPECTED_MIN = 5;

export function* pivotTableSteps(table: {
  readonly parts: readonly PivotPart[];
  readonly measure: CellMeasure;
  readonly rows: readonly Scalar[];
  readonly columns: readonly Scalar[];
  /** Whether columns have slots for `(other)` and `(none)`, as rows have. */
  readonly hasFoldedColumns: boolean;
}): Generator<void, PivotTable> {
  const { parts, measure, hasFoldedColumns } = table;
  const { kind } = measure;
  const width = table.columns.length + (hasFoldedColumns ? 2 : 0);
  const height = table.rows.length + 2;
  const eventsOf = (name: 'rowEvents' | 'columnEvents', count: number) =>
    merged(
      'events',
      parts.map((part) => part[name]),
      count,
    ).values;
  const rows = shown(table.rows, eventsOf('rowEvents', height));
  const columns = shown(table.columns, eventsOf('columnEvents', width));
  yield;
  const spans: Totals[] = [];
  for (const span of parts[0]!.spans.keys()) {
    const own = parts.map((part) => part.spans[span]!);
    spans.push({
      cells: mergedOf(kind, own, 'cells', width * height),
      rowTotals: mergedOf(kind, own, 'rowTotals', height),
      columnTotals: mergedOf(kind, own, 'columnTotals', width),
      total: mergedOf(kind, own, 'total', 1),
    });
    yield;
  }
  const totalOf = (of: keyof Totals, cell: number): PivotTotal => {
    const [now, before] = spans;
    const value = valueOfCell(kind, now![of], cell);
    return before === undefined ? { value } : { value, previous: valueOfCell(kind, before[of], cell) };
  };
  const expectations =
    kind === 'events' || kind === 'users' ? new Expectations(spans[0]!.cells.values, width) : undefined;
  const cells: PivotCell[][] = [];
  for (const row of rows) {
    const cellOf = (column: Shown) => {
      const total = totalOf('cells', row.slot * width + column.slot);
      return expectations === undefined
        ? total
        : Object.assign(total, expectations.of(row.slot, column.slot));
    };
    cells.push(columns.map(cellOf));
    yield;
  }
  return {
    rows: rows.map(({ key }) => key),
    columns: columns.map(({ key }) => key),
    cells,
    rowTotals: rows.map(({ slot }) => totalOf('rowTotals', slot)),
    columnTotals: columns.map(({ slot }) => totalOf('columnTotals', slot)),
    total: totalOf('total', 0),
  };
}

type Totals = Readonly<Record<'cells' | 'rowTotals' | 'columnTotals' | 'total', CellPart>>;

interface Shown {
  readonly key: Scalar;
  readonly slot: number;
}

function mergedOf(
  kind: CellMeasure['kind'],
  spans: readonly Totals[],
  of: keyof Totals,
  count: number,
): CellPart {
  return merged(
    kind,
    spans.map((span) => span[of]),
    count,
  );
}

/** Keys with their slots; of those folded, the ones with events. */
function shown(keys: readonly Scalar[], events: Float64Array): readonly Shown[] {
  const folded = [OTHER_KEY, NO_KEY].map((key, i) => ({ key, slot: keys.length + i }));
  return [...keys.map((key, slot) => ({ key, slot })), ...folded.filter(({ slot }) => events[slot]! > 0)];
}

/**
 * What counts would be if rows and columns were independent, and how far they are from it: adjusted residuals, which are
 * about normally distributed then (Haberman 1973, "The analysis of residuals in cross-classified tables", Biometrics
 * 29:205–220; Agresti, "Categorical Data Analysis", 3.3.1).
 */
class Expectations {
  readonly #counts: Float64Array;
  readonly #width: number;
  readonly #rowSums: Float64Array;
  readonly #columnSums: Float64Array;
  #sum = 0;

  /** Row by row. */
  constructor(counts: Float64Array, width: number) {
    this.#counts = counts;
    this.#width = width;
    this.#rowSums = new Float64Array(width === 0 ? 0 : counts.length / width);
    this.#columnSums = new Float64Array(width);
    for (const [i, count] of counts.entries()) {
      this.#rowSums[Math.floor(i / width)]! += count;
      this.#columnSums[i % width]! += count;
      this.#sum += count;
    }
  }

  of(row: number, column: number): Required<Pick<PivotCell, 'expected' | 'score' | 'standsOut'>> {
    const [rowSum, columnSum, sum] = [this.#rowSums[row]!, this.#columnSums[column]!, this.#sum];
    const expected = sum === 0 ? 0 : (rowSum * columnSum) / sum;
    const variance = expected * (1 - rowSum / sum) * (1 - columnSum / sum);
    const difference = this.#counts[row * this.#width + column]! - expected;
    // Without variance all is in one row or column, and nothing could be otherwise.
    const score = variance > 0 ? difference / Math.sqrt(variance) : 0;
    return { expected, score, standsOut: expected >= EXPECTED_MIN && Math.abs(score) >= SCORE_MIN };
  }
}
