import { SESSION_PERIOD } from '../../../sessions.ts';
import { AT_MS, between, CLICKHOUSE, type Dialect, DUCKDB, dayOf, isName } from '../dialect.ts';
import type { Cell, Question, RivalForm } from '../question.ts';
import { analysisQuestion, isoOf } from './analysis.ts';

interface Trend {
  readonly series: readonly {
    readonly key: string;
    readonly points: readonly { readonly t: string; readonly value: number }[];
  }[];
}

/** Per day and platform how often, and by how many users. */
export const trend: Question = {
  name: 'trend',
  what: 'Product Viewed a day by platform over 180 days, events and distinct users (of Muster two trends)',
  duckdb: { forms: [distinctUsers(DUCKDB), twice(DUCKDB)] },
  clickhouse: {
    forms: [
      distinctUsers(CLICKHOUSE),
      twice(CLICKHOUSE),
      { form: 'bitmap', sql: (table) => grouped(CLICKHOUSE, table, 'count(*), groupBitmap(user_id)') },
    ],
  },
  muster: analysisQuestion<Trend>(
    'trend',
    (['events', 'users'] as const).map((measure) => ({
      ...{ from: isoOf(SESSION_PERIOD.startMs), to: isoOf(AT_MS), interval: 'day', measure },
      events: [{ event: 'Product Viewed' }],
      breakdown: { prop: 'platform' },
    })),
    (events, users) =>
      events.series.flatMap(({ key, points }) => {
        const ofUsers = users.series.find((each) => each.key === key)!;
        return points
          .map(({ t, value }, i): Cell[] => [Date.parse(t), key, value, ofUsers.points[i]!.value])
          .filter(([, , count]) => count !== 0);
      }),
  ),
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
  return `${isName(dialect, 'event', 'Product Viewed')} AND ${between(dialect, SESSION_PERIOD.startMs, AT_MS)}`;
}
