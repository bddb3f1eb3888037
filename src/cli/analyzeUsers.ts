import type {
  Flow,
  FlowParams,
  Funnel,
  FunnelParams,
  FunnelStep,
  Retention,
} from '../client/analysisTypes.ts';
import type { EventFilter } from '../client/types.ts';
import { bar, grid, percent } from './charts.ts';
import { counted, readableCount, readableDuration, readableTime } from './print.ts';

/** Answers about the ways of users, for people to read. */

export function funnelText({ steps, breakdown = [] }: Funnel, { steps: asked }: FunnelParams): string {
  const names = asked.map(nameOf);
  const parts = [stepsText(steps, names)];
  for (const { key, steps } of breakdown) parts.push(`${key}\n${stepsText(steps, names)}`);
  return parts.join('\n\n');
}

function stepsText(steps: readonly FunnelStep[], names: readonly string[]): string {
  const rows = steps.map(({ users, fromStart, fromPrevious, medianMs }, i) => [
    `${i + 1}  ${names[i]}`,
    bar(fromStart, 1).padEnd(bar(1, 1).length),
    readableCount(users),
    percent(fromStart),
    i === 0 ? '' : percent(fromPrevious),
    medianMs === null ? '' : readableDuration(medianMs),
  ]);
  return grid([['', '', 'users', 'of first', 'of previous', 'median time'], ...rows]);
}

export function retentionText({ cohorts }: Retention): string {
  if (cohorts.length === 0) return 'no cohorts';
  const periods = cohorts[0]!.returned.map((_, k) => String(k));
  const rows = cohorts.map(({ t, size, returned }) => [
    readableTime(t),
    readableCount(size),
    ...returned.map((users) => (size === 0 ? '' : percent(users / size))),
  ]);
  return grid([['cohort', 'users', ...periods], ...rows]);
}

/** What a node is called where paths end: nothing goes on from there. */
const END = '(end)';

/** Each event with where users go from it, farther to the right with each step. */
export function flowText({ nodes, links }: Flow, params: FlowParams): string {
  const paths = nodes.filter(({ step }) => step === 0).reduce((sum, { users }) => sum + users, 0);
  const isForward = 'start' in params && params.start !== undefined;
  const [near, far, arrow] = isForward
    ? (['source', 'target', '→'] as const)
    : (['target', 'source', '←'] as const);
  const eventOf = new Map(nodes.map(({ id, event }) => [id, event]));
  const rows = nodes
    .filter(({ event }) => event !== END)
    .sort((a, b) => Math.abs(a.step) - Math.abs(b.step))
    .flatMap(({ id, step, event, users }) => {
      const indent = '    '.repeat(Math.abs(step));
      const onward = links.filter((link) => link[near] === id);
      return [
        [`${indent}${event}`, readableCount(users), percent(users / paths)],
        ...onward.map((link) => [
          `${indent}  ${arrow} ${eventOf.get(link[far])}`,
          readableCount(link.users),
          percent(link.users / users),
        ]),
      ];
    });
  return grid([[counted(paths, 'path'), 'users', 'share'], ...rows]);
}

export function nameOf({ event }: EventFilter): string {
  return typeof event === 'string' ? event : event.join(', ');
}
