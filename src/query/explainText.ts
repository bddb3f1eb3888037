import type { Explained, ExplainedCost, ExplainedCriterion, ExplainedScan } from './explain.ts';

/** A criterion with what was found about it, as it is answered. */
export interface PlanStep {
  /** `$.and[1]`. */
  readonly path: string;
  /** Its JSON, shortened. */
  readonly criterion: string;
  /** Its place among those beside it, the first being 1. */
  readonly order?: number;
  readonly scan?: {
    /** Blocks and heads; of them skipped because all their events are outside the time, or have other names. */
    readonly blocks: number;
    readonly skippedByTime: number;
    readonly skippedByEvents: number;
  };
  readonly estimate?: Estimate;
  readonly real?: ExplainedCost;
  /** What could be done about it, or is likely to be a mistake. */
  readonly advice: readonly string[];
}

export interface Estimate {
  readonly rows: number;
  /** Of all rows, from 0 to 1. */
  readonly share: number;
  readonly bytes: number;
  /** Rows with one of the names within the time, about. */
  readonly matches: number;
}

export interface Explanation {
  readonly plan: readonly PlanStep[];
  readonly estimate: Estimate;
  readonly real: ExplainedCost;
  readonly text: string;
}

const CRITERION_CHARS_MAX = 160;
/** Advice about time is for scans of so many rows: below, nobody waits for them. */
const ROWS_MANY = 100_000;
const TEXTS_MANY = 10_000;

/** Puts together what the tablets said of one definition, whose JSON this is. Each has the same criteria. */
export function explanationOf(definition: unknown, tablets: readonly Explained[]): Explanation {
  const [first] = tablets;
  const plan = first!.criteria.map((_, i) => {
    const own = tablets.map(({ criteria }) => criteria[i]!);
    return stepOf(own, jsonAt(definition, own[0]!.path));
  });
  const real = sumOfCosts(tablets.map((tablet) => tablet.real));
  const scans = tablets.flatMap(({ criteria }) => criteria.flatMap(({ scan }) => scan ?? []));
  const estimate = estimateOf(scans);
  const everyoneMs = sum(tablets.map((tablet) => tablet.everyoneMs));
  const total = sum(tablets.map((tablet) => tablet.total));
  return { plan, estimate, real, text: textOf({ plan, estimate, real, everyoneMs, total }) };
}

function stepOf(own: readonly ExplainedCriterion[], json: unknown): PlanStep {
  const { path, order } = own[0]!;
  const scans = own.flatMap(({ scan }) => scan ?? []);
  const costs = own.flatMap(({ real }) => real ?? []);
  const estimate = scans.length === 0 ? undefined : estimateOf(scans);
  const real = costs.length === 0 ? undefined : sumOfCosts(costs);
  return {
    path,
    criterion: shortened(JSON.stringify(json)),
    ...(order !== undefined && { order }),
    ...(estimate !== undefined && {
      scan: {
        blocks: sum(scans.map(({ parts }) => parts)),
        skippedByTime: sum(scans.map(({ skippedByTime }) => skippedByTime)),
        skippedByEvents: sum(scans.map(({ skippedByEvents }) => skippedByEvents)),
      },
      estimate,
    }),
    ...(real !== undefined && { real }),
    advice: adviceOn(own, scans, real),
  };
}

function adviceOn(
  own: readonly ExplainedCriterion[],
  scans: readonly ExplainedScan[],
  real: ExplainedCost | undefined,
): string[] {
  const { unknown, unknownTrait } = own[0]!;
  const advice = [
    ...unknown.events.map((name) => `no event ${quoted(name)} is known: check the spelling`),
    ...unknown.properties.map((name) => `no event has a property ${quoted(name)}: check the spelling`),
    ...(unknownTrait === undefined
      ? []
      : [`no user has a trait ${quoted(unknownTrait)}: check the spelling`]),
  ];
  const rows = sum(scans.map((scan) => scan.rows));
  if (rows >= ROWS_MANY && scans.some(({ isUnbounded }) => isUnbounded)) {
    advice.push(
      'everything retained is scanned: a "within" lets blocks outside of it be skipped, if older events do not matter',
    );
  }
  const texts = new Map<string, number>();
  for (const scan of scans)
    for (const [prop, count] of Object.entries(scan.texts)) texts.set(prop, (texts.get(prop) ?? 0) + count);
  for (const [prop, count] of texts) {
    if (count < TEXTS_MANY) continue;
    advice.push(
      `${quoted(prop)} has about ${readable(count)} different texts, and the operator looks at each: ` +
        'eq or in are looked up instead',
    );
  }
  if (advice.length === 0 && real?.users === 0) advice.push('nobody satisfies it');
  return advice;
}

function textOf({
  plan,
  estimate,
  real,
  everyoneMs,
  total,
}: Omit<Explanation, 'text'> & { readonly everyoneMs: number; readonly total: number }): string {
  const lines = [
    `${readable(real.users)} of ${readable(total)} users, in ${readableMs(real.ms)} of work ` +
      `(and ${readableMs(everyoneMs)} to find who the users are).`,
    estimate.rows === 0
      ? 'No events are scanned.'
      : `Events scanned: ${readable(real.rows)} rows, ${readableMb(real.bytes)}; ` +
        `at most ${readable(estimate.rows)} were expected, if every criterion is evaluated.`,
  ];
  for (const step of plan) {
    const indent = '  '.repeat(depthOf(step.path));
    const order = step.order === undefined ? '' : `${step.order}. `;
    lines.push('', `${indent}${step.path}`, `${indent}  ${order}${step.criterion}`);
    const scan = scanLine(step);
    if (scan !== undefined) lines.push(`${indent}  ${scan}`);
    if (step.real !== undefined) {
      const { ms, users } = step.real;
      lines.push(`${indent}  alone: ${readable(users)} users in ${readableMs(ms)}`);
    }
    for (const advice of step.advice) lines.push(`${indent}  → ${advice}`);
  }
  if (plan.some(({ order }) => order !== undefined)) {
    lines.push(
      '',
      'Criteria are evaluated in the order of their numbers, cheapest first, until nobody is left (and) or missing (or).',
    );
  }
  return lines.join('\n');
}

function scanLine({ scan, estimate }: PlanStep): string | undefined {
  if (scan === undefined || estimate === undefined) return undefined;
  const { blocks, skippedByTime, skippedByEvents } = scan;
  const skipped = [
    ...(skippedByTime > 0 ? [`${skippedByTime} skipped by their times`] : []),
    ...(skippedByEvents > 0 ? [`${skippedByEvents} without such events`] : []),
  ];
  const why = skipped.length === 0 ? '' : ` (${skipped.join(', ')})`;
  return (
    `scans ${blocks - skippedByTime - skippedByEvents} of ${blocks} blocks${why}: ` +
    `${readable(estimate.rows)} rows, ${Math.round(estimate.share * 100)} % of all, ` +
    `of which about ${readable(estimate.matches)} have the name and time`
  );
}

function estimateOf(scans: readonly ExplainedScan[]): Estimate {
  const rows = sum(scans.map((scan) => scan.rows));
  const inAll = sum(scans.map(({ rowsInAll }) => rowsInAll));
  return {
    rows,
    share: inAll === 0 ? 0 : rows / inAll,
    bytes: sum(scans.map(({ bytes }) => bytes)),
    matches: sum(scans.map(({ matches }) => matches)),
  };
}

function sumOfCosts(costs: readonly ExplainedCost[]): ExplainedCost {
  return {
    ms: sum(costs.map(({ ms }) => ms)),
    rows: sum(costs.map(({ rows }) => rows)),
    bytes: sum(costs.map(({ bytes }) => bytes)),
    users: sum(costs.map(({ users }) => users)),
  };
}

/** What of the definition lies at a path of `.key` and `[index]`. */
function jsonAt(definition: unknown, path: string): unknown {
  let at = definition;
  for (const [key] of path.matchAll(/\w+/g)) at = (at as Readonly<Record<string, unknown>>)[key];
  return at;
}

/** Levels of `and`, `or` and `not` around it. */
function depthOf(path: string): number {
  return [...path.matchAll(/\.\w+/g)].length;
}

function shortened(text: string): string {
  return text.length <= CRITERION_CHARS_MAX ? text : `${text.slice(0, CRITERION_CHARS_MAX)}…`;
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function readable(n: number): string {
  return n.toLocaleString('en-US');
}

function readableMs(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

function readableMb(bytes: number): string {
  return `${Number((bytes / 1e6).toPrecision(3))} MB`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
