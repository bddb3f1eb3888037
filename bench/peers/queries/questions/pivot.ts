import { DAY_MS } from '../../../../src/base/limits.ts';
import { AT_MS, between, CLICKHOUSE, type Dialect, DUCKDB, isName } from '../dialect.ts';
import type { Cell, Question, RivalForm } from '../question.ts';
import { analysisQuestion, isoOf } from './analysis.ts';

const FROM_MS = AT_MS - 90 * DAY_MS;
const TOP = 50;

interface Pivot {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly cells: readonly (readonly { readonly value: number }[])[];
}

/** The cells alone: totals, what is expected of each cell and how far it is from that only Muster says. */
export const pivot: Question = {
  name: 'pivot',
  what: `Product Viewed in 90 days by the top ${TOP} cities and platform, events`,
  duckdb: { forms: [cells(DUCKDB)] },
  clickhouse: { forms: [cells(CLICKHOUSE)] },
  muster: analysisQuestion<Pivot>(
    'pivot',
    [
      {
        ...{ from: isoOf(FROM_MS), to: isoOf(AT_MS), event: 'Product Viewed', measure: 'events' },
        ...{ rows: { prop: 'city', top: TOP }, columns: { prop: 'platform' } },
      },
    ],
    ({ rows, columns, cells }) =>
      cells.flatMap((row, r) =>
        row
          .map(({ value }, c): Cell[] => [rows[r]!, columns[c]!, value])
          .filter(([, , count]) => count !== 0),
      ),
  ),
};

/** Of cities that are equally frequent, those first in the order of their names are in the top. */
function cells(dialect: Dialect): RivalForm {
  const asText = dialect === DUCKDB ? 'city::VARCHAR' : 'toString(city)';
  return {
    form: 'group by',
    sql: (table) => `WITH
      counted AS (SELECT city, platform, count(*) AS n FROM ${table}
        WHERE ${isName(dialect, 'event', 'Product Viewed')} AND ${between(dialect, FROM_MS, AT_MS)}
        GROUP BY city, platform),
      most AS (SELECT city FROM counted GROUP BY city ORDER BY sum(n) DESC, city LIMIT ${TOP})
      SELECT CASE WHEN city IN (SELECT city FROM most) THEN ${asText} ELSE '(other)' END AS place, platform, sum(n)
      FROM counted GROUP BY place, platform`,
  };
}
