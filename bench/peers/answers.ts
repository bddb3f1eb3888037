import { type EventTable, type NumberColumn, scaled, type TextColumn } from './eventTable.ts';

/** What the source and every rival must agree on before its size counts. */
export interface Answers {
  readonly rows: number;
  readonly users: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** By event name. */
  readonly events: Readonly<Record<string, number>>;
  /** By property: the rows that have it, and how many distinct texts or which sum of last digits. */
  readonly properties: Readonly<Record<string, { readonly present: number; readonly measure: number }>>;
}

/** How a rival asks for the parts, in SQL over one of its tables. */
export interface AnswerQueries {
  /** One row of `rows`, `users`, `fromMs`, `toMs`. */
  readonly totals: string;
  /** Rows of `name`, `rows`. */
  readonly events: string;
  /** One row of `present`, `measure` for each property. */
  readonly properties: ReadonlyMap<string, string>;
}

type Ask = (sql: string) => Promise<Record<string, unknown>[]>;

export async function askedAnswers(queries: AnswerQueries, ask: Ask): Promise<Answers> {
  const [totals] = await ask(queries.totals);
  const events = await ask(queries.events);
  const properties: Record<string, { present: number; measure: number }> = {};
  for (const [name, sql] of queries.properties) {
    const [row] = await ask(sql);
    properties[name] = { present: Number(row!.present), measure: Number(row!.measure) };
  }
  return {
    rows: Number(totals!.rows),
    users: Number(totals!.users),
    fromMs: Number(totals!.fromMs),
    toMs: Number(totals!.toMs),
    events: Object.fromEntries(events.map(({ name, rows }) => [String(name), Number(rows)])),
    properties,
  };
}

/** Read off the source by plain loops. */
export function sourceAnswers({ rows, user, timeMs, event, texts, numbers }: EventTable): Answers {
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const ms of timeMs) {
    fromMs = Math.min(fromMs, ms);
    toMs = Math.max(toMs, ms);
  }
  const counts = countsByCode(event);
  return {
    rows,
    users: new Set(user).size,
    fromMs,
    toMs,
    events: Object.fromEntries(event.texts.map((name, code) => [name, counts[code]!])),
    properties: Object.fromEntries([
      ...texts.map((column) => [column.name, textAnswer(column)] as const),
      ...numbers.map((column) => [column.name, numberAnswer(column)] as const),
    ]),
  };
}

/** Every difference, in words; none if the answers are equal. */
export function differences(expected: unknown, found: unknown, path = ''): string[] {
  if (typeof expected !== 'object' || expected === null || typeof found !== 'object' || found === null)
    return expected === found ? [] : [`${path.slice(1)}: ${expected} expected, ${found} found`];
  const keys = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...keys].flatMap((key) =>
    differences(
      (expected as Record<string, unknown>)[key],
      (found as Record<string, unknown>)[key],
      `${path}.${key}`,
    ),
  );
}

function textAnswer(column: TextColumn): { present: number; measure: number } {
  const counts = countsByCode(column);
  if (column.absentCode !== undefined) counts[column.absentCode] = 0;
  const used = counts.filter((count) => count > 0);
  return { present: used.reduce((sum, count) => sum + count, 0), measure: used.length };
}

function numberAnswer({ values, digits }: NumberColumn): { present: number; measure: number } {
  let present = 0;
  let measure = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    present++;
    measure += scaled(value, digits);
  }
  return { present, measure };
}

function countsByCode({ codes, texts }: TextColumn): Uint32Array {
  const counts = new Uint32Array(texts.length);
  for (const code of codes) counts[code]!++;
  return counts;
}
