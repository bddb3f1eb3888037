import { DAY_MS } from '../../../../src/base/limits.ts';
import { AT_MS, between, CLICKHOUSE, DUCKDB } from '../dialect.ts';
import type { Cell, Question } from '../question.ts';
import { analysisQuestion, isoOf } from './analysis.ts';

const START = 'Session Started';
const STEPS = 4;
const FROM_MS = AT_MS - 30 * DAY_MS;

interface Flow {
  readonly nodes: readonly { readonly id: string; readonly step: number; readonly event: string }[];
  readonly links: readonly { readonly source: string; readonly target: string; readonly users: number }[];
}

/**
 * Users by what they did next, step by step, from their first session in range: rows of step, event, next event or
 * `(end)`, users. There are ten names, fewer than `top` asks for, so that none is folded into others, and the window is as long as the range.
 */
export const flow: Question = {
  name: 'flow',
  what: `the ${STEPS} events after a user's first ${START} in 30 days`,
  duckdb: {
    forms: [
      { form: 'window', sql: leads },
      { form: 'lists', sql: lists },
    ],
  },
  clickhouse: { forms: [{ form: 'arrays', sql: arrays }] },
  muster: analysisQuestion<Flow>(
    'flow',
    [
      {
        ...{ from: isoOf(FROM_MS), to: isoOf(AT_MS), start: { event: START } },
        ...{ steps: STEPS, window: '30d', top: 10 },
      },
    ],
    ({ nodes, links }) => {
      const nodeOf = new Map(nodes.map((node) => [node.id, node]));
      return links.map(({ source, target, users }): Cell[] => {
        const { step, event } = nodeOf.get(source)!;
        return [step + 1, event, nodeOf.get(target)!.event, users];
      });
    },
  ),
};

const STEP_NUMBERS = Array.from({ length: STEPS }, (_, i) => i + 1);

function leads(table: string): string {
  const next = STEP_NUMBERS.map((step) => `lead(event, ${step}) OVER w AS e${step}`);
  const path = ['e0', ...STEP_NUMBERS.map((step) => `e${step}`)];
  const links = STEP_NUMBERS.map(
    (step) => `SELECT ${step} AS step, e${step - 1}::VARCHAR AS source,
      coalesce(e${step}::VARCHAR, '(end)') AS target, n FROM paths WHERE e${step - 1} IS NOT NULL`,
  );
  return `WITH
    walked AS (SELECT user_id, ts, event AS e0, ${next.join(', ')} FROM ${table}
      WHERE ${between(DUCKDB, FROM_MS, AT_MS)} WINDOW w AS (PARTITION BY user_id ORDER BY ts)),
    firsts AS (SELECT arg_min(struct_pack(${path}), ts) AS path FROM walked
      WHERE e0 = ${DUCKDB.name('event', START)} GROUP BY user_id),
    paths AS (SELECT unnest(path), count(*) AS n FROM firsts GROUP BY path)
    SELECT step, source, target, sum(n) FROM (${links.join(' UNION ALL ')}) GROUP BY ALL`;
}

/** The events of each user in one list. */
function lists(table: string): string {
  return `WITH
    trails AS (SELECT list(event::VARCHAR ORDER BY ts) AS names FROM ${table}
      WHERE ${between(DUCKDB, FROM_MS, AT_MS)} GROUP BY user_id),
    paths AS (SELECT path, count(*) AS n FROM (
        SELECT names[list_position(names, '${START}') : list_position(names, '${START}') + ${STEPS}] AS path
        FROM trails WHERE list_contains(names, '${START}')) GROUP BY path),
    links AS (SELECT step, path[step] AS source, coalesce(path[step + 1], '(end)') AS target, n
      FROM paths, range(1, ${STEPS + 1}) AS steps(step) WHERE step <= len(path))
    SELECT step, source, target, sum(n) FROM links GROUP BY ALL`;
}

function arrays(table: string): string {
  return `SELECT step, path[step] AS source, if(step < length(path), path[step + 1], '(end)') AS target, sum(n)
    FROM (
      SELECT arraySlice(names, indexOf(names, '${START}'), ${STEPS + 1}) AS path, count() AS n FROM (
        SELECT arrayMap(x -> x.2, arraySort(x -> x.1, groupArray((ts, toString(event))))) AS names
        FROM ${table} WHERE ${between(CLICKHOUSE, FROM_MS, AT_MS)} GROUP BY user_id)
      WHERE has(names, '${START}') GROUP BY path)
    ARRAY JOIN range(1, least(length(path), ${STEPS}) + 1) AS step
    GROUP BY step, source, target`;
}
