import { ANALYSES, frameOf } from '../../query/analytics/analyses.ts';
import { asObject, asText } from '../../query/shape.ts';
import { newStats, type QueryStats } from '../../query/stats.ts';
import type { AnalysisStep } from '../../tablet/operations.ts';
import { type Method, momentsOf, statsSince } from './params.ts';
import { addStats, checkedDefinition, withPath } from './segments.ts';

/** `analyze.NAME` for each of the analyses. */
export const analysisMethods: Readonly<Record<string, Method>> = Object.fromEntries(
  Object.keys(ANALYSES).map((analysis) => [`analyze.${analysis}`, methodOf(analysis)]),
);

function methodOf(analysis: string): Method {
  const { check, survey, reduce } = ANALYSES[analysis]!;
  return async (api, { principal: { account }, params: given, signal }) => {
    const params = asObject(given ?? {}, '');
    check(params);
    const at = params.at === undefined ? undefined : asText(params.at, 'at');
    const { atMs, nowMs } = momentsOf(api, account, at);
    const zone = api.entry(account).state.settings.timezone;
    const frame = frameOf(params, { atMs, zone }, nowMs);
    const segment =
      params.segment === undefined
        ? undefined
        : withPath('segment', () => checkedDefinition(api, account, params.segment));
    const startedMs = api.shard.clock.monotonicMs();
    const scanned: QueryStats[] = [];
    let tablets = 0;
    const ask = async (step: AnalysisStep) => {
      const args = { analysis, params, segment, frame, step };
      const parts = await api.gather.ask({ account, operation: 'analyze', args, signal });
      scanned.push(...parts.map(({ stats }) => stats));
      tablets = parts.length;
      return parts.map(({ part }) => part);
    };
    let choice: unknown;
    if (survey !== undefined) {
      const sketches = survey.isNeeded(params, frame) ? await ask({ kind: 'survey' }) : [];
      choice = await api.shard.work(survey.choose(sketches, params, frame), { account, signal });
    }
    const isEnough = survey?.isEnough(choice) ?? false;
    const parts = isEnough ? [] : await ask({ kind: 'map', choice });
    const result = await api.shard.work(reduce(parts, params, frame, choice), { account, signal });
    return {
      ...result,
      stats: statsSince(api, startedMs, scanned.reduce(addStats, newStats()), tablets),
    };
  };
}
