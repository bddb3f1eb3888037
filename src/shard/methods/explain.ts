import { z } from 'zod';
import { explanationOf } from '../../query/explainText.ts';
import { newStats } from '../../query/stats.ts';
import { type Method, momentsOf, queryShape, readParams, statsSince } from './params.ts';
import { addStats, checkedDefinition, segmentShape } from './segments.ts';

/** `segment.explain`: plan, estimate and real cost of a definition; a saved one is opened. */
export const explainMethods: Readonly<Record<string, Method>> = {
  async 'segment.explain'(api, { principal: { account }, params, signal }) {
    const shape = z.strictObject({ segment: segmentShape, ...queryShape });
    const { segment, at } = readParams(shape, params);
    const startedMs = api.shard.clock.monotonicMs();
    const checked = checkedDefinition(api, account, segment);
    const saved = typeof segment === 'string' ? api.entry(account).state.segments.get(segment) : undefined;
    const definition = saved?.definition ?? checked;
    const args = { segment: definition, ...momentsOf(api, account, at) };
    const parts = await api.gather.ask({ account, operation: 'explain', args, signal });
    const { plan, estimate, real, text } = explanationOf(
      definition,
      parts.map(({ explained }) => explained),
    );
    const scanned = parts.map(({ explained }) => explained.stats).reduce(addStats, newStats());
    return {
      count: real.users,
      total: parts.reduce((sum, { explained }) => sum + explained.total, 0),
      plan,
      estimate,
      stats: {
        ...statsSince(api, startedMs, scanned, parts.length),
        workMs: real.ms,
        memoryBytes: parts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      },
      text,
    };
  },
};
