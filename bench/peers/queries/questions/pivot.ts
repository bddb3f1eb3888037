import { DAY_MS } from '../../../../src/base/limits.ts';
import { AT_MS, between, CLICKHOUSE, type Dialect, DUCKDB, isName } from '../dialect.ts';
import type { Question, RivalForm } from '../question.ts';
import { PENDING } from './pending.ts';

/** The cells alone: what is expected of each, and how far it is from that, only Muster says. */
export const pivot: Question = {
  name: 'pivot',
  what: 'Product Viewed in 90 days by city and platform, events',
  duckdb: { forms: [cells(DUCKDB)] },
  clickhouse: { forms: [cells(CLICKHOUSE)] },
  muster: PENDING,
};

function cells(dialect: Dialect): RivalForm {
  return {
    form: 'group by',
    sql: (table) => `SELECT city, platform, count(*) FROM ${table}
      WHERE ${isName(dialect, 'event', 'Product Viewed')} AND ${between(dialect, AT_MS - 90 * DAY_MS, AT_MS)}
      GROUP BY city, platform`,
  };
}
