import type { Log, LogEntry } from '../log/log.ts';
import type { LogRecord } from '../log/record.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';
import { HOST_PARTITION } from '../shard/hub.ts';
import { logicalHash } from '../tablet/logicalHash.ts';
import type { Tablet } from '../tablet/tablet.ts';
import { type Erased, Erasures } from './erasures.ts';
import { expectSame, fail } from './failures.ts';
import { Replica, type ReplicaChange } from './replica.ts';
import { requestKey, type Workload } from './workload.ts';

/** The state of a tablet between two frames. */
export interface TabletMark {
  readonly account: string;
  readonly tablet: string;
  readonly position: number;
  readonly hash: string;
}

/** Those tablets are between two frames just now. */
export function marksOf(tablets: readonly Tablet[]): TabletMark[] {
  return tablets.map((tablet) => ({
    account: tablet.account.name,
    tablet: tablet.bits,
    position: tablet.position,
    hash: logicalHash(tablet),
  }));
}

/** Invariant 3: applying the log again gives every state that was seen. Gives the number of frames. */
export async function checkReplay(log: Log, marks: readonly TabletMark[]): Promise<number> {
  const replica = new Replica();
  const left = new Set(marks.filter(({ position }) => position >= 0));
  let frames = 0;
  for await (const entry of log.read(HOST_PARTITION, 0)) {
    replica.apply(entry);
    frames++;
    for (const mark of left) {
      if (mark.position !== entry.position) continue;
      const tablet = replica.tablets.find(
        ({ account, bits }) => account.name === mark.account && bits === mark.tablet,
      );
      const hash = tablet === undefined ? 'no tablet' : logicalHash(tablet);
      expectSame(hash, mark.hash, `state of tablet ${mark.tablet} after frame ${mark.position}, replayed`);
      left.delete(mark);
    }
  }
  for (const mark of left)
    fail(`frame ${mark.position}, applied by tablet ${mark.tablet}, is not in the log`);
  return frames;
}

/** Frames between two looks at everything that is visible; after a transfer or a split there is always one. */
const FRAMES_PER_LOOK = 10;

/**
 * Invariants 7 and 13: at any position of the log an event is visible in one tablet, and one that was visible stays
 * until its user is deleted, and then is gone. Gives the changes of segments on the way, and what was erased.
 */
export function checkVisibility(
  log: readonly LogEntry[],
  workloads: readonly Workload[],
): { readonly changes: ReplicaChange[]; readonly erasures: Erasures } {
  const erasures = new Erasures(workloads.map(({ account }) => account));
  const replica = new Replica((...deletion) => erasures.note(...deletion));
  const changes: ReplicaChange[] = [];
  const before = new Map<string, Map<number, number>>();
  for (const [i, entry] of log.entries()) {
    const seen = replica.apply(entry);
    changes.push(...seen);
    erasures.read(entry, seen);
    if (i % FRAMES_PER_LOOK !== 0 && !movesUsers(entry)) continue;
    for (const { account } of workloads) {
      const counts = visibleSerials(replica.tablets, account);
      for (const [serial, count] of counts)
        if (count > 1) fail(`event ${serial} is there ${count} times after frame ${entry.position}`);
      erasures.check(account, counts, replica.tablets);
      const { serials: erased } = erasures.of(account);
      const isKeptForEver = replica.tablets.every(({ settings }) => settings.retentionMs === undefined);
      for (const serial of before.get(account)?.keys() ?? [])
        if (isKeptForEver && !counts.has(serial) && !erased.has(serial))
          fail(`event ${serial} is not visible after frame ${entry.position}`);
      before.set(account, counts);
    }
  }
  return { changes, erasures };
}

/** Invariants 1, 2 and 13: what was acknowledged is there unless it was erased, nothing is there twice, no request in part. */
export function checkSubmissions(
  tablets: readonly Tablet[],
  log: readonly LogEntry[],
  { account, submissions, requests }: Workload,
  { visibleAfterMs, erased }: { readonly visibleAfterMs: number; readonly erased: Erased },
): void {
  const counts = visibleSerials(tablets, account);
  const logged = new Set<number>();
  for (const { frame } of log) {
    const calls = decodeSections(frame)
      .filter((section) => section.account === account)
      .flatMap(({ records }) => decodeRecords(records))
      .flatMap((record) => (record.kind === 'calls' ? record.calls : []));
    if (calls.length === 0) continue;
    const key = requestKey(calls);
    if (!requests.has(key)) fail(`a frame holds ${key}, which nobody sent together`);
    for (const call of calls) if (call.kind === 'event') logged.add(call.properties.serial as number);
  }
  for (const { serial, timeMs, acknowledged } of submissions) {
    if (timeMs <= visibleAfterMs) continue;
    const count = counts.get(serial) ?? 0;
    if (erased.serials.has(serial)) {
      if (count > 0) fail(`event ${serial} is there, and its user was deleted`);
      continue;
    }
    if (acknowledged && count === 0) fail(`event ${serial} was acknowledged and is lost`);
    if (count > 1) fail(`event ${serial} is there ${count} times`);
    if (logged.has(serial) !== count > 0) fail(`event ${serial} is ${count > 0 ? 'not ' : ''}in the log`);
  }
}

const MOVES: ReadonlySet<LogRecord['kind']> = new Set(['transfer', 'split', 'delete'] as const);

function movesUsers({ frame }: LogEntry): boolean {
  return decodeSections(frame).some(({ records }) =>
    decodeRecords(records).some(({ kind }) => MOVES.has(kind)),
  );
}

function visibleSerials(tablets: readonly Tablet[], account: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const tablet of tablets) {
    if (tablet.account.name !== account) continue;
    for (const serial of serialsOf(tablet)) counts.set(serial, (counts.get(serial) ?? 0) + 1);
  }
  return counts;
}

function* serialsOf(tablet: Tablet): Generator<number> {
  const property = tablet.schema.propertyCode('serial');
  if (property === undefined) return;
  for (const part of tablet.events.parts()) {
    for (let row = 0; row < part.rowCount; row++) {
      if (tablet.users.isGone(part.ordinalAt(row))) continue;
      const serial = part.valueAt(row, property);
      if (typeof serial === 'number') yield serial;
    }
  }
}
