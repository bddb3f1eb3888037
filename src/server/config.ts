import { parse as parseYaml, stringify } from 'yaml';
import { z } from 'zod';
import { badRequest, MusterError } from '../base/errors.ts';
import { QUERY_BYTES_MAX } from '../base/limits.ts';
import { parseDuration } from '../base/time.ts';
import { isWebhookSecret } from '../delivery/channels/webhook.ts';
import type { Role } from '../shard/api.ts';
import { sha256Hex } from '../shard/keys.ts';
import { environmentDocument, nameOfVariable } from './environment.ts';
import { formatBytes, formatDuration, parseBytes } from './units.ts';

/** The configuration of one server (INTERFACE §1), checked, with its defaults. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  /** The data directory. */
  readonly data: string;
  readonly threads: number;
  readonly memoryLimitBytes: number;
  /** Of one query on one thread. */
  readonly queryMemoryLimitBytes: number;
  /** None: one account `default`, whose keys are made at the first start. */
  readonly accounts: readonly AccountConfig[];
  readonly log: { readonly kind: 'file' };
  readonly delivery: {
    readonly allowPrivateNetworks: boolean;
    readonly webhook: { readonly secret?: string | undefined };
  };
}

export interface AccountConfig {
  readonly name: string;
  readonly timezone: string;
  /** Undefined: unlimited. */
  readonly retentionMs?: number | undefined;
  readonly tablets: 'auto' | number;
  readonly keys: readonly { readonly role: Role; readonly sha256: string }[];
}

/** Where a configuration comes from; a later one wins, value by value. */
export interface ConfigSources {
  readonly file?: { readonly name: string; readonly text: string };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** In the shape of the file. */
  readonly flags: object;
  /** What defaults are taken from. */
  readonly host: { readonly cores: number; readonly memoryBytes: number };
}

/** Throws MusterError `bad_request` that names the key and what was expected. */
export function loadConfig({ file, environment, flags, host }: ConfigSources): Config {
  const document = [documentOf(file), environmentDocument(environment), flags].reduce(merge, {});
  refuseUnsupported(document);
  const parsed = schemaFor(host).safeParse(document);
  if (!parsed.success) throw configError(parsed.error.issues[0]!, environment);
  const { memoryLimit, queryMemoryLimit, ...config } = parsed.data;
  return { ...config, memoryLimitBytes: memoryLimit, queryMemoryLimitBytes: queryMemoryLimit };
}

/** As YAML in the shape of the file, without anything secret: keys appear by their hash. */
export function printConfig(config: Config): string {
  const { webhook } = config.delivery;
  const { listen, data, threads, log } = config;
  return stringify({
    listen,
    data,
    threads,
    memoryLimit: formatBytes(config.memoryLimitBytes),
    queryMemoryLimit: formatBytes(config.queryMemoryLimitBytes),
    log,
    accounts: config.accounts.map(({ retentionMs, ...account }) => ({
      ...account,
      ...(retentionMs !== undefined && { retention: formatDuration(retentionMs) }),
    })),
    delivery: { ...config.delivery, webhook: webhook.secret === undefined ? {} : { secret: '(hidden)' } },
  });
}

const PORT_MAX = 65_535;
const THREADS_MAX = 256;
const TABLETS_MAX = 1024;
const TABLETS_EXPECTED = `expected auto or a power of two up to ${TABLETS_MAX}`;
/** Of the host's memory, when no limit is given: the rest is the system's and its page cache's. */
const MEMORY_SHARE = 0.75;

function schemaFor({ cores, memoryBytes }: ConfigSources['host']) {
  return z.strictObject({
    listen: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1'),
        port: z.int().min(0).max(PORT_MAX).default(7700),
      })
      .prefault({}),
    data: z.string().min(1).default('./muster-data'),
    threads: z.int().min(1).max(THREADS_MAX).default(Math.min(cores, THREADS_MAX)),
    memoryLimit: unit(parseBytes, 'a size such as 16GiB').default(Math.floor(memoryBytes * MEMORY_SHARE)),
    queryMemoryLimit: unit(parseBytes, 'a size such as 512MiB').default(QUERY_BYTES_MAX),
    accounts: z.array(account).default([]).superRefine(refuseRepeats),
    log: z.strictObject({ kind: z.literal('file') }).default({ kind: 'file' }),
    delivery: z
      .strictObject({
        allowPrivateNetworks: z.boolean().default(false),
        webhook: z.strictObject({ secret: webhookSecret.optional() }).default({}),
      })
      .prefault({}),
  });
}

const role = z.enum(['write', 'read', 'admin']);

/** The key itself is forgotten at once: its hash is all that is ever compared. */
const key = z.union(
  [
    z
      .strictObject({ role, key: z.string().regex(/^[\x21-\x7e]{4,256}$/) })
      .transform(({ role, key }) => ({ role, sha256: sha256Hex(key) })),
    z.strictObject({ role, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ],
  {
    error:
      'expected { role: write|read|admin, key } or { role, sha256 }, a key having 4 to 256 visible characters',
  },
);

const account = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'expected up to 63 letters, digits, _ and -'),
    timezone: z
      .string()
      .refine(isTimezone, 'expected an IANA time zone such as Europe/Berlin')
      .default('UTC'),
    retention: unit(parseDuration, 'a duration such as 90d').optional(),
    tablets: z
      .union([z.literal('auto'), z.int().min(1).max(TABLETS_MAX).refine(isPowerOfTwo, TABLETS_EXPECTED)], {
        error: TABLETS_EXPECTED,
      })
      .default('auto'),
    keys: z.array(key).min(1),
  })
  .transform(({ retention, ...account }) => ({ ...account, retentionMs: retention }));

const webhookSecret = z.string().refine(isWebhookSecret, 'expected whsec_ and base64');

function unit(parseText: (text: string) => number | undefined, expected: string) {
  return z.string().transform((text, context) => {
    const value = parseText(text);
    if (value !== undefined && value > 0) return value;
    context.addIssue(`expected ${expected}`);
    return z.NEVER;
  });
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}

function refuseRepeats(accounts: readonly z.infer<typeof account>[], context: z.RefinementCtx): void {
  const names = new Set<string>();
  const hashes = new Set<string>();
  accounts.forEach(({ name, keys }, i) => {
    if (names.has(name)) context.addIssue({ code: 'custom', path: [i, 'name'], message: 'is taken' });
    names.add(name);
    keys.forEach(({ sha256 }, k) => {
      if (hashes.has(sha256)) context.addIssue({ code: 'custom', path: [i, 'keys', k], message: 'is taken' });
      hashes.add(sha256);
    });
  });
}

/** Sections that are described but do not work yet, so that no one believes they do. */
const UNSUPPORTED = [
  'cluster',
  'backup',
  'delivery.smtp',
  'delivery.webpush',
  'delivery.apns',
  'delivery.fcm',
  'delivery.sms',
];

function refuseUnsupported(document: object): void {
  const found = UNSUPPORTED.find((path) => valueAt(document, path.split('.')) !== undefined);
  if (found !== undefined) throw badRequest('not supported yet', found);
  const kind = valueAt(document, ['log', 'kind']);
  if (kind === 'kafka' || kind === 'jetstream') throw badRequest(`${kind} is not supported yet`, 'log.kind');
}

function valueAt(document: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return document;
  return isSection(document) && Object.hasOwn(document, name) ? valueAt(document[name], rest) : undefined;
}

function documentOf(file: ConfigSources['file']): object {
  if (file === undefined) return {};
  let document: unknown;
  try {
    document = parseYaml(file.text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new MusterError('bad_request', `not YAML: ${(cause as Error).message}`, { path: file.name, cause });
  }
  if (document === null) return {};
  if (isSection(document)) return document;
  throw badRequest('expected sections such as `listen:`', file.name);
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sections are merged, anything else is replaced. */
function merge(lower: object, upper: object): object {
  const merged = new Map(Object.entries(lower));
  for (const [name, value] of Object.entries(upper)) {
    const before = merged.get(name);
    if (value !== undefined)
      merged.set(name, isSection(before) && isSection(value) ? merge(before, value) : value);
  }
  return Object.fromEntries(merged);
}

function configError(issue: z.core.$ZodIssue, environment: ConfigSources['environment']): MusterError {
  const isUnknown = issue.code === 'unrecognized_keys';
  const parts = isUnknown ? [...issue.path, issue.keys[0]!] : issue.path;
  const path = parts.reduce<string>(
    (path, part) => (typeof part === 'number' ? `${path}[${part}]` : `${path}${path && '.'}${String(part)}`),
    '',
  );
  return badRequest(
    isUnknown ? 'unknown key' : lowerFirst(issue.message),
    nameOfVariable(path, environment) ?? path,
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
