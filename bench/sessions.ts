import { createHash } from 'node:crypto';
import { SeededRandom } from '../src/base/random.ts';

/**
 * A shop's sessions as plain columns, for benches of many millions of events: what Muster and its rivals both load.
 * Sessions of many users at once, in the order of arrival, which is the order of time. No user has two events at one
 * time: which of them came first is nothing that a rival's table could tell.
 */
export interface SessionOptions {
  readonly seed: number;
  readonly events: number;
  /** Some of them stay away when events are few. */
  readonly users: number;
}

/** One entry an event in each column, in memory that threads can share. */
export interface SessionColumns {
  /** In [0, users). A few come often: the busiest 1 % have 10 % of the sessions. */
  readonly user: Uint32Array;
  /** Milliseconds since 1970, never falling. */
  readonly timeMs: Float64Array;
  /** Index into SESSION_NAMES.event. */
  readonly event: Uint8Array;
  /** Index into SESSION_NAMES.city: the user's home in nine sessions of ten. */
  readonly city: Uint8Array;
  /** Index into SESSION_NAMES.platform: one a session. */
  readonly platform: Uint8Array;
  /** Of a purchase, a decimal with two digits after the point; 0 where the event has no amount. */
  readonly amountCents: Int32Array;
  /** Index into SESSION_NAMES.product; 0 where the event has no product. */
  readonly product: Uint16Array;
}

/** How a session goes on, with weights; what is missing of 1 ends it. */
const NEXT: readonly (readonly [event: string, next: Readonly<Record<string, number>>])[] = [
  ['Session Started', { 'Page Viewed': 0.4, 'Products Searched': 0.3, 'Product Viewed': 0.3 }],
  [
    'Page Viewed',
    { 'Page Viewed': 0.35, 'Products Searched': 0.2, 'Product Viewed': 0.25, 'Support Contacted': 0.02 },
  ],
  ['Products Searched', { 'Products Searched': 0.2, 'Product Viewed': 0.65, 'Page Viewed': 0.1 }],
  [
    'Product Viewed',
    { 'Product Viewed': 0.1, 'Product Added': 0.6, 'Page Viewed': 0.15, 'Review Written': 0.01 },
  ],
  ['Product Added', { 'Checkout Started': 0.82, 'Product Viewed': 0.08, 'Product Removed': 0.06 }],
  ['Product Removed', { 'Product Viewed': 0.5 }],
  ['Checkout Started', { 'Order Completed': 0.98 }],
  ['Order Completed', { 'Page Viewed': 0.25, 'Review Written': 0.05 }],
  ['Review Written', { 'Page Viewed': 0.3 }],
  ['Support Contacted', { 'Page Viewed': 0.4 }],
];

const EVENTS = NEXT.map(([event]) => event);
const NEXT_WEIGHTS = NEXT.map(([, next]) => EVENTS.map((event) => next[event] ?? 0));
const END = EVENTS.length;
const VIEWED = EVENTS.indexOf('Product Viewed');
const PURCHASED = EVENTS.indexOf('Order Completed');
const WITH_PRODUCT = EVENTS.map((event) => (/^Product (Viewed|Added|Removed)|^Order/.test(event) ? 1 : 0));

const CITIES = 200;
const PLATFORMS = ['web', 'ios', 'android', 'tv'];
const PRODUCTS = 2000;
/** A prime, so that every user has a place. */
const USER_STRIDE = 15_485_863;

/** What the codes mean. */
export const SESSION_NAMES = {
  event: EVENTS,
  city: Array.from({ length: CITIES }, (_, city) => `City ${city}`),
  platform: PLATFORMS,
  product: ['', ...Array.from({ length: PRODUCTS }, (_, product) => `P${10_000 + product}`)],
} as const satisfies Partial<Record<keyof SessionColumns, readonly string[]>>;

export const SESSION_PERIOD = {
  startMs: Date.parse('2025-01-01T00:00:00Z'),
  endMs: Date.parse('2025-06-30T00:00:00Z'),
};

/** Between two events of one session, on average; longer where so few events fill the whole period. */
const PAUSE_MS = 45_000;
const AT_HOME = 0.9;

/** Of fewer, too few are free when several events fall into one ms. */
const USERS_MIN_DENSE = 1000;

/** The same columns for the same options. Throws where so few users cannot have so many events. */
export function sessionColumns({ seed, events, users }: SessionOptions): SessionColumns {
  const random = new SeededRandom(seed);
  const columns = emptyColumns(events);
  const stepMs = (SESSION_PERIOD.endMs - SESSION_PERIOD.startMs) / events;
  if (stepMs < 2 && users < USERS_MIN_DENSE) throw new RangeError(`${users} users for ${events} events`);
  // Whose turn it is is chance, so a session's pauses vary as they do where visitors do not wait for each other.
  const open = emptyColumns(Math.max(1, Math.round(PAUSE_MS / stepMs)));
  const next = new Uint8Array(open.event.length).fill(END);
  const lastMs = new Float64Array(users);
  for (let i = 0; i < events; i++) {
    const timeMs = Math.floor(SESSION_PERIOD.startMs + (i + random.fraction()) * stepMs);
    let session: number;
    do {
      session = random.below(next.length);
      if (next[session] === END) {
        startSession(open, session, users, random);
        next[session] = 0;
      }
    } while (lastMs[open.user[session]!] === timeMs);
    lastMs[open.user[session]!] = timeMs;
    const event = next[session]!;
    if (event === VIEWED) open.product[session] = 1 + skewed(random, PRODUCTS);
    columns.user[i] = open.user[session]!;
    columns.timeMs[i] = timeMs;
    columns.event[i] = event;
    columns.city[i] = open.city[session]!;
    columns.platform[i] = open.platform[session]!;
    if (WITH_PRODUCT[event] === 1) columns.product[i] = open.product[session]!;
    if (event === PURCHASED)
      columns.amountCents[i] = priceCents(open.product[session]!) * (1 + skewed(random, 5));
    next[session] = nextEvent(event, random);
  }
  return columns;
}

/** Of every byte of every column. */
export function sessionChecksum(columns: SessionColumns): string {
  const hash = createHash('sha256');
  for (const column of Object.values(columns)) hash.update(column);
  return hash.digest('hex').slice(0, 12);
}

function emptyColumns(rows: number): SessionColumns {
  return {
    user: new Uint32Array(new SharedArrayBuffer(4 * rows)),
    timeMs: new Float64Array(new SharedArrayBuffer(8 * rows)),
    event: new Uint8Array(new SharedArrayBuffer(rows)),
    city: new Uint8Array(new SharedArrayBuffer(rows)),
    platform: new Uint8Array(new SharedArrayBuffer(rows)),
    amountCents: new Int32Array(new SharedArrayBuffer(4 * rows)),
    product: new Uint16Array(new SharedArrayBuffer(2 * rows)),
  };
}

function startSession(open: SessionColumns, session: number, users: number, random: SeededRandom): void {
  // Spread out, so that the busy users' numbers are not the small ones.
  const user = (skewed(random, users) * USER_STRIDE) % users;
  open.user[session] = user;
  open.city[session] = random.chance(AT_HOME) ? homeOf(user) : random.below(CITIES);
  open.platform[session] = random.chance(0.7) ? user % PLATFORMS.length : random.below(PLATFORMS.length);
}

function nextEvent(event: number, random: SeededRandom): number {
  let rest = random.fraction();
  const weights = NEXT_WEIGHTS[event]!;
  for (let next = 0; next < weights.length; next++) {
    rest -= weights[next]!;
    if (rest < 0) return next;
  }
  return END;
}

/** In [0, end), small numbers far more often than large ones. */
function skewed(random: SeededRandom, end: number): number {
  return Math.floor(random.fraction() ** 2 * end);
}

/** Large cities are many users' home. */
function homeOf(user: number): number {
  const fraction = (Math.imul(user, 0x9e3779b1) >>> 0) / 0x1_0000_0000;
  return Math.floor(fraction ** 2 * CITIES);
}

/** From 0.95 to 200.95. */
function priceCents(product: number): number {
  return 95 + ((product * 7919) % 201) * 100;
}
