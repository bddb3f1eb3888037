import { SeededRandom } from '../src/base/random.ts';
import type { Scalar } from '../src/base/value.ts';
import type { DeclareRecord, EventCall, TraitsCall } from '../src/log/record.ts';

/**
 * A shop's visitors, from a seed: sessions of several users at once, in the order of time. What a session has one of
 * (platform, city, campaign) repeats in its events, a few users come often, and most sessions end early.
 */
export interface SyntheticOptions {
  readonly seed: number;
  /** Events; the traits of each user who comes are besides. */
  readonly events: number;
  readonly users: number;
}

/** In the past wherever this runs, since collectors move events of the future. */
export const PERIOD = {
  startMs: Date.parse('2025-01-01T00:00:00Z'),
  endMs: Date.parse('2025-07-01T00:00:00Z'),
};

type EventName = keyof typeof PROPERTIES;
type Property = keyof typeof VALUES;

const SESSION_PROPERTIES = ['platform', 'city', 'campaign'] as const;
const PRODUCT_PROPERTIES = ['productId', 'product', 'category', 'price'] as const;

const PROPERTIES = {
  'Session Started': [...SESSION_PROPERTIES, 'referrer'],
  'Page Viewed': [...SESSION_PROPERTIES, 'path'],
  'Products Searched': [...SESSION_PROPERTIES, 'query'],
  'Product Viewed': [...SESSION_PROPERTIES, ...PRODUCT_PROPERTIES],
  'Product Added': [...SESSION_PROPERTIES, ...PRODUCT_PROPERTIES, 'quantity'],
  'Product Removed': [...SESSION_PROPERTIES, ...PRODUCT_PROPERTIES],
  'Checkout Started': [...SESSION_PROPERTIES, 'total'],
  'Order Completed': [...SESSION_PROPERTIES, 'orderId', 'total', 'coupon'],
  'Review Written': [...SESSION_PROPERTIES, 'productId', 'rating'],
  'Support Contacted': [...SESSION_PROPERTIES, 'urgent'],
} as const satisfies Record<string, readonly Property[]>;

const TRAITS = ['plan', 'country', 'age', 'email_consent'];

/** How a session goes on, with weights; what is missing of 1 ends it. */
const NEXT: Readonly<Record<EventName, Readonly<Partial<Record<EventName, number>>>>> = {
  'Session Started': { 'Page Viewed': 0.5, 'Products Searched': 0.2, 'Product Viewed': 0.2 },
  'Page Viewed': {
    'Page Viewed': 0.3,
    'Products Searched': 0.15,
    'Product Viewed': 0.3,
    'Support Contacted': 0.01,
  },
  'Products Searched': { 'Product Viewed': 0.7, 'Products Searched': 0.15 },
  'Product Viewed': {
    'Product Viewed': 0.45,
    'Page Viewed': 0.15,
    'Product Added': 0.15,
    'Review Written': 0.01,
  },
  'Product Added': { 'Product Viewed': 0.4, 'Checkout Started': 0.35, 'Product Removed': 0.08 },
  'Product Removed': { 'Product Viewed': 0.5 },
  'Checkout Started': { 'Order Completed': 0.6, 'Page Viewed': 0.2 },
  'Order Completed': { 'Page Viewed': 0.2, 'Review Written': 0.05 },
  'Review Written': { 'Page Viewed': 0.3 },
  'Support Contacted': { 'Page Viewed': 0.3 },
};

interface Session {
  readonly userId: string;
  readonly platform: string;
  readonly city: string;
  readonly campaign: string;
  /** The product looked at last. */
  product: number;
  total: number;
  event: EventName | undefined;
}

const VALUES = {
  platform: ({ platform }) => platform,
  city: ({ city }) => city,
  campaign: ({ campaign }) => campaign,
  referrer: (_, random) => random.pick(['google', 'instagram', 'newsletter', 'direct']),
  path: (_, random) => `/${random.pick(CATEGORIES)}/${1 + skewed(random, 40)}`,
  query: (_, random) => `${random.pick(COLOURS)} ${random.pick(CATEGORIES)}`,
  productId: ({ product }) => `P${10_000 + product}`,
  product: ({ product }) => productName(product),
  category: ({ product }) => categoryOf(product),
  price: ({ product }) => priceOf(product),
  quantity: (_, random) => 1 + skewed(random, 5),
  total: ({ total }) => total,
  orderId: (_, random) => `O${random.uint32().toString(36)}`,
  coupon: (_, random) => random.chance(0.2),
  rating: (_, random) => 1 + random.below(5),
  urgent: (_, random) => random.chance(0.1),
} as const satisfies Record<string, (session: Session, random: SeededRandom) => Scalar>;

const PLATFORMS = ['web', 'web', 'web', 'ios', 'ios', 'android'];
const CATEGORIES = [
  'lamps',
  'chairs',
  'tables',
  'mugs',
  'plates',
  'rugs',
  'clocks',
  'vases',
  'shelves',
  'beds',
];
const COLOURS = ['red', 'green', 'blue', 'black', 'white', 'grey', 'yellow', 'pink'];
const CITIES = 200;
const CAMPAIGNS = 30;
const PRODUCTS = 2000;
/** Between two events of one session, on average. */
const PAUSE_MS = 60_000;
/** So that a session that never ends by chance ends. */
const SESSIONS_MAX = 4096;

/** Every name that the calls use: what a log declares before them. */
export const DECLARED: Pick<DeclareRecord, 'events' | 'traits'> = {
  events: Object.entries(PROPERTIES).map(([event, properties]) => ({ event, properties })),
  traits: TRAITS,
};

/** The same calls for the same options. */
export function* syntheticCalls({
  seed,
  events,
  users,
}: SyntheticOptions): Generator<EventCall | TraitsCall> {
  const random = new SeededRandom(seed);
  const seen = new Uint8Array(users);
  const stepMs = (PERIOD.endMs - PERIOD.startMs) / events;
  const sessions: (Session | undefined)[] = new Array(
    Math.min(SESSIONS_MAX, Math.max(1, Math.round(PAUSE_MS / stepMs))),
  ).fill(undefined);
  for (let i = 0; i < events; i++) {
    const timeMs = Math.floor(PERIOD.startMs + i * stepMs);
    const slot = random.below(sessions.length);
    let session = sessions[slot];
    if (session?.event === undefined) {
      const user = skewed(random, users);
      session = newSession(user, random);
      sessions[slot] = session;
      if (seen[user] === 0) yield traitsOf(session.userId, timeMs, random);
      seen[user] = 1;
    }
    yield eventOf(session, timeMs, random);
    session.event = nextEvent(session.event!, random);
  }
}

/** As an SDK sends it; `messageId` is missing, since a file of events has none. */
export function segmentCall(call: EventCall | TraitsCall): Readonly<Record<string, unknown>> {
  const common = { userId: call.user.id, timestamp: new Date(call.timeMs).toISOString() };
  if (call.kind === 'event')
    return { type: 'track', ...common, event: call.event, properties: call.properties };
  const traits = call.operations.flatMap((operation) =>
    operation.op === 'set' ? [[operation.trait, operation.value] as const] : [],
  );
  return { type: 'identify', ...common, traits: Object.fromEntries(traits) };
}

function newSession(user: number, random: SeededRandom): Session {
  return {
    userId: `user-${user}`,
    platform: random.pick(PLATFORMS),
    city: `city-${skewed(random, CITIES)}`,
    campaign: random.chance(0.6) ? 'none' : `campaign-${skewed(random, CAMPAIGNS)}`,
    product: 0,
    total: 0,
    event: 'Session Started',
  };
}

function eventOf(session: Session, timeMs: number, random: SeededRandom): EventCall {
  const event = session.event!;
  if (event === 'Product Viewed') session.product = skewed(random, PRODUCTS);
  if (event === 'Product Added') session.total += priceOf(session.product);
  const properties: Record<string, Scalar> = {};
  for (const property of PROPERTIES[event]) properties[property] = VALUES[property](session, random);
  return { kind: 'event', user: { known: true, id: session.userId }, timeMs, event, properties };
}

function traitsOf(userId: string, timeMs: number, random: SeededRandom): TraitsCall {
  const values = [
    random.pick(['free', 'free', 'free', 'plus', 'pro']),
    `country-${skewed(random, 40)}`,
    18 + random.below(60),
    random.chance(0.7),
  ];
  const operations = TRAITS.map((trait, i) => ({ op: 'set' as const, trait, value: values[i]! }));
  return { kind: 'traits', user: { known: true, id: userId }, timeMs, operations };
}

function nextEvent(event: EventName, random: SeededRandom): EventName | undefined {
  let rest = random.fraction();
  for (const [next, weight] of Object.entries(NEXT[event])) {
    rest -= weight;
    if (rest < 0) return next as EventName;
  }
  return undefined;
}

/** In [0, end), small numbers far more often than large ones. */
function skewed(random: SeededRandom, end: number): number {
  return Math.floor(random.fraction() ** 2 * end);
}

function categoryOf(product: number): string {
  return CATEGORIES[product % CATEGORIES.length]!;
}

function productName(product: number): string {
  return `${COLOURS[product % COLOURS.length]} ${categoryOf(product)} no. ${product}`;
}

/** Between 1.95 and 200.95. */
function priceOf(product: number): number {
  return 1.95 + ((product * 7919) % 200);
}
