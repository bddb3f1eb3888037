import { DAY_MS } from '../../../../src/base/limits.ts';
import { SESSION_NAMES } from '../../../sessions.ts';
import {
  AT_MS,
  CLICKHOUSE,
  type Dialect,
  DUCKDB,
  enumOf,
  isName,
  last,
  type NameColumn,
} from '../dialect.ts';
import type { Cell, Question, RivalForm } from '../question.ts';
import { counts, rowsOfCounts } from './segment.ts';

/** A segment: so many events of a name with a property, in the last days. */
interface Rule {
  /** A number, as in a table whose keys are joined and grouped by. */
  readonly segment: number;
  readonly event: string;
  readonly value: string;
  readonly days: number;
  readonly count: number;
}

const SEGMENTS = 100;
const DAYS = [3, 7, 14, 30, 60, 90, 120];

/** Every event name, times of seven lengths, counts from 1 to 5, and the values of the property in turn. */
function rulesOf(values: readonly string[]): Rule[] {
  return Array.from({ length: SEGMENTS }, (_, i) => ({
    segment: i,
    event: SESSION_NAMES.event[i % SESSION_NAMES.event.length]!,
    value: values[(i * 7) % values.length]!,
    days: DAYS[i % DAYS.length]!,
    count: 1 + (i % 5),
  }));
}

export const segmentsByPlatform = manySegments('platform', SESSION_NAMES.platform);
export const segmentsByCity = manySegments('city', SESSION_NAMES.city);

function manySegments(prop: NameColumn, values: readonly string[]): Question {
  const rules = rulesOf(values);
  const definitions = Object.fromEntries(
    rules.map(({ segment, event, value, days, count }) => [
      segment,
      {
        event,
        where: [{ prop, op: 'eq', value }],
        within: { last: `${days}d` },
        count: { gte: count },
      },
    ]),
  );
  return {
    name: `segments-by-${prop}`,
    what: `${SEGMENTS} segments in one pass, each of an event, a ${prop}, days and a count`,
    duckdb: { forms: [rulesJoin(DUCKDB, prop, rules), filters(DUCKDB, prop, rules)] },
    clickhouse: { forms: [rulesJoin(CLICKHOUSE, prop, rules), filters(CLICKHOUSE, prop, rules)] },
    muster: {
      ask: async (tablets) =>
        rowsOfCounts(await counts(tablets, definitions)).map(([name, users]): Cell[] => [
          Number(name),
          users!,
        ]),
    },
  };
}

/** The rules as a table, joined by event and property. */
function rulesJoin(dialect: Dialect, prop: NameColumn, rules: readonly Rule[]): RivalForm {
  const from = Math.min(...rules.map(({ days }) => AT_MS - days * DAY_MS));
  const sql = (table: string) => `
    WITH ${rulesTable(dialect, prop, rules)},
      matches AS (
        SELECT r.segment AS segment, e.user_id AS user_id
        FROM ${table} AS e JOIN rules AS r ON e.event = r.event AND e.${prop} = r.value AND e.ts > r.since
        WHERE e.ts > ${dialect.time(from)} AND e.ts <= ${dialect.time(AT_MS)}
        GROUP BY r.segment, e.user_id HAVING count(*) >= min(r.least)),
      found AS (SELECT segment, count(*) AS users FROM matches GROUP BY segment)
    SELECT r.segment, coalesce(f.users, 0) FROM rules AS r LEFT JOIN found AS f ON r.segment = f.segment`;
  return { form: 'rules join', sql };
}

/** In DuckDB with the events' own ENUM types, so that codes are joined. */
function rulesTable(dialect: Dialect, prop: NameColumn, rules: readonly Rule[]): string {
  const rows = rules
    .map(({ segment, event, value, days, count }) =>
      [segment, `'${event}'`, `'${value}'`, dialect.time(AT_MS - days * DAY_MS), count].join(', '),
    )
    .map((row) => `(${row})`)
    .join(', ');
  if (dialect === CLICKHOUSE) {
    const columns = `segment UInt8, event String, value String, since DateTime64(3, ''UTC''), least UInt64`;
    return `rules AS (SELECT * FROM VALUES('${columns}', ${rows}))`;
  }
  const cast = (value: string, column: NameColumn) => `w.${value}::${enumOf(column)} AS ${value}`;
  return `written(segment, event, value, since, least) AS (VALUES ${rows}),
    rules AS (SELECT segment::UTINYINT AS segment, ${cast('event', 'event')}, ${cast('value', prop)}, since, least FROM written AS w)`;
}

/** A conditional count for each. */
function filters(dialect: Dialect, prop: NameColumn, rules: readonly Rule[]): RivalForm {
  const each = rules.map(({ segment, event, value, days }) => {
    const condition = [
      ...[isName(dialect, 'event', event), isName(dialect, prop, value)],
      last(dialect, days),
    ].join(' AND ');
    return `${dialect.countIf(condition)} AS s${segment}`;
  });
  const from = Math.max(...rules.map(({ days }) => days));
  const rows = rules.map(({ segment, count }) => dialect.countIf(`s${segment} >= ${count}`));
  const names = rules.map(({ segment }) => segment);
  const sql = (table: string) => {
    const counted = `SELECT ${each.join(', ')} FROM ${table} WHERE ${last(dialect, from)} GROUP BY user_id`;
    return dialect === CLICKHOUSE
      ? `SELECT pair.1, pair.2 FROM (SELECT arrayZip([${names}], [${rows}]) AS pairs FROM (${counted}))
          ARRAY JOIN pairs AS pair`
      : `SELECT unnest([${names}]), unnest([${rows}]) FROM (${counted})`;
  };
  return { form: 'filters', sql };
}
