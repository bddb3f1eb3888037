import { MusterError } from '../base/errors.ts';
import { FRAME_BYTES_MAX, SECTION_BYTES_MAX } from '../base/limits.ts';
import type { Accepted, AcceptedCounts, CollectingView } from '../ingest/accepted.ts';
import type { AccountRecord, Call, TabletRecord } from '../log/record.ts';
import { encodeRecords, type Section } from '../log/sections.ts';
import { tabletOfLetter } from '../tablet/deadLetters.ts';
import { homeIdOf } from '../tablet/split.ts';
import type { Api, MethodCall, Principal, Work } from './api.ts';
import type { AccountEntry } from './directory.ts';
import { Gather } from './gather.ts';
import { sha256Hex } from './keys.ts';
import type { Counts } from './messages.ts';
import { methods } from './methods/methods.ts';
import { accountSection, type Shard } from './shard.ts';
import { Turns } from './turns.ts';
import { Watchers } from './watchers.ts';

/** Keys whose hash is remembered, so that a request costs no SHA-256. */
const KEY_CACHE_MAX = 10_000;

/** What is still done in a condition that keeps the host from being ready; in any other, nothing is. */
const DONE_WHILE: Readonly<Record<string, readonly Work[]>> = {
  'out of disk': ['read'],
  'out of memory': ['read', 'decide'],
};

/** The Api on one shard: takes requests for any tablet and brings each to where it belongs. */
export class ShardApi implements Api {
  readonly shard: Shard;
  readonly gather: Gather;
  readonly watchers: Watchers;
  /** Replays of dead letters, one at a time, so that none is collected twice. */
  readonly replays = new Turns();
  readonly #keyHashes = new Map<string, string>();

  constructor(shard: Shard) {
    this.shard = shard;
    this.gather = new Gather(shard);
    this.watchers = new Watchers(shard);
    shard.onPeer = (message, from) => {
      if (message.kind === 'applied') shard.appender.applied(message.applied);
      else {
        this.gather.receive(message, from);
        this.watchers.receive(message, from);
      }
    };
    shard.onChanges = (account, changes) => this.watchers.announce(account, changes);
  }

  authenticate(key: string): Principal | undefined {
    let sha256 = this.#keyHashes.get(key);
    if (sha256 === undefined) {
      sha256 = sha256Hex(key);
      if (this.#keyHashes.size >= KEY_CACHE_MAX) this.#keyHashes.clear();
      this.#keyHashes.set(key, sha256);
    }
    const found = this.shard.directory.keyOf(sha256);
    return found === undefined ? undefined : { account: found.account, role: found.key.role };
  }

  collecting(account: string): CollectingView {
    return collectingView(this.entry(account));
  }

  /** `replayed`: the dead letter this was, which is done with the same frame. */
  async accept(
    account: string,
    accepted: Accepted,
    counted: boolean,
    replayed?: string,
  ): Promise<AcceptedCounts> {
    this.#assertMay('collect');
    const sections = this.#sectionsOf(this.entry(account), accepted, replayed);
    assertFitsFrame(sections);
    if (sections.length === 0) return { accepted: 0, duplicate: 0, rejected: 0 };
    if (counted) {
      const { accepted, duplicate, rejected } = await this.shard.appender.appendAndApply(sections);
      return { accepted, duplicate, rejected };
    }
    await this.shard.appender.append(sections);
    return { accepted: accepted.items, duplicate: 0, rejected: accepted.letters.length };
  }

  async call(request: MethodCall): Promise<unknown> {
    const method = methods[request.method];
    if (method === undefined) throw new MusterError('not_found', `no method ${request.method}`);
    this.#assertMay('read');
    return method(this, request);
  }

  notReady(): string | undefined {
    return this.shard.notReady;
  }

  refusal(work: Work): string | undefined {
    const reason = this.shard.notReady;
    return reason === undefined || DONE_WHILE[reason]?.includes(work) ? undefined : reason;
  }

  entry(account: string): AccountEntry {
    const entry = this.shard.directory.get(account);
    if (entry === undefined) throw new MusterError('not_found', `no account ${account}`);
    return entry;
  }

  /** Makes an account-wide decision. Resolves when every tablet has applied it, with what they counted. */
  async decide(account: string, ...records: AccountRecord[]): Promise<Counts> {
    this.#assertMay('decide');
    const sections = [accountSection(account, ...records)];
    assertFitsFrame(sections);
    return this.shard.appender.appendAndApply(sections);
  }

  #assertMay(work: Work): void {
    const reason = this.refusal(work);
    if (reason !== undefined) throw new MusterError('unavailable', reason, { retryAfterSeconds: 1 });
  }

  /** One request as sections: what the account must know first, then one for each tablet that gets something. */
  #sectionsOf({ state }: AccountEntry, accepted: Accepted, replayed: string | undefined): Section[] {
    const { name: account, tree } = state;
    const atMs = accepted.receivedAtMs;
    const decisions = [accepted.declare, accepted.progress].filter((record) => record !== undefined);
    const sections = decisions.length === 0 ? [] : [accountSection(account, ...decisions)];
    const callsOf = new Map<string, Call[]>();
    for (const call of accepted.calls) {
      const tablet = tree.tabletOf(homeIdOf(call));
      const calls = callsOf.get(tablet);
      if (calls === undefined) callsOf.set(tablet, [call]);
      else calls.push(call);
    }
    const recordsOf = new Map<string, TabletRecord[]>();
    const add = (tablet: string, record: TabletRecord) =>
      recordsOf.set(tablet, [...(recordsOf.get(tablet) ?? []), record]);
    let { droppedValues } = accepted;
    for (const [tablet, calls] of callsOf) {
      add(tablet, { kind: 'calls', atMs, calls, ...(droppedValues > 0 && { droppedValues }) });
      droppedValues = 0;
    }
    const { letters } = accepted;
    if (letters.length > 0) add(tree.leaves[0]!, { kind: 'deadLetters', atMs, letters });
    if (replayed !== undefined)
      add(tree.heirOf(tabletOfLetter(replayed)), { kind: 'deadLetterDone', atMs, ids: [replayed] });
    for (const [tablet, records] of recordsOf) {
      sections.push({ account, tablet, records: encodeRecords(records) });
    }
    return sections;
  }
}

function assertFitsFrame(sections: readonly Section[]): void {
  const bytes = sections.reduce((sum, { records }) => sum + records.byteLength + SECTION_BYTES_MAX, 0);
  if (bytes > FRAME_BYTES_MAX) {
    throw new MusterError('too_large', `comes to ${bytes} bytes in the log, which takes ${FRAME_BYTES_MAX}`);
  }
}

function collectingView({ state }: AccountEntry): CollectingView {
  const { schema, settings } = state;
  return {
    ...(settings.retentionMs === undefined ? {} : { retentionMs: settings.retentionMs }),
    isDeclared: (event) => schema.isDeclared(event),
    isPropertyDeclared: (event, property) => schema.isPropertyDeclared(event, property),
    isTraitDeclared: (trait) => schema.isTraitDeclared(trait),
    hasRoomForEvent: (pending) => schema.hasRoomForEvent(pending),
    hasRoomForProperty: (event, pending) => schema.hasRoomForProperty(event, pending),
    hasRoomForTrait: (pending) => schema.hasRoomForTrait(pending),
  };
}
