import { assert } from './assert.ts';

/** Every limit of the product, each with its reason. Bytes are bytes, times are ms. */

const KIB = 1024;
const MIB = 1024 * KIB;
export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

// Collecting (INTERFACE §2: what Segment's SDKs assume).
export const EVENT_BYTES_MAX = 32 * KIB;
export const BATCH_BYTES_MAX = 500 * KIB;
export const BATCH_EVENTS_MAX = 2500;
export const IMPORT_BYTES_MAX = 4 * MIB;
/** A body over this is refused before it is read to its end. */
export const BODY_BYTES_MAX = 5 * MIB;
/** gzip of JSON rarely passes 30:1; past 100:1 it is a bomb. */
export const INFLATE_RATIO_MAX = 100;
export const MESSAGE_ID_CHARS_MAX = 100;
/** Ids are keys of tables and travel with every call. */
export const USER_ID_BYTES_MAX = 256;
export const NAME_BYTES_MAX = 200;
export const VALUE_BYTES_MAX = 1024;
export const ARRAY_VALUES_MAX = 100;
/** Deeper JSON than this is no event; it also bounds the recursion that flattens it. */
export const NESTING_DEPTH_MAX = 16;
export const FUTURE_MS_MAX = DAY_MS;
export const DEDUPE_WINDOW_MS = DAY_MS;
/** Ids kept per tablet and generation: 16 bytes each in tables 44 to 88 % full, so 170 MiB a generation at the most. */
export const DEDUPE_IDS_MAX = 1 << 23;

// An account's schema, unless its settings say otherwise (INTERFACE §2).
export const EVENT_NAMES_MAX = 512;
export const PROPERTIES_PER_EVENT_MAX = 256;
export const TRAITS_MAX = 512;
/**
 * Increments kept one by one per user and trait, so that a `set` that arrives late counts only those newer than itself.
 * The oldest beyond become one. 16 bytes each; a set that arrives later than 16 newer increments is rare.
 */
export const TRAIT_INCREMENTS_MAX = 16;

// Kept by an account.
export const SEGMENTS_MAX = 1000;
export const CAMPAIGNS_MAX = 1000;
export const IMPORTS_REMEMBERED_MAX = 10_000;
/** Dead letters of one account; the oldest go first, and are counted. */
export const DEAD_LETTERS_MAX = 10_000;
export const DEAD_LETTER_BYTES_MAX = 64 * MIB;
/** Ids merged into a deleted user by which dead letters are looked for: 2.5 MB in a frame, and few users have 10. */
export const DELETED_IDS_MAX = 10_000;

// The segment language (INTERFACE §4).
export const SEGMENT_DEPTH_MAX = 16;
export const SEGMENT_CRITERIA_MAX = 200;
/** Of one segment.evaluate: each keeps a bitmap of a tablet's users, 128 KiB a million, until the pass is over. */
export const EVALUATE_SEGMENTS_MAX = 2000;
/** Of all its segments together: they are checked in one go, at about a microsecond each. */
export const EVALUATE_CRITERIA_MAX = 20_000;
export const SEGMENT_VALUES_MAX = 10_000;
/** An event is marked with the steps it may be by a bit each. */
export const SEQUENCE_STEPS_MAX = 32;
/** Characters of a pattern, which are compiled in one go: some 50 ms for the worst of them, 1 ms for most. */
export const PATTERN_CHARS_MAX = 500;
/** Instructions of a compiled pattern: what one character of a text costs at the most. */
export const PATTERN_SIZE_MAX = 500;
/** Patterns of one definition: as many as are kept compiled. */
export const SEGMENT_PATTERNS_MAX = 64;
/** What a thread remembers of users' matches for live segments that are recomputed, of all of them together. */
export const LIVE_KEPT_BYTES_MAX = 32 * MIB;
/** Compiled patterns that a thread keeps, with up to 8 MiB of states each. */
export const PATTERNS_KEPT_MAX = 64;
/** Saved segments that mention saved segments: with SEGMENT_DEPTH_MAX it bounds the recursion that evaluates them. */
export const SEGMENT_REFERENCES_DEPTH_MAX = 16;
export const MEMBERS_PAGE_MAX = 10_000;
export const TIMELINE_PAGE_MAX = 1000;
export const QUERY_TIMEOUT_MS = 30 * SECOND_MS;

// Analysis (INTERFACE §5).
/** Values that a breakdown tells apart, and what it does unless told. */
export const BREAKDOWN_TOP_MAX = 1000;
export const BREAKDOWN_TOP = 10;
/** Intervals of a range: a year of hours, 27 years of days. Finding them takes a few ms at the most. */
export const ANALYSIS_INTERVALS_MAX = 10_000;
/** Points of a trend, some 50 bytes of JSON each; a tablet keeps 12 bytes of one while it counts. */
export const TREND_POINTS_MAX = 1 << 18;
/** Cells that a tablet keeps of all values, before the top ones are chosen: 16 bytes each; past it events are walked twice. */
export const TREND_WIDE_CELLS_MAX = 1 << 19;
/** The same of pairs of values of a pivot. */
export const PIVOT_WIDE_CELLS_MAX = 1 << 18;
/** Sets of values that users of a tablet have in one interval, some 100 bytes each; the same past it. */
export const TREND_KEY_SETS_MAX = 1 << 14;
/** Different values of a tablet's events, of which the top are chosen: some 100 bytes each. */
export const BREAKDOWN_VALUES_MAX = 200_000;
/** Of all tablets, each counting its own. */
export const BREAKDOWN_VALUES_ASKED_MAX = 2_000_000;
/** Rows and columns of a pivot besides `(other)` and `(none)`: more than anybody reads. */
export const PIVOT_TOP = 50;
export const PIVOT_TOP_MAX = 100;
/** With columns of intervals; some 100 bytes of JSON each. */
export const PIVOT_CELLS_MAX = 1 << 17;
export const FUNNEL_STEPS_MIN = 2;
export const FUNNEL_STEPS_MAX = 12;
/** After a cohort's own interval: a year of days. */
export const RETENTION_PERIODS_MAX = 366;
/** Numbers of an answer about retention; a tablet keeps 4 bytes of one while it counts. */
export const RETENTION_NUMBERS_MAX = 1 << 20;
/** Of a path, besides the event that it starts from: more than a chart of flows can show. */
export const FLOW_STEPS_MAX = 10;
/** Event names told apart at each step, and what a flow does unless told. */
export const FLOW_TOP_MAX = 50;
export const FLOW_TOP = 8;

// A thread's own time. After so much work in steps a shard's thread turns to what has come in: with 2 ms, events were
// acknowledged nearly twice as late beside queries, which went no faster. No single step is to take more than 2 ms.
export const SLICE_MS_MAX = 0.5;
/**
 * Of a thread's heap for what is new, in MiB. V8 keeps it all once it was needed; its default of 48 is 20 to 25 MB more
 * a thread, and collecting events costs the same within what can be measured.
 */
export const HEAP_YOUNG_MIB_MAX = 16;
/** Queries of one account that a thread works on at once: more would each hold memory and none would be sooner. */
export const QUERIES_RUNNING_MAX = 16;
/** Behind those, in order; past it a query is `rate_limited`. Few enough to be over within a query's time. */
export const QUERIES_WAITING_MAX = 256;
/** What one query may take on a thread, unless the configuration says otherwise: 2000 bitmaps of two million users. */
export const QUERY_BYTES_MAX = 512 * MIB;
/** Of what a query keeps of each user between parts; where it were more, parts are brought together instead. */
export const CARRIED_BYTES_MAX = 64 * MIB;
/** Traits changed while a query runs and kept for it as they were, some 100 bytes each; past it writes wait for the query. */
export const SNAPSHOT_VALUES_MAX = 1 << 18;
/** The owner appends a tick when something is due, at most this often. */
export const TICK_MS = SECOND_MS;

// The log.
/** A frame holds one request; a request is at most BODY_BYTES_MAX inflated, plus what records add. */
export const FRAME_BYTES_MAX = 16 * MIB;
/** What a section adds to its records: an account's name of 63 characters, 32 bits of a tablet, lengths. */
export const SECTION_BYTES_MAX = 128;
export const LOG_SEGMENT_BYTES_MAX = 256 * MIB;
/** Frames waiting for the disk; past it appends answer `unavailable`. */
export const LOG_QUEUE_BYTES_MAX = 64 * MIB;
/**
 * Durable frames that a shard has not applied yet; past it requests wait until it has caught up. Some half a second of
 * work: what is durable is to answer queries within a second.
 */
export const UNAPPLIED_BYTES_MAX = 8 * MIB;
/** What one write and sync carry: past a few MiB the disk is busy anyway, and the frames wait for each other. */
export const LOG_BATCH_BYTES_MAX = 4 * MIB;
/** Read from a segment at a time; a larger frame is read whole. */
export const LOG_READ_BYTES = MIB;
/** How old the knowledge of the free disk space may get. */
export const DISK_CHECK_MS = SECOND_MS;
/** Below this the server refuses writes and keeps serving reads; it resumes by itself. */
export const DISK_FREE_BYTES_MIN = 256 * MIB;

// Storage.
/** Rows of a head before it is sealed: what a seal sorts and encodes at once. */
export const HEAD_ROWS_MAX = 1 << 17;
export const ORDINALS_MAX = 1 << 24;
/** A head with rows of many properties is sealed earlier: its cells take 13 bytes each, so 26 MiB. */
export const HEAD_CELLS_MAX = 1 << 21;
/** Rows encoded together: analyzing and encoding so many doubles takes up to about a millisecond. */
export const CHUNK_ROWS = 1 << 15;
/** The most a chunk may say it has: what reads it has scratch space for so many. */
export const CHUNK_ROWS_MAX = 1 << 16;
/** Rows of a block: their bitmaps, 2 MiB, pass through WebAssembly's memory. */
export const BLOCK_ROWS_MAX = 1 << 24;
/** So few that a user's trail, and any query, opens little; a fifth is merged with others. */
export const BLOCKS_PER_WINDOW_MAX = 4;
/** Rows of a window before it is cut into finer ones: sixteen heads, which 4 blocks hold after two rewrites of each row. */
export const WINDOW_ROWS_MAX = 1 << 21;
/** Full heads that wait to be sealed, 26 MiB each at the most; past it a tablet takes no more rows until one is. */
export const HEADS_WAITING_MAX = 2;
/** A tablet that has taken no rows for so long is tidied: its head is sealed and its windows are merged. */
export const QUIET_MS = 3 * SECOND_MS;
/** Rows of a deleted user are gone from memory by then at the latest, however busy the tablet is: all is written anew. */
export const ERASED_ROWS_MS_MAX = DAY_MS;
/** Fewer rows stay in the head when it is quiet: sealing them again and again would cost more than they take. */
export const HEAD_ROWS_QUIET_MIN = 1 << 12;
/** Texts of a tablet's dictionary: below the 2^24 entries at which a Map throws. Past it a new text is not stored. */
export const DICTIONARY_TEXTS_MAX = (1 << 24) - 1024;
/** Decompressed groups a thread keeps, of 16 KiB each: those of one row of as many cold columns. */
export const GROUPS_OPEN_MAX = 64;
/** A text of the store: an array's JSON is the longest, where each byte may become the 6 of an escape. */
export const TEXT_BYTES_MAX = MIB;
/** A head whose texts take more is full: growing their heap copies at most half of it, in about 2 ms. */
export const HEAD_TEXT_BYTES_MAX = 16 * MIB;
/** Decompressed groups of texts that a thread keeps: 250 of a dictionary, or all texts of a few users' trails. */
export const OPEN_TEXTS_BYTES_MAX = 4 * MIB;

// Tablets. One past any of these limits splits in two.
/** A split takes up to a microsecond a user, and its tablet answers nothing meanwhile: with a million, for a second. */
export const TABLET_USERS_MAX = 1_000_000;
/** Of events: so much is loaded or moved in some ten seconds, and scanned in a fraction of one. */
export const TABLET_BYTES_MAX = 2 * 1024 * MIB;
/** Of one account: a query asks each of them. */
export const TABLETS_MAX = 1024;
/** With fewer users a tablet that is full of bytes would hardly get smaller by splitting. */
export const TABLET_USERS_MIN = 1024;
/** Bits of the hash that a tablet's name may have. */
export const TABLET_BITS_MAX = 32;

// Sending.
export const MESSAGE_BYTES_MAX = 256 * KIB;
export const TEMPLATE_RENDER_MS_MAX = 50;
export const TEMPLATE_MEMORY_MAX = 1e6;
export const SEND_TIMEOUT_MS = 10 * SECOND_MS;
/** Sends under way at once from one thread, and to one destination: one bad destination slows no other. */
export const SENDS_IN_FLIGHT_MAX = 256;
export const SENDS_PER_DESTINATION_MAX = 16;
/** Destinations that a thread's sender remembers; past it, those with nothing to send are forgotten. */
export const DESTINATIONS_MAX = 10_000;
/** The longest delay of a campaign: what is delayed is held in memory. */
export const DELAY_MS_MAX = 90 * DAY_MS;
export const RETRY_BASE_MS = SECOND_MS;
export const RETRY_MAX_MS = HOUR_MS;
export const EXPIRE_AFTER_MS = DAY_MS;
/** Messages intended and not yet done, per tablet; past it new intents become `Message Skipped`. */
export const OUTBOX_INTENTS_MAX = 1 << 20;

// Serving.
/** A browser's cookies fit; both listeners hold it for each connection that is sending its headers. */
export const HEADERS_BYTES_MAX = 16 * KIB;
export const PATH_CHARS_MAX = 2048;
/** A whole body must be here by then: 5 MB at 1.4 Mbit/s. */
export const BODY_READ_MS_MAX = 30 * SECOND_MS;
/** Bodies held by one listener; past it requests with a body answer `unavailable`. */
export const BODIES_HELD_BYTES_MAX = 256 * MIB;
/** How long a refused body is still read, so that its sender gets to see the answer. */
export const LINGER_MS = SECOND_MS;
/** What a graceful close waits for requests under way. */
export const CLOSE_MS_MAX = 10 * SECOND_MS;
/** What a caller may ask for with `timeoutMs`. */
export const QUERY_TIMEOUT_MS_MAX = 10 * MINUTE_MS;
/** WebSocket connections of one listener, each up to a full send buffer. */
export const SOCKETS_MAX = 10_000;
export const SOCKET_IDLE_SECONDS = 120;
/** A connection that has not said its key by then is closed. */
export const SOCKET_AUTH_MS_MAX = 10 * SECOND_MS;
/** Bytes a client may leave unread; a subscriber that is slower is dropped. */
export const SOCKET_BUFFER_BYTES_MAX = 16 * MIB;
/** Calls and subscriptions of one connection at once. */
export const RPC_CALLS_MAX = 128;
/** The deepest segment definition nests three levels a criterion. */
export const MESSAGE_PACK_DEPTH_MAX = 64;
/** An empty map is one byte on the wire and 56 in memory: this bounds what a frame can turn into. */
export const MESSAGE_PACK_VALUES_MAX = 1 << 20;

// The client.
/** Calls that wait for a connection or for one of the RPC_CALLS_MAX; past it a call is refused at once. */
export const CLIENT_CALLS_WAITING_MAX = 1024;
export const RECONNECT_BASE_MS = 100;
export const RECONNECT_MAX_MS = 5 * SECOND_MS;
/** A server that says nothing for two of these is gone. Within what proxies let a connection idle. */
export const HEARTBEAT_MS = 20 * SECOND_MS;
/** A batch of an import: the server takes a few ms for one, so that it answers others in between. */
export const IMPORT_BATCH_LINES = 500;
export const IMPORT_BATCH_BYTES = 256 * KIB;
/** Enough that reading, sending and syncing overlap. */
export const IMPORT_BATCHES_IN_FLIGHT = 4;
/** How long an import waits for a server that takes nothing before it gives up; it can be resumed. */
export const IMPORT_PATIENCE_MS = 2 * MINUTE_MS;

assert(EVENT_BYTES_MAX < BATCH_BYTES_MAX, 'an event fits a batch');
assert(BATCH_BYTES_MAX < IMPORT_BYTES_MAX, 'an import batch is the larger one');
assert(IMPORT_BATCH_LINES <= BATCH_EVENTS_MAX, 'the server takes a batch of an import');
assert(3 * (IMPORT_BATCH_BYTES + EVENT_BYTES_MAX) < IMPORT_BYTES_MAX, 'also when a character takes 3 bytes');
assert(IMPORT_BYTES_MAX < BODY_BYTES_MAX, 'the hard limit is above every soft one');
assert(BODY_BYTES_MAX * 2 < FRAME_BYTES_MAX, 'a request fits a frame with room for what records add');
assert(FRAME_BYTES_MAX < LOG_SEGMENT_BYTES_MAX, 'a frame fits a log segment');
assert(FRAME_BYTES_MAX < LOG_QUEUE_BYTES_MAX, 'a frame fits the queue');
assert(BODY_BYTES_MAX < BODIES_HELD_BYTES_MAX, 'a body fits what a listener holds');
assert(EVALUATE_SEGMENTS_MAX * (TABLET_USERS_MAX >>> 3) < QUERY_BYTES_MAX, 'segment.evaluate has memory');
assert(SEGMENT_DEPTH_MAX * 3 < MESSAGE_PACK_DEPTH_MAX, 'the deepest definition can be sent');
assert(CHUNK_ROWS <= CHUNK_ROWS_MAX, 'a chunk may have its rows');
assert(CHUNK_ROWS % 256 === 0, 'chunks begin at words of a bitmap');
assert(HEAD_ROWS_MAX <= BLOCK_ROWS_MAX, 'a head fits a block');
assert(ARRAY_VALUES_MAX * (VALUE_BYTES_MAX * 6 + 3) < TEXT_BYTES_MAX, 'the longest array is a text');
assert(DICTIONARY_TEXTS_MAX < 1 << 24, 'a Map holds every text');
assert(LOG_QUEUE_BYTES_MAX < DISK_FREE_BYTES_MIN, 'what was accepted into the queue can still be written');
assert(SEGMENT_PATTERNS_MAX <= PATTERNS_KEPT_MAX, 'the patterns of a definition are compiled once');
