import type { Scalar, Value } from '../base/value.ts';
import type { AnalysisMethods } from './analysisTypes.ts';

/** Every method of the API with its params and result. Times are ISO-8601 text. */
export interface Methods extends AnalysisMethods {
  'ingest.batch': {
    params: { calls: readonly object[]; import?: ImportLines | undefined };
    /** Once durable and applied. `rejected` calls are dead letters. */
    result: Counts;
  };
  'import.status': { params: { id: string }; result: { lines: number; finished: boolean } };

  'segment.count': { params: Query & { segment: Segment }; result: SegmentCount };
  'segment.evaluate': {
    params: Query & { segments: Readonly<Record<string, Segment>> };
    result: { counts: Readonly<Record<string, number>>; stats: QueryStats };
  };
  'segment.explain': { params: Query & { segment: Segment }; result: SegmentExplanation };
  'segment.members': {
    /** `limit` is at most 10,000; `after` is the `next` of the page before. */
    params: Query & {
      segment: Segment;
      limit?: number | undefined;
      after?: string | undefined;
      traits?: readonly string[] | undefined;
    };
    result: { users: readonly Member[]; next?: string; stats: QueryStats };
  };
  'segment.contains': {
    params: Query & { segment: Segment; userId: string };
    result: { in: boolean; stats: QueryStats };
  };
  'segment.save': {
    params: { name: string; definition: Definition; live?: boolean | undefined };
    result: SavedSegment;
  };
  'segment.get': { params: { name: string }; result: SavedSegment };
  'segment.list': {
    params: NoParams;
    result: { segments: readonly Pick<SavedSegment, 'name' | 'definition' | 'live'>[] };
  };
  'segment.delete': { params: { name: string }; result: NoParams };
  'segment.watch': { params: { name: string }; result: NoParams };

  'user.profile': { params: Query & { userId: string }; result: Profile & { stats: QueryStats } };
  'user.timeline': {
    /** `limit` is at most 1,000; `before` is a time, or the `next` of the page before. */
    params: Query & {
      userId: string;
      limit?: number | undefined;
      before?: string | undefined;
      events?: readonly string[] | undefined;
    };
    /** Newest first. */
    result: { events: readonly TimelineEvent[]; next?: string; stats: QueryStats };
  };
  'user.segments': {
    params: Query & { userId: string };
    result: { segments: readonly string[]; stats: QueryStats };
  };
  /** For good: also what was known of the ids merged into the user. Needs an admin key. */
  'user.delete': { params: { userId: string }; result: Deleted };

  'campaign.save': { params: Campaign; result: { name: string; status: CampaignStatus; version: number } };
  'campaign.get': { params: { name: string }; result: SavedCampaign };
  'campaign.list': { params: NoParams; result: { campaigns: readonly SavedCampaign[] } };
  'campaign.pause': { params: { name: string }; result: { name: string; status: CampaignStatus } };
  'campaign.resume': { params: { name: string }; result: { name: string; status: CampaignStatus } };
  'campaign.delete': { params: { name: string }; result: NoParams };
  'campaign.stats': { params: { name: string }; result: CampaignStats };

  'deadLetter.list': {
    /** `limit` is at most 1,000. */
    params: { limit?: number | undefined };
    /** Newest first. */
    result: { letters: readonly DeadLetter[]; total: number };
  };
  'deadLetter.replay': {
    params: { ids: readonly string[] };
    result: { replayed: number; failed: readonly { id: string; reason: string }[] };
  };
  'key.create': {
    params: { role: Role; label?: string | undefined };
    result: { id: string; key: string; role: Role };
  };
  'key.list': { params: NoParams; result: { keys: readonly Key[] } };
  'key.revoke': { params: { id: string }; result: NoParams };
  'schema.get': { params: Query; result: Schema & { stats: QueryStats } };
  'account.stats': { params: Query; result: AccountStats & { stats: QueryStats } };
  'server.stats': { params: NoParams; result: ServerStats };
}

export type MethodName = keyof Methods;
export type Params<M extends MethodName> = Methods[M]['params'];
export type Result<M extends MethodName> = Methods[M]['result'];

type NoParams = Readonly<Record<string, never>>;

interface Query {
  /** The moment the question is about; now, when left out. */
  readonly at?: string | undefined;
}

export interface QueryStats {
  readonly ms: number;
  readonly rowsScanned: number;
  readonly bytesScanned: number;
  readonly blocksSkipped: number;
  readonly tablets: number;
}

export interface Counts {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
}

/** Which lines [from, to) of which file the calls of a batch are; `id` is the SHA-256 of its content, hex. */
export interface ImportLines {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly finished: boolean;
}

/** A definition, or the name of a saved one. */
export type Segment = string | Definition;

/** The segment language; docs/reference/segments.md says what each means. */
export type Definition =
  | { readonly and: readonly Definition[] }
  | { readonly or: readonly Definition[] }
  | { readonly not: Definition }
  | { readonly all: true }
  | { readonly segment: string }
  | (EventFilter & { readonly within?: Within } & Measure)
  | {
      readonly sequence: readonly (EventFilter & { readonly within?: string })[];
      readonly window?: string;
      readonly within?: Within;
    }
  | ({ readonly profile: string } & Test)
  | { readonly sample: { readonly percent: number; readonly salt: string } };

/** One of these at most; without any, at least one event. `first` and `last` have no `within` beside them. */
export interface Measure {
  readonly count?: Comparison;
  readonly days?: Comparison;
  readonly sum?: PropertyComparison;
  readonly avg?: PropertyComparison;
  readonly min?: PropertyComparison;
  readonly max?: PropertyComparison;
  readonly distinct?: PropertyComparison;
  readonly first?: Within;
  readonly last?: Within;
  readonly lastValue?: PropertyTest;
  readonly mostFrequent?: { readonly prop: string; readonly value: Scalar };
}

export type PropertyComparison = { readonly prop: string } & Comparison;

export interface EventFilter {
  readonly event: string | readonly string[];
  readonly where?: readonly (PropertyTest | { readonly or: readonly PropertyTest[] })[];
}

export type PropertyTest = { readonly prop: string } & Test;

export interface Test {
  readonly op: Operator;
  readonly value?: Scalar | readonly Scalar[] | Anniversary | Circle;
}

/** The value of `anniversary`. */
export type Anniversary = { readonly on: 'today' } | { readonly last: string } | { readonly next: string };

/** The value of `near`: degrees, and kilometres. */
export interface Circle {
  readonly lat: number;
  readonly lon: number;
  readonly km: number;
}

export type Operator =
  | 'eq'
  | 'neq'
  | 'in'
  | 'notIn'
  | 'gt'
  | 'gte'
  | 'lt'
  | 'lte'
  | 'between'
  | 'contains'
  | 'notContains'
  | 'startsWith'
  | 'endsWith'
  | 'exists'
  | 'notExists'
  | 'before'
  | 'after'
  | 'withinLast'
  | 'withinNext'
  | 'anniversary'
  | 'matches'
  | 'near';

export type Within =
  | { readonly last: string }
  | { readonly from?: string; readonly to?: string }
  | { readonly on: string };

export type Comparison =
  | { readonly [op in 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte']?: number }
  | { readonly between: readonly [number, number] };

export interface SegmentCount {
  readonly count: number;
  /** All users. */
  readonly total: number;
  readonly stats: QueryStats;
}

/** What counting a segment takes, and why; docs/reference/segments.md says what each number is. */
export interface SegmentExplanation {
  readonly count: number;
  readonly total: number;
  /** Outer criteria before those inside them. */
  readonly plan: readonly ExplainedCriterion[];
  readonly estimate: ScanEstimate;
  readonly stats: QueryStats & { readonly workMs: number; readonly memoryBytes: number };
  /** All of it for people. */
  readonly text: string;
}

export interface ExplainedCriterion {
  /** `$.and[1]`. */
  readonly path: string;
  readonly criterion: string;
  readonly order?: number;
  readonly scan?: {
    readonly blocks: number;
    readonly skippedByTime: number;
    readonly skippedByEvents: number;
  };
  readonly estimate?: ScanEstimate;
  readonly real?: {
    readonly ms: number;
    readonly rows: number;
    readonly bytes: number;
    readonly users: number;
  };
  readonly advice: readonly string[];
}

export interface ScanEstimate {
  readonly rows: number;
  /** Of all rows, from 0 to 1. */
  readonly share: number;
  readonly bytes: number;
  readonly matches: number;
}

export interface Member {
  readonly id: string;
  readonly traits?: Readonly<Record<string, Value>>;
}

export interface SavedSegment {
  readonly name: string;
  readonly definition: Definition;
  readonly live: boolean;
  /** The others are of a live segment only. */
  readonly count?: number;
  readonly computedAt?: string;
  readonly memoryBytes?: number;
  /** `recomputed`: its parts cannot be kept incrementally. */
  readonly strategy?: 'incremental' | 'recomputed';
}

/** A user came into a live segment, or left it. */
export interface SegmentChange {
  readonly name: string;
  readonly userId: string;
  readonly change: 'enter' | 'exit';
  readonly at: string;
}

export interface Profile {
  readonly id: string;
  /** Anonymous ids merged into this user. */
  readonly aliases: readonly string[];
  readonly traits: Readonly<Record<string, Value>>;
  readonly devices: readonly object[];
}

export interface Deleted {
  /** Of the user who was deleted: the known one when an id was given that was merged into it. */
  readonly id: string;
  readonly deleted: true;
  /** From when on no copy is left in the log or a backup, ISO; null where that is not known. */
  readonly copiesGoneAt: string | null;
}

export interface TimelineEvent {
  readonly event: string;
  readonly time: string;
  readonly properties: Readonly<Record<string, Value>>;
}

export interface Campaign {
  readonly name: string;
  readonly trigger:
    | (EventFilter & { readonly delay?: string; readonly unless?: EventFilter })
    | { readonly segment: string; readonly on: 'enter' | 'exit' };
  readonly audience?: Definition;
  readonly channel: 'webhook';
  readonly message: {
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** JSON whose texts are Liquid templates. */
    readonly body: unknown;
    readonly secret?: string;
  };
  readonly limits?: { readonly expireAfter?: string };
}

export type CampaignStatus = 'active' | 'paused';

export interface SavedCampaign {
  readonly name: string;
  readonly status: CampaignStatus;
  readonly version: number;
  readonly savedAt: string;
  readonly definition: Campaign;
}

export interface CampaignStats {
  readonly name: string;
  readonly intended: number;
  readonly sent: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
  readonly pending: number;
}

export interface DeadLetter {
  readonly id: string;
  readonly reason: string;
  /** Into the item. */
  readonly path?: string;
  /** The item's JSON. */
  readonly item: string;
  readonly receivedAt: string;
}

export type Role = 'write' | 'read' | 'admin';

export interface Key {
  readonly id: string;
  readonly role: Role;
  readonly label?: string;
  /** It comes from the server's configuration. */
  readonly configured: boolean;
}

export interface AccountStats {
  readonly events: number;
  readonly users: number;
  readonly memoryBytes: number;
  /** Bytes in memory by part; together `memoryBytes`. */
  readonly memory: Readonly<Record<string, number>>;
  /** Of some parts by what they hold, such as of profiles by trait; in brackets what is of no single one. */
  readonly memoryByName: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly bytesPerEvent: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly droppedValues: number;
  readonly deadLetters: number;
  readonly tablets: readonly {
    readonly tablet: string;
    readonly events: number;
    readonly users: number;
    readonly position: number;
  }[];
}

export interface ServerStats {
  readonly threads: number;
  readonly time: string;
  readonly accounts: number;
  /** Of all accounts, and of what threads hold besides. */
  readonly memoryBytes: number;
  readonly memory: Readonly<Record<string, number>>;
}

interface Seen {
  readonly count: number;
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
}

export interface Schema {
  readonly events: readonly (Seen & {
    readonly event: string;
    readonly properties: readonly (Seen & { readonly property: string; readonly types: readonly string[] })[];
  })[];
  readonly traits: readonly string[];
}
