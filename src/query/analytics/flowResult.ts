import { OTHER_KEY } from './breakdown.ts';
import type { FlowNode, FlowPart, FlowRequest, FlowResult } from './flow.ts';
import { topKeysSteps } from './topKeys.ts';

/** Where a path has no more events. */
export const END_KEY = '(end)';

/** Looked at between two yields. */
const LINKS_PER_STEP = 1 << 14;

/** The events of one step that are told apart, the others, and the end. */
interface Stage {
  readonly nodes: readonly FlowNode[];
  /** For each part, the node of each of its names; the last one is of the end. */
  readonly nodeOf: readonly Uint32Array[];
}

/** What all parts are together. */
export function* flowSteps(
  parts: readonly FlowPart[],
  { direction, steps, top }: FlowRequest,
): Generator<void, FlowResult> {
  const sign = direction === 'start' ? 1 : -1;
  const stages: Stage[] = [];
  for (let step = 0; step <= steps; step++) stages.push(yield* stageSteps(parts, step, sign, top));
  const nodes = stages.map((stage) => stage.nodes.filter(({ users }) => users > 0));
  const links: FlowResult['links'][number][] = [];
  for (let step = 0; step < steps; step++) {
    const [near, far] = [stages[step]!, stages[step + 1]!];
    const users = yield* usersBetweenSteps(parts, step, near, far);
    // What is farther from the anchor comes later in time, or earlier where paths end with it.
    const ofStep = near.nodes.flatMap(({ id }, i) =>
      far.nodes.map(({ id: farId }, j) => ({
        ...(direction === 'start' ? { source: id, target: farId } : { source: farId, target: id }),
        users: users[i * far.nodes.length + j]!,
      })),
    );
    links.push(...ofStep.filter((link) => link.users > 0));
  }
  return { nodes: (direction === 'start' ? nodes : nodes.reverse()).flat(), links };
}

function* stageSteps(
  parts: readonly FlowPart[],
  step: number,
  sign: number,
  top: number,
): Generator<void, Stage> {
  const weights: Float64Array[] = [];
  for (const part of parts) weights.push(yield* usersAtSteps(part, step));
  const weighed = parts.map(({ names }, i) => ({ keys: [...names, undefined], weights: weights[i]! }));
  const { keys, slots } = yield* topKeysSteps(weighed, top);
  const users = new Float64Array(keys.length);
  for (const [part, nodeOf] of slots.entries()) {
    for (const [i, node] of nodeOf.entries()) users[node]! += weights[part]![i]!;
  }
  // `|| 0` for no negative zero.
  const outStep = sign * step || 0;
  const nodes = Array.from(users, (count, node) => {
    const isNamed = node < keys.length - 2;
    const event = isNamed ? String(keys[node]) : node === keys.length - 2 ? OTHER_KEY : END_KEY;
    return { id: `${outStep}:${isNamed ? plain(event) : event}`, step: outStep, event, users: count };
  });
  return { nodes, nodeOf: slots };
}

/** Names of events that could be taken for the others or the end are written as JSON, and so are those that begin so. */
function plain(event: string): string {
  return /^["(]/.test(event) ? JSON.stringify(event) : event;
}

/** By name, and last of all by the end: how many paths have it at this step. */
function* usersAtSteps(
  { names, steps, sources, targets, users }: FlowPart,
  step: number,
): Generator<void, Float64Array> {
  const counts = new Float64Array(names.length + 1);
  for (let i = 0; i < steps.length; i++) {
    if (i % LINKS_PER_STEP === 0) yield;
    if (steps[i] === 0 && step === 0) counts[sources[i]!]! += users[i]!;
    else if (steps[i] === step - 1) counts[targets[i]!]! += users[i]!;
  }
  return counts;
}

/** users[i · far nodes + j] = how many paths go from near node i to far node j. */
function* usersBetweenSteps(
  parts: readonly FlowPart[],
  step: number,
  near: Stage,
  far: Stage,
): Generator<void, Float64Array> {
  const counts = new Float64Array(near.nodes.length * far.nodes.length);
  for (const [part, { steps, sources, targets, users }] of parts.entries()) {
    const [nearOf, farOf] = [near.nodeOf[part]!, far.nodeOf[part]!];
    for (let i = 0; i < steps.length; i++) {
      if (i % LINKS_PER_STEP === 0) yield;
      if (steps[i] !== step) continue;
      counts[nearOf[sources[i]!]! * far.nodes.length + farOf[targets[i]!]!]! += users[i]!;
    }
  }
  return counts;
}
