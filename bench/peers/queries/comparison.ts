import type { Found } from './asking.ts';
import type { Rows } from './question.ts';

/** Rows of an answer that are shown when answers differ. */
const SHOWN = 5;

/**
 * Throws unless all answers to a question have the same rows, in any order, and segments the same members: names the
 * question, who differs, and the first rows that only one of them has.
 */
export function checkEqual(question: string, all: readonly Found[]): void {
  const answers = all.flatMap(({ engine, ways }) =>
    ways.map(({ layout, form, rows }) => ({ who: `${engine}, ${layout}, ${form}`, rows: texts(rows) })),
  );
  const [first, ...others] = answers;
  for (const { who, rows } of others) {
    const onlyFirst = missing(first!.rows, rows);
    const onlyOther = missing(rows, first!.rows);
    if (onlyFirst.length + onlyOther.length > 0)
      throw new Error(
        `${question}: answers differ. ${onlyFirst.length} rows of ${first!.who} only: ${shown(onlyFirst)}; ` +
          `${onlyOther.length} of ${who} only: ${shown(onlyOther)}`,
      );
  }
  const members = all.filter((found) => found.members !== undefined);
  for (const found of members)
    if (JSON.stringify(found.members) !== JSON.stringify(members[0]!.members))
      throw new Error(
        `${question}: members differ. ${members[0]!.engine}: ${JSON.stringify(members[0]!.members)}; ` +
          `${found.engine}: ${JSON.stringify(found.members)}`,
      );
}

function texts(rows: Rows): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** What of `some` is not in `others`, as often as it is there; both are sorted. */
function missing(some: readonly string[], others: readonly string[]): string[] {
  const left: string[] = [];
  let at = 0;
  for (const row of some) {
    while (at < others.length && others[at]! < row) at++;
    if (others[at] === row) at++;
    else left.push(row);
  }
  return left;
}

function shown(rows: readonly string[]): string {
  if (rows.length === 0) return 'none';
  return rows.slice(0, SHOWN).join(' ') + (rows.length > SHOWN ? ' …' : '');
}
