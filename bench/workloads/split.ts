import type { Call, LogRecord } from '../../src/log/record.ts';
import { applyRecords, applySplit } from '../../src/tablet/apply.ts';
import { logicalHash } from '../../src/tablet/logicalHash.ts';
import { childrenOf } from '../../src/tablet/placement.ts';
import { Tablet } from '../../src/tablet/tablet.ts';
import { threadCpuMs } from '../cpu.ts';
import { checksumOf, percentile, type Report } from '../harness.ts';
import type { Bench } from '../main.ts';

const SIZE = { real: { users: 1_000_000, runs: 3 }, tiny: { users: 300, runs: 1 } };
const CALLS_PER_RECORD = 500;
const T0 = Date.UTC(2026, 0, 1);
/** What no step on a shard's thread is to pass. */
const STEP_MS = 2;

const TRAITS: Readonly<Record<string, (n: number) => string | number | boolean>> = {
  plan: (n) => `plan ${n % 5}`,
  email: (n) => `user-${n}@example.com`,
  age: (n) => 18 + ((n * 7919) % 60),
  lifetimeValue: (n) => ((n * 7919) % 1_000_000) / 100,
  subscribed: (n) => n % 3 === 0,
};

/** What a tablet is full of when it splits, besides its users. */
interface Content {
  readonly what: string;
  readonly traits: number;
  readonly liveSegments: number;
  /** One user in so many was an anonymous one before; 0 for none. */
  readonly mergedEvery: number;
}

const CONTENTS: readonly Content[] = [
  { what: 'users', traits: 0, liveSegments: 0, mergedEvery: 0 },
  { what: 'a tenth of them merged', traits: 0, liveSegments: 0, mergedEvery: 10 },
  { what: 'five traits each', traits: 5, liveSegments: 0, mergedEvery: 0 },
  { what: 'five traits, two live segments', traits: 5, liveSegments: 2, mergedEvery: 10 },
];

/** How long a tablet that splits keeps its users waiting, and in how long steps it does it. */
export async function split(bench: Bench): Promise<Report[]> {
  const { users, runs } = { ...SIZE[bench.size], ...bench.given };
  const hashes: unknown[] = [];
  const rows: Report['rows'][number][] = [];
  for (const content of CONTENTS) {
    const measured = Array.from({ length: runs }, () => splitOnce(content, users));
    // The quickest, of the whole and of each step: what a shared machine does besides only adds to it.
    const cpuMs = Math.min(...measured.map((each) => each.cpuMs));
    const stepsMs = measured[0]!.stepsMs.map((_, i) => Math.min(...measured.map((each) => each.stepsMs[i]!)));
    hashes.push(measured[0]!.hashes);
    rows.push({
      of: content.what,
      users,
      cpuSeconds: cpuMs / 1000,
      cpuMicrosPerUser: (cpuMs * 1000) / users,
      steps: stepsMs.length,
      stepMsP99: percentile(stepsMs, 0.99),
      stepMsMax: Math.max(...stepsMs),
      stepsOver2Ms: stepsMs.filter((ms) => ms > STEP_MS).length,
    });
  }
  return [
    {
      name: 'split',
      what: 'a tablet becomes two: CPU time of its thread, steps by the clock, the quickest of all runs',
      parameters: { users, runs },
      rows,
      checksum: checksumOf(hashes),
    },
  ];
}

function splitOnce(content: Content, users: number) {
  const parent = fullTablet(content, users);
  const [first, second] = childrenOf('').map((bits) => new Tablet('bench', bits)) as [Tablet, Tablet];
  const record = { kind: 'split', atMs: T0, tablet: '', tabletsMax: 2 } as const;
  const stepsMs: number[] = [];
  const startedMs = threadCpuMs();
  const steps = applySplit(parent, [first, second], record, parent.position + 1);
  for (let done: boolean | undefined; done !== true; ) {
    const stepStartedMs = performance.now();
    ({ done } = steps.next());
    stepsMs.push(performance.now() - stepStartedMs);
  }
  const cpuMs = threadCpuMs() - startedMs;
  return { cpuMs, stepsMs, hashes: users > 10_000 ? [] : [first, second].map(logicalHash) };
}

function fullTablet(content: Content, users: number): Tablet {
  const tablet = new Tablet('bench', '');
  const traits = Object.keys(TRAITS).slice(0, content.traits);
  apply(tablet, { kind: 'declare', atMs: T0, events: [{ event: 'Order', properties: [] }], traits });
  for (let i = 0; i < content.liveSegments; i++) {
    const definition = { event: 'Order', within: { last: '30d' }, count: { gte: i + 1 } };
    apply(tablet, {
      kind: 'control',
      atMs: T0,
      what: 'segment',
      name: `s${i}`,
      value: { definition, live: true },
    });
  }
  let calls: Call[] = [];
  for (let n = 0; n < users; n++) {
    calls.push(...callsOf(n, traits, content.mergedEvery));
    if (calls.length < CALLS_PER_RECORD && n < users - 1) continue;
    apply(tablet, { kind: 'calls', atMs: T0, calls });
    calls = [];
  }
  return tablet;
}

function callsOf(n: number, traits: readonly string[], mergedEvery: number): Call[] {
  const user = { known: true, id: `user-${n}` };
  const timeMs = T0 - n;
  const calls: Call[] = [{ kind: 'event', user, timeMs, event: 'Order', properties: {} }];
  if (traits.length > 0) {
    const operations = traits.map((trait) => ({ op: 'set' as const, trait, value: TRAITS[trait]!(n) }));
    calls.push({ kind: 'traits', user, timeMs, operations });
  }
  if (mergedEvery > 0 && n % mergedEvery === 0) {
    const anonymousId = `visitor-${n}`;
    const anonymous = { known: false, id: anonymousId };
    calls.push({ kind: 'event', user: anonymous, timeMs, event: 'Order', properties: {} });
    calls.push({ kind: 'alias', of: 'identify', anonymousId, userId: user.id, timeMs });
  }
  return calls;
}

function apply(tablet: Tablet, record: LogRecord): void {
  for (const _ of applyRecords(tablet, [record], tablet.position + 1));
  for (const _ of tablet.events.writeSteps());
}
