import { SESSION_PERIOD } from '../../../sessions.ts';
import { AT_MS, between, CLICKHOUSE, type Dialect, DUCKDB, dayOf } from '../dialect.ts';
import type { Question, RivalForm } from '../question.ts';
import { PENDING } from './pending.ts';

/** Per day and platform how often, and by how many users. */
export const trend: Question = {
  name: 'trend',
  what: 'Product Viewed a day by platform over 180 days, events and distinct users',
  duckdb: { forms: [distinctUsers(DUCKDB), twice(DUCKDB)] },
  clickhouse: {
    forms: [
      distinctUsers(CLICKHOUSE),
      twice(CLICKHOUSE),
      { form: 'bitmap', sql: (table) => grouped(CLICKHOUSE, table, 'count(*), groupBitmap(user_id)') },
    ],
  },
  muster: PENDING,
};

function distinctUsers(dialect: Dialect): RivalForm {
  return {
    form: 'distinct',
    sql: (table) => grouped(dialect, table, `count(*), ${dialect.distinct('user_id')}`),
  };
}

/** First by user too. */
function twice(dialect: Dialect): RivalForm {
  return {
    form: 'group by twice',
    sql: (table) => `SELECT day, platform, sum(n), count(*) FROM (
        SELECT ${dayOf(dialect, dialect.ms('ts'))} AS day, platform, user_id, count(*) AS n
        FROM ${table} WHERE ${rows(dialect)} GROUP BY day, platform, user_id) AS pairs
      GROUP BY day, platform`,
  };
}

function grouped(dialect: Dialect, table: string, measures: string): string {
  return `SELECT ${dayOf(dialect, dialect.ms('ts'))} AS day, platform, ${measures}
    FROM ${table} WHERE ${rows(dialect)} GROUP BY day, platform`;
}

function rows(dialect: Dialect): string {
  return `event = 'Product Viewed' AND ${between(dialect, SESSION_PERIOD.startMs, AT_MS)}`;
}
