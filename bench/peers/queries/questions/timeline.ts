import { timelinePage } from '../../../../src/query/timeline.ts';
import { AT_MS, CLICKHOUSE, DUCKDB } from '../dialect.ts';
import type { Cell, Question } from '../question.ts';

const LIMIT = 100;
const PROPERTIES = ['city', 'platform', 'amount', 'product'];
const COLUMNS = PROPERTIES.join(', ');

/** The newest events of one user with all they have. An absent text is '' in ClickHouse, an absent amount 0. */
export const timeline: Question = {
  name: 'timeline',
  what: `${LIMIT} newest events of one user, every property`,
  ofEachUser: true,
  duckdb: {
    forms: [
      {
        form: 'order by, limit',
        sql: (table, user) => `SELECT event, ${DUCKDB.ms('ts')}, ${COLUMNS} FROM ${table}
          WHERE user_id = ${user} ORDER BY ts DESC LIMIT ${LIMIT}`,
      },
    ],
  },
  clickhouse: {
    forms: [
      {
        form: 'order by, limit',
        sql: (table, user) => `SELECT event, ${CLICKHOUSE.ms('ts')}, city, platform, nullIf(amount, 0),
            nullIf(product, '') FROM ${table}
          WHERE user_id = ${user} ORDER BY ts DESC LIMIT ${LIMIT}`,
      },
    ],
  },
  muster: {
    async ask(tablets, userId) {
      const request = { limit: LIMIT, atMs: AT_MS, nowMs: AT_MS };
      const located = await tablets.home(userId, 'timeline', { userId, request });
      if ('forward' in located || located.page === undefined) throw new Error(`no user ${userId}`);
      return timelinePage(located.page).events.map(({ event, time, properties }): Cell[] => [
        event,
        Date.parse(time),
        ...PROPERTIES.map((name) => (properties[name] ?? null) as Cell),
      ]);
    },
  },
};
