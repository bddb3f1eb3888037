import { AT_MS, CLICKHOUSE, type Dialect, DUCKDB } from '../dialect.ts';
import type { Muster, Question, RivalForm, Rows } from '../question.ts';

/** A rival's way to list the users of a segment, each once. */
export interface MembersForm {
  readonly form: string;
  readonly sql: (dialect: Dialect, table: string) => string;
}

export interface SegmentQuestion {
  readonly name: string;
  readonly what: string;
  readonly definition: unknown;
  /** For both rivals; the first also says who is in it. */
  readonly members: readonly [MembersForm, ...MembersForm[]];
  /** Of a rival that has further ways. */
  readonly duckdb?: readonly RivalForm[];
  readonly clickhouse?: readonly RivalForm[];
}

/** How many users are in a segment. */
export function segmentQuestion({
  name,
  what,
  definition,
  members,
  duckdb = [],
  clickhouse = [],
}: SegmentQuestion): Question {
  const counted = (dialect: Dialect): RivalForm[] =>
    members.map(({ form, sql }) => ({
      form,
      sql: (table) => `SELECT count(*) FROM (${sql(dialect, table)}) AS members`,
    }));
  const [{ sql: listed }] = members;
  return {
    name,
    what,
    duckdb: { forms: [...counted(DUCKDB), ...duckdb] },
    clickhouse: { forms: [...counted(CLICKHOUSE), ...clickhouse] },
    muster: {
      ask: async (tablets) => [[(await counts(tablets, { it: definition })).it!]],
    },
    members: {
      duckdb: (table: string) => listed(DUCKDB, table),
      clickhouse: (table: string) => listed(CLICKHOUSE, table),
      definition,
    },
  };
}

/** Users in each of the segments, as `segment.count` and `segment.evaluate` add them up. */
export async function counts(
  tablets: Muster,
  segments: Readonly<Record<string, unknown>>,
): Promise<Record<string, number>> {
  const parts = await tablets.all('count', { segments, atMs: AT_MS, nowMs: AT_MS });
  const countOf = (name: string) => parts.reduce((sum, part) => sum + part.counts[name]!, 0);
  return Object.fromEntries(Object.keys(segments).map((name) => [name, countOf(name)]));
}

export function rowsOfCounts(found: Readonly<Record<string, number>>): Rows {
  return Object.entries(found);
}
