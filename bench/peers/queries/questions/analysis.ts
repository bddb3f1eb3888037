import { ANALYSES, frameOf } from '../../../../src/query/analytics/analyses.ts';
import type { JsonObject } from '../../../../src/query/shape.ts';
import type { AnalysisStep } from '../../../../src/tablet/operations.ts';
import { AT_MS } from '../dialect.ts';
import type { Muster, MusterQuestion, Rows } from '../question.ts';

/** As `analyze.NAME` answers: parts of all tablets, reduced. */
export async function analyzed(tablets: Muster, analysis: string, params: JsonObject): Promise<object> {
  const frame = frameOf(params, { atMs: AT_MS, zone: 'UTC' }, AT_MS);
  const { survey, reduce } = ANALYSES[analysis]!;
  const ask = async (step: AnalysisStep) => {
    const parts = await tablets.all('analyze', { analysis, params, segment: undefined, frame, step });
    return parts.map(({ part }) => part);
  };
  let choice: unknown;
  if (survey !== undefined) {
    const sketches = survey.isNeeded(params, frame) ? await ask({ kind: 'survey' }) : [];
    choice = await tablets.steps(survey.choose(sketches, params, frame));
  }
  const parts = survey?.isEnough(choice) === true ? [] : await ask({ kind: 'map', choice });
  return tablets.steps(reduce(parts, params, frame, choice));
}

/** Muster's side of a question that is one analysis, or several at once whose answers make one. */
export function analysisQuestion<T>(
  analysis: string,
  params: readonly JsonObject[],
  rowsOf: (...answers: T[]) => Rows,
): MusterQuestion {
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
