import { ANALYSES, frameOf } from '../../query/analytics/analyses.ts';
import { asObject, asText } from '../../query/shape.ts';
import { newStats } from '../../query/stats.ts';
import { type Method, momentsOf, statsSince } from './params.ts';
import { addStats, checkedDefinition, withPath } from './segments.ts';

/** `analyze.NAME` for each of the analyses. */
export const analysisMethods: Readonly<Record<string, Method>> = Object.fromEntries(
  Object.keys(ANALYSES).map((analysis) => [`analyze.${analysis}`, methodOf(analysis)]),
);

function methodOf(analysis: string): Method {
  const { check, reduce } = ANALYSES[analysis]!;
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
    const args = { analysis, params, segment, frame };
    const parts = await api.gather.ask({ account, operation: 'analyze', args, signal });
    const reduced = reduce(
      parts.map(({ part }) => part),
      params,
      frame,
    );
    const result = await api.shard.runSteps(reduced, signal);
    const scanned = parts.map(({ stats }) => stats).reduce(addStats, newStats());
    return { ...result, stats: statsSince(api, startedMs, scanned, parts.length) };
  };
}
