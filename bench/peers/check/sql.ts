import type { Scalar } from '../../../src/base/value.ts';
import type { Comparison, Within } from '../../../src/client/types.ts';
import type { Criterion, EventCriterion, Filter, SequenceCriterion, Test } from './definition.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DAY_MS = UNIT_MS.d;

/**
 * Definitions as SQL for DuckDB, over tables of a file's own JSON:
 *
 *     events     rid, user, event, ms, properties
 *     identifies rid, user, ms, traits
 *     users      user
 *
 * where rid ascends in the order of the file. It shares nothing with Muster but the words of INTERFACE §4.
 */

/** What queries use: of a value in JSON, or NULL where there is none. */
export const MACROS = [
  `CREATE MACRO elements(j) AS list_filter(j::JSON[], lambda x: json_type(x) <> 'NULL')`,
  `CREATE MACRO is_short(x) AS json_type(x) <> 'VARCHAR' OR strlen(x->>'$') <= 1024`,
  `CREATE MACRO is_kept(j) AS coalesce(CASE json_type(j)
     WHEN 'NULL' THEN false
     WHEN 'OBJECT' THEN false
     WHEN 'ARRAY' THEN len(elements(j)) <= 100 AND len(list_filter(elements(j), lambda x: NOT is_short(x))) = 0
     ELSE is_short(j) END, false)`,
  `CREATE MACRO cells(j) AS CASE WHEN NOT is_kept(j) THEN []::JSON[] WHEN json_type(j) = 'ARRAY' THEN elements(j) ELSE [j] END`,
  `CREATE MACRO is_number(x) AS json_type(x) IN ('BIGINT', 'UBIGINT', 'DOUBLE')`,
  `CREATE MACRO number_of(x) AS CASE WHEN is_number(x) THEN (x->>'$')::DOUBLE END`,
  `CREATE MACRO text_of(x) AS CASE WHEN json_type(x) = 'VARCHAR' THEN x->>'$' END`,
  `CREATE MACRO key_of(x) AS CASE WHEN is_number(x) THEN 'n' || number_of(x)::VARCHAR ELSE json_type(x)[1] || (x->>'$') END`,
];

/** A query for `user` of each member. */
export function membersSql(criterion: Criterion, atMs: number): string {
  if ('and' in criterion)
    return criterion.and.map((each) => `(${membersSql(each, atMs)})`).join(' INTERSECT ');
  if ('or' in criterion) return criterion.or.map((each) => `(${membersSql(each, atMs)})`).join(' UNION ');
  if ('not' in criterion) return `SELECT user FROM users EXCEPT (${membersSql(criterion.not, atMs)})`;
  if ('profile' in criterion) return profileSql(criterion.profile, criterion);
  if ('sequence' in criterion) return sequenceSql(criterion, atMs);
  return eventSql(criterion, atMs);
}

function profileSql(trait: string, test: Test): string {
  const value = `json_extract(traits, ${pathOf(trait)})`;
  return `SELECT user FROM users LEFT JOIN (
      SELECT user, last(${value} ORDER BY ms, rid) AS j FROM identifies WHERE ${value} IS NOT NULL GROUP BY user
    ) USING (user) WHERE ${testSql('j', test)}`;
}

function eventSql(criterion: EventCriterion, atMs: number): string {
  const matches = `SELECT * FROM events
    WHERE ${filterSql(criterion, atMs)} AND ${criterion.within ? withinSql('ms', criterion.within, atMs) : 'true'}`;
  const { count, days, sum, avg, min, max, distinct, first, last, lastValue, mostFrequent } = criterion;
  if (days) return countedSql(matches, `count(DISTINCT ms // ${DAY_MS})`, days);
  if (sum) return countedSql(matches, `coalesce(sum(number_of(${property(sum.prop)})), 0)`, sum);
  if (avg) return groupedSql(matches, comparisonSql(`avg(number_of(${property(avg.prop)}))`, avg));
  if (min) return groupedSql(matches, comparisonSql(`min(number_of(${property(min.prop)}))`, min));
  if (max) return groupedSql(matches, comparisonSql(`max(number_of(${property(max.prop)}))`, max));
  if (distinct) {
    const values = `SELECT user, unnest(cells(${property(distinct.prop)})) AS x FROM (${matches})`;
    return countedSql(values, 'count(DISTINCT key_of(x))', distinct);
  }
  if (first) return groupedSql(matches, withinSql('min(ms)', first, atMs));
  if (last) return groupedSql(matches, withinSql('max(ms)', last, atMs));
  if (lastValue) {
    const value = property(lastValue.prop);
    return `SELECT user FROM (SELECT user, last(${value} ORDER BY ms, rid) AS j FROM (${matches})
      WHERE is_kept(${value}) GROUP BY user) WHERE ${testSql('j', lastValue)}`;
  }
  if (mostFrequent) {
    const value = property(mostFrequent.prop);
    return `SELECT user FROM (
        SELECT user, key, row_number() OVER (PARTITION BY user ORDER BY n DESC, seen DESC) AS rank FROM (
          SELECT user, key_of(x) AS key, count(*) AS n, max((ms, rid, place)) AS seen FROM (
            SELECT user, ms, rid, unnest(cells(${value})) AS x, generate_subscripts(cells(${value}), 1) AS place FROM (${matches}))
          GROUP BY user, key))
      WHERE rank = 1 AND key = key_of(${jsonOf(mostFrequent.value)})`;
  }
  return countedSql(matches, 'count(*)', count ?? { gte: 1 });
}

/** Users for whom a number, which is 0 without any rows, compares so. */
function countedSql(rows: string, number: string, comparison: Comparison): string {
  return `SELECT user FROM users LEFT JOIN (SELECT user, ${number} AS n FROM (${rows}) GROUP BY user) USING (user)
    WHERE ${comparisonSql('coalesce(n, 0)', comparison)}`;
}

function groupedSql(rows: string, having: string): string {
  return `SELECT user FROM (${rows}) GROUP BY user HAVING ${having}`;
}

/** Each step looks back for the step before it; of different names, no event can be two steps. */
function sequenceSql({ sequence, within }: SequenceCriterion, atMs: number): string {
  const [first, ...steps] = sequence;
  const begins = `${filterSql(first!, atMs)} AND ${within ? withinSql('ms', within, atMs) : 'true'}`;
  let reached = `SELECT *, ${begins} AS is_reached FROM events`;
  for (const step of steps) {
    const back = step.within === undefined ? 'UNBOUNDED' : msOf(step.within);
    reached = `SELECT * EXCLUDE (is_reached), ${filterSql(step, atMs)} AND
        count(*) FILTER (WHERE is_reached) OVER (PARTITION BY user ORDER BY ms RANGE BETWEEN ${back} PRECEDING AND CURRENT ROW)
          > is_reached::INT AS is_reached
      FROM (${reached})`;
  }
  return `SELECT DISTINCT user FROM (${reached}) WHERE is_reached`;
}

function filterSql({ event, where = [] }: Filter, atMs: number): string {
  const tests = where.map((test) => testSql(property(test.prop), test));
  return [`event IN (${event.map(quoted).join(', ')})`, `ms <= ${atMs}`, ...tests].join(' AND ');
}

function withinSql(ms: string, within: Within, atMs: number): string {
  if ('last' in within) return `(${ms} > ${atMs - msOf(within.last)} AND ${ms} <= ${atMs})`;
  if ('on' in within) {
    const fromMs = Date.parse(within.on);
    return `(${ms} >= ${fromMs} AND ${ms} < ${fromMs + DAY_MS})`;
  }
  const { from, to } = within;
  return `(${from ? `${ms} >= ${Date.parse(from)}` : 'true'} AND ${to ? `${ms} < ${Date.parse(to)}` : 'true'})`;
}

function comparisonSql(number: string, comparison: Comparison): string {
  if ('between' in comparison)
    return `${number} BETWEEN ${comparison.between[0]} AND ${comparison.between[1]}`;
  const { eq, neq, gt, gte, lt, lte } = comparison;
  if (eq !== undefined) return `${number} = ${eq}`;
  if (neq !== undefined) return `${number} <> ${neq}`;
  if (gt !== undefined) return `${number} > ${gt}`;
  if (gte !== undefined) return `${number} >= ${gte}`;
  return lt === undefined ? `${number} <= ${lte}` : `${number} < ${lt}`;
}

/** Never NULL. `j` is the value's JSON, or NULL. */
function testSql(j: string, test: Test): string {
  const any = (holds: string) => `len(list_filter(cells(${j}), lambda x: coalesce(${holds}, false))) > 0`;
  switch (test.op) {
    case 'exists':
      return `is_kept(${j})`;
    case 'notExists':
      return `NOT is_kept(${j})`;
    case 'eq':
      return any(equals(test.value));
    case 'neq':
      return `NOT ${any(equals(test.value))}`;
    case 'in':
      return any(test.value.map(equals).join(' OR '));
    case 'notIn':
      return `NOT ${any(test.value.map(equals).join(' OR '))}`;
    case 'contains':
      return containsSql(j, test.value);
    case 'notContains':
      return `NOT ${containsSql(j, test.value)}`;
    case 'gt':
      return any(`${of(test.value)} > ${literal(test.value)}`);
    case 'gte':
      return any(`${of(test.value)} >= ${literal(test.value)}`);
    case 'lt':
      return any(`${of(test.value)} < ${literal(test.value)}`);
    case 'lte':
      return any(`${of(test.value)} <= ${literal(test.value)}`);
    case 'between': {
      const [low, high] = test.value;
      return any(`${of(low)} BETWEEN ${literal(low)} AND ${literal(high)}`);
    }
    case 'startsWith':
      return any(`starts_with(text_of(x), ${quoted(test.value)})`);
    case 'endsWith':
      return any(`ends_with(text_of(x), ${quoted(test.value)})`);
    case 'matches':
      return any(`regexp_matches(text_of(x), ${quoted(test.value)})`);
  }
}

/** Of a text a part, of an array an element. */
function containsSql(j: string, value: Scalar): string {
  const text = typeof value === 'string' ? `contains(text_of(${j}), ${quoted(value)})` : 'false';
  const isElement = `len(list_filter(cells(${j}), lambda x: coalesce(${equals(value)}, false))) > 0`;
  return `coalesce(is_kept(${j}) AND CASE WHEN json_type(${j}) = 'ARRAY' THEN ${isElement} ELSE ${text} END, false)`;
}

function equals(value: Scalar): string {
  if (typeof value === 'boolean') return `(json_type(x) = 'BOOLEAN' AND (x->>'$') = '${value}')`;
  return `(${of(value)} = ${literal(value)})`;
}

/** Of an element x what compares with such a value, or NULL. */
function of(value: string | number): string {
  return typeof value === 'number' ? 'number_of(x)' : 'text_of(x)';
}

function literal(value: string | number): string {
  return typeof value === 'number' ? `${value}::DOUBLE` : quoted(value);
}

function jsonOf(value: Scalar): string {
  return `${quoted(JSON.stringify(value))}::JSON`;
}

function property(name: string): string {
  return `json_extract(properties, ${pathOf(name)})`;
}

/** Names of nested values are joined with dots. */
function pathOf(name: string): string {
  return quoted(
    `$${name
      .split('.')
      .map((part) => `."${part}"`)
      .join('')}`,
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function msOf(duration: string): number {
  return Number(duration.slice(0, -1)) * UNIT_MS[duration.at(-1) as keyof typeof UNIT_MS];
}
