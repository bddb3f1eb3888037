import { createHash } from 'node:crypto';
import { MusterError } from '../base/errors.ts';
import { userHash } from '../base/hash.ts';
import type { Accepted, AcceptedCounts, CollectingView } from '../ingest/accepted.ts';
import type { AccountRecord, Call, TabletRecord } from '../log/record.ts';
import { encodeRecords, type Section } from '../log/sections.ts';
import type { Api, MethodCall, Principal } from './api.ts';
import type { AccountEntry } from './directory.ts';
import { Gather } from './gather.ts';
import { methods } from './methods/methods.ts';
import { accountSection, type Shard } from './shard.ts';
import { Watchers } from './watchers.ts';

/** Keys whose hash is remembered, so that a request costs no SHA-256. */
const KEY_CACHE_MAX = 10_000;

/** The Api on one shard: takes requests for any tablet and brings each to where it belongs. */
export class ShardApi implements Api {
  readonly shard: Shard;
  readonly gather: Gather;
  readonly watchers: Watchers;
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
      sha256 = createHash('sha256').update(key).digest('hex');
      if (this.#keyHashes.size >= KEY_CACHE_MAX) this.#keyHashes.clear();
      this.#keyHashes.set(key, sha256);
    }
    const found = this.shard.directory.keyOf(sha256);
    return found === undefined ? undefined : { account: found.account, role: found.key.role };
  }

  collecting(account: string): CollectingView {
    return collectingView(this.entry(account));
  }

  async accept(account: string, accepted: Accepted, counted: boolean): Promise<AcceptedCounts> {
    this.#assertReady();
    const sections = this.#sectionsOf(this.entry(account), accepted);
    if (sections.length === 0) return { accepted: 0, duplicate: 0, rejected: 0 };
    if (counted) return this.shard.appender.appendAndApply(sections);
    await this.shard.appender.append(sections);
    return { accepted: accepted.items, duplicate: 0, rejected: accepted.letters.length };
  }

  async call(request: MethodCall): Promise<unknown> {
    const method = methods[request.method];
    if (method === undefined) throw new MusterError('not_found', `no method ${request.method}`);
    this.#assertReady();
    return method(this, request);
  }

  notReady(): string | undefined {
    return this.shard.notReady;
  }

  entry(account: string): AccountEntry {
    const entry = this.shard.directory.get(account);
    if (entry === undefined) throw new MusterError('not_found', `no account ${account}`);
    return entry;
  }

  /** Makes an account-wide decision. Resolves when every tablet has applied it. */
  async decide(account: string, ...records: AccountRecord[]): Promise<void> {
    await this.shard.appender.appendAndApply([accountSection(account, ...records)]);
  }

  /** Brings a record to the tablet that keeps what belongs to no user. */
  async toFirstTablet(account: string, record: TabletRecord): Promise<void> {
    const tablet = this.entry(account).tree.leaves[0]!;
    await this.shard.appender.appendAndApply([{ account, tablet, records: encodeRecords([record]) }]);
  }

  #assertReady(): void {
    const reason = this.shard.notReady;
    if (reason !== undefined) throw new MusterError('unavailable', reason, { retryAfterSeconds: 1 });
  }

  /** One request as sections: what the account must know first, then the calls of each tablet, then what was refused. */
  #sectionsOf({ state, tree }: AccountEntry, accepted: Accepted): Section[] {
    const account = state.name;
    const atMs = accepted.receivedAtMs;
    const decisions = [accepted.declare, accepted.progress].filter((record) => record !== undefined);
    const sections = decisions.length === 0 ? [] : [accountSection(account, ...decisions)];
    const callsOf = new Map<string, Call[]>();
    for (const call of accepted.calls) {
      const tablet = tree.find(userHash(call.kind === 'alias' ? call.anonymousId : call.user.id));
      const calls = callsOf.get(tablet);
      if (calls === undefined) callsOf.set(tablet, [call]);
      else calls.push(call);
    }
    let { droppedValues } = accepted;
    for (const [tablet, calls] of callsOf) {
      const record = { kind: 'calls', atMs, calls, ...(droppedValues > 0 && { droppedValues }) } as const;
      sections.push({ account, tablet, records: encodeRecords([record]) });
      droppedValues = 0;
    }
    if (accepted.letters.length > 0) {
      const records = encodeRecords([{ kind: 'deadLetters', atMs, letters: accepted.letters }]);
      sections.push({ account, tablet: tree.leaves[0], records });
    }
    return sections;
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
