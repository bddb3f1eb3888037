import type { LogEntry } from '../log/log.ts';
import type { LogRecord } from '../log/record.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';
import { type OracleUser, oracleEvaluate } from '../query/oracle.ts';
import type { TimelineEvent } from '../query/timeline.ts';
import { logicalHash } from '../tablet/logicalHash.ts';
import type { Tablet } from '../tablet/tablet.ts';
import type { SimulatedHost } from './host.ts';
import { Model } from './model.ts';
import { Replica } from './replica.ts';
import type { Sink } from './sink.ts';
import { ACCOUNT, SEGMENTS, type Submission } from './workload.ts';

/** An invariant of docs/spec/tablet.md does not hold. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

/** The state of a tablet between two frames. */
export interface TabletMark {
  readonly tablet: string;
  readonly position: number;
  readonly hash: string;
}

/** Invariant 3: applying the log again gives every state that was seen. Gives the number of frames. */
export async function checkReplay(
  entries: AsyncIterable<LogEntry>,
  marks: readonly TabletMark[],
): Promise<number> {
  const replica = new Replica();
  const left = new Set(marks.filter(({ position }) => position >= 0));
  let frames = 0;
  for await (const entry of entries) {
    replica.apply(entry);
    frames++;
    for (const mark of left) {
      if (mark.position !== entry.position) continue;
      const tablet = replica.tablets.find(({ bits }) => bits === mark.tablet);
      const hash = tablet === undefined ? 'no tablet' : logicalHash(tablet);
      expectSame(hash, mark.hash, `state of tablet ${mark.tablet} after frame ${mark.position}, replayed`);
      left.delete(mark);
    }
  }
  for (const mark of left)
    fail(`frame ${mark.position}, applied by tablet ${mark.tablet}, is not in the log`);
  return frames;
}

/** Invariants 1 and 2: what was acknowledged is there, and nothing is there twice. */
export function checkSubmissions(host: SimulatedHost, submissions: readonly Submission[]): void {
  const counts = new Map<number, number>();
  for (const tablet of host.tablets) {
    for (const serial of serialsOf(tablet)) counts.set(serial, (counts.get(serial) ?? 0) + 1);
  }
  for (const { serial, acknowledged } of submissions) {
    const count = counts.get(serial) ?? 0;
    if (acknowledged && count === 0) fail(`event ${serial} was acknowledged and is lost`);
    if (count > 1) fail(`event ${serial} is there ${count} times`);
  }
}

/** Invariant 4: queries and live segments answer what a naive reading of the log gives. */
export async function checkAnswers(
  host: SimulatedHost,
  log: readonly LogEntry[],
  nowMs: number,
): Promise<void> {
  const model = new Model();
  for (const { frame } of log) for (const section of decodeSections(frame)) model.apply(section);
  const users = [...model.users].map(([key, user]) => ({ key, oracle: oracleUser(user) }));
  const saved = Object.fromEntries(
    Object.entries(SEGMENTS).map(([name, { definition }]) => [name, definition]),
  );
  const [api] = host.apis;
  const { tree } = api!.entry(ACCOUNT);
  const expected = (of: readonly { readonly oracle: OracleUser }[], definition: unknown, atMs: number) => {
    const options = { atMs, nowMs: atMs, zone: 'UTC', saved };
    return [
      ...oracleEvaluate(
        of.map(({ oracle }) => oracle),
        definition,
        options,
      ),
    ];
  };
  for (const [name, { definition, live }] of Object.entries(SEGMENTS)) {
    const answer = await host.call('segment.members', { segment: name, at: new Date(nowMs).toISOString() });
    const members = (answer as { users: { id: string }[] }).users.map(({ id }) => id);
    expectSameMembers(members, expected(users, definition, nowMs), `members of ${name}`);
    if (!live) continue;
    for (const tablet of host.tablets) {
      const here = users.filter(({ oracle }) => tree.tabletOf(oracle.id) === tablet.bits);
      const kept = liveMembers(tablet, name);
      expectSameMembers(
        kept,
        expected(here, definition, tablet.clockMs),
        `live members of ${name} in tablet ${tablet.bits}`,
      );
    }
  }
  for (const { key, oracle } of users) {
    if (!key.startsWith('known')) continue;
    const answer = await host.call('user.timeline', { userId: oracle.id, limit: 1000, at: FAR_AHEAD });
    const seen = (answer as { events: TimelineEvent[] }).events.map(({ time, ...event }) =>
      nameOf(Date.parse(time), event),
    );
    const wanted = oracle.events.map(({ timeMs, ...event }) => nameOf(timeMs, event));
    expectSameMembers(seen, wanted, `timeline of ${oracle.id}`);
  }
}

/** Invariants 5 and 6: every event that a campaign waits for became one message, under one id, and it arrived. */
export function checkMessages(log: readonly LogEntry[], sink: Sink): void {
  const idOf = new Map<string, string>();
  for (const [id, { serial, campaign, taken }] of sink.messages) {
    if (campaign === 'receipt') {
      const other = idOf.get(serial);
      if (other !== undefined) fail(`the message about event ${serial} was sent as ${other} and as ${id}`);
      idOf.set(serial, id);
    }
    if (!taken) fail(`message ${id} was never taken`);
  }
  for (const serial of ordersAfterCampaign(log)) {
    if (!idOf.has(String(serial))) fail(`there was no message about event ${serial}`);
  }
}

/**
 * An event as timelines are compared. A message has two outcomes in the log when its user moved while it was under way:
 * whichever reaches the tablet first gives the time.
 */
function nameOf(timeMs: number, { event, properties }: Pick<TimelineEvent, 'event' | 'properties'>): string {
  const { messageId, serial } = properties;
  return messageId === undefined ? `${event} ${serial} at ${timeMs}` : `${event} ${messageId}`;
}

/** Serials of the orders that the campaign `receipt` was there for. */
function ordersAfterCampaign(log: readonly LogEntry[]): Set<number> {
  const serials = new Set<number>();
  let active = false;
  const visit = (record: LogRecord) => {
    if (record.kind === 'control' && record.what === 'campaign' && record.name === 'receipt') active = true;
    if (record.kind !== 'calls') return;
    for (const call of record.calls) {
      if (call.kind !== 'event' || call.event !== 'Order') continue;
      const serial = call.properties.serial as number;
      if (active) serials.add(serial);
      else before.add(serial);
    }
  };
  const before = new Set<number>();
  for (const { frame } of log) {
    for (const { records } of decodeSections(frame))
      for (const record of decodeRecords(records)) visit(record);
  }
  // One that came before the campaign, and again after it, is a duplicate then.
  for (const serial of before) serials.delete(serial);
  return serials;
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

function liveMembers(tablet: Tablet, name: string): string[] {
  const members: string[] = [];
  for (let ordinal = 0; ordinal < tablet.users.count; ordinal++) {
    if (tablet.live.has(name, ordinal)) members.push(tablet.users.refOf(ordinal).id);
  }
  return members;
}

function oracleUser({
  id,
  events,
  traits,
}: Model['users'] extends Map<string, infer User> ? User : never): OracleUser {
  return { id, events, traits: Object.fromEntries([...traits].map(([trait, { value }]) => [trait, value])) };
}

/** Events may lie a little ahead; a timeline shows them when asked so late. */
const FAR_AHEAD = '2030-01-01T00:00:00Z';

function expectSame(found: string, expected: string, what: string): void {
  if (found !== expected) fail(`${what}:\n  found    ${found}\n  expected ${expected}`);
}

/** In whatever order; what is there twice must be there twice. */
function expectSameMembers(found: readonly string[], expected: readonly string[], what: string): void {
  const missing = [...expected];
  const extra = found.filter((member) => {
    const place = missing.indexOf(member);
    if (place !== -1) missing.splice(place, 1);
    return place === -1;
  });
  if (missing.length > 0 || extra.length > 0) fail(`${what}: missing [${missing}], too many [${extra}]`);
}

function fail(message: string): never {
  throw new SimulationFailure(message);
}
