import { ANALYSES, frameOf } from '../../../../src/query/analytics/analyses.ts';
import type { JsonObject } from '../../../../src/query/shape.ts';
import { AT_MS } from '../dialect.ts';
import type { LeftOut, Muster, MusterQuestion, Rows } from '../question.ts';

/** As `analyze.NAME` answers: parts of all tablets, reduced. */
export async function analyzed(tablets: Muster, analysis: string, params: JsonObject): Promise<object> {
  const frame = frameOf(params, { atMs: AT_MS, zone: 'UTC' }, AT_MS);
  const parts = await tablets.all('analyze', { analysis, params, segment: undefined, frame });
  const found = parts.map(({ part }) => part);
  return tablets.steps(ANALYSES[analysis]!.reduce(found, params, frame));
}

/** Muster's side of a question that is one analysis, or several at once whose answers make one. */
export function analysisQuestion<T>(
  analysis: string,
  params: readonly JsonObject[],
  rowsOf: (...answers: T[]) => Rows,
): MusterQuestion | LeftOut {
  if (ANALYSES[analysis] === undefined) return { leftOut: `there is no analyze.${analysis} yet` };
  return {
    ask: async (tablets) => {
      const answers = await Promise.all(params.map((each) => analyzed(tablets, analysis, each)));
      return rowsOf(...(answers as T[]));
    },
  };
}

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
