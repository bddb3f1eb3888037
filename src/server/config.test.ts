import { describe, expect, it } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { DAY_MS } from '../base/limits.ts';
import { type Config, loadConfig, printConfig } from './config.ts';
import { formatBytes, formatDuration, parseBytes } from './units.ts';

const host = { cores: 4, memoryBytes: 8 * 1024 ** 3 };

function load(text = '', environment: Record<string, string> = {}, flags: object = {}): Config {
  return loadConfig({ file: { name: 'muster.yaml', text }, environment, flags, host });
}

function refusal(run: () => unknown): { path: string | undefined; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof MusterError) return { path: error.path, message: error.message };
    throw error;
  }
  throw new Error('was not refused');
}

const SHOP = `
listen: { host: 0.0.0.0, port: 80 }
memoryLimit: 16GiB
accounts:
  - name: shop
    timezone: Europe/Berlin
    retention: 90d
    tablets: 8
    keys: [{ role: write, key: wk_shop_1 }, { role: admin, sha256: ${'ab'.repeat(32)} }]
delivery: { webhook: { secret: whsec_${'A'.repeat(32)} } }
`;

describe('loadConfig', () => {
  it('has a default for everything', () => {
    expect(load()).toEqual({
      listen: { host: '127.0.0.1', port: 7700 },
      data: './muster-data',
      threads: 4,
      memoryLimitBytes: 6 * 1024 ** 3,
      queryMemoryLimitBytes: 512 * 1024 ** 2,
      accounts: [],
      log: { kind: 'file' },
      delivery: { allowPrivateNetworks: false, webhook: {} },
    });
  });

  it('reads units, and keeps of keys only their hash', () => {
    const config = load(SHOP);
    expect(config.memoryLimitBytes).toBe(16 * 1024 ** 3);
    const [shop] = config.accounts;
    expect(shop).toMatchObject({ timezone: 'Europe/Berlin', retentionMs: 90 * DAY_MS, tablets: 8 });
    expect(shop!.keys.map(({ role }) => role)).toEqual(['write', 'admin']);
    expect(shop!.keys[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(config)).not.toContain('wk_shop_1');
  });

  it('takes JSON as well, and lets environment win over the file and flags over both', () => {
    const file = '{"listen":{"host":"h","port":1},"threads":1,"data":"f"}';
    const environment = {
      MUSTER_LISTEN_PORT: '2',
      MUSTER_THREADS: '2',
      MUSTER_KEY: 'for clients',
      PATH: '/bin',
    };
    const config = load(file, environment, { threads: 3, data: undefined });
    expect(config).toMatchObject({ listen: { host: 'h', port: 2 }, threads: 3, data: 'f' });
  });

  it.each([
    ['colour: red', 'colour', /unknown key/],
    ['listen: { port: 1, colour: red }', 'listen.colour', /unknown key/],
    [
      'accounts: [{ name: a, colour: red, keys: [{ role: read, key: rk_12345 }] }]',
      'accounts[0].colour',
      /unknown/,
    ],
    ['accounts: [{ name: a, keys: [{ role: boss, key: rk_12345 }] }]', 'accounts[0].keys[0]', /role/],
    ['accounts: [{ name: a, keys: [] }]', 'accounts[0].keys', />=1/],
    [
      'accounts: [{ name: a, timezone: Mars, keys: [{ role: read, key: rk_12345 }] }]',
      'accounts[0].timezone',
      /IANA/,
    ],
    [
      'accounts: [{ name: a, tablets: 3, keys: [{ role: read, key: rk_12345 }] }]',
      'accounts[0].tablets',
      /power/,
    ],
    [
      'accounts: [{ name: a, retention: 0d, keys: [{ role: read, key: rk_12345 }] }]',
      'accounts[0].retention',
      /90d/,
    ],
    [
      'accounts: [{ name: a, retention: 90, keys: [{ role: read, key: rk_12345 }] }]',
      'accounts[0].retention',
      /string/,
    ],
    ['memoryLimit: 16GB', 'memoryLimit', /16GiB/],
    ['listen: { port: 70000 }', 'listen.port', /65535/],
    ['threads: many', 'threads', /number/],
    ['delivery: { webhook: { secret: "nö" } }', 'delivery.webhook.secret', /whsec_/],
    ['delivery: { smtp: { host: h } }', 'delivery.smtp', /not supported yet/],
    ['cluster: { name: c1 }', 'cluster', /not supported yet/],
    ['log: { kind: kafka }', 'log.kind', /kafka is not supported yet/],
    ['listen: [1, 2', 'muster.yaml', /not YAML/],
    ['just text', 'muster.yaml', /sections/],
  ])('refuses %s', (text, path, message) => {
    const refused = refusal(() => load(text));
    expect(refused.path).toBe(path);
    expect(refused.message).toMatch(message);
  });

  it('refuses an account or a key that is there twice', () => {
    const account = (name: string, key: string) => `{ name: ${name}, keys: [{ role: read, key: ${key} }] }`;
    const one = account('a', 'rk_12345');
    expect(refusal(() => load(`accounts: [${one}, ${account('a', 'rk_54321')}]`)).path).toBe(
      'accounts[1].name',
    );
    expect(refusal(() => load(`accounts: [${one}, ${account('b', 'rk_12345')}]`)).path).toBe(
      'accounts[1].keys[0]',
    );
  });

  it('names the variable that is wrong', () => {
    expect(refusal(() => load('', { MUSTER_LISTEN_PORT: 'http' })).path).toBe('MUSTER_LISTEN_PORT');
    expect(refusal(() => load('', { MUSTER_COLOUR: 'red' })).path).toBe('MUSTER_COLOUR');
    expect(refusal(() => load('', { MUSTER_DELIVERY_ALLOW_PRIVATE_NETWORKS: 'maybe' })).path).toBe(
      'MUSTER_DELIVERY_ALLOW_PRIVATE_NETWORKS',
    );
  });

  it('leaves alone what Kubernetes sets for a service called muster', () => {
    expect(load('', { MUSTER_PORT: 'tcp://10.0.0.1:7700', MUSTER_SERVICE_HOST: '10.0.0.1' })).toEqual(load());
  });
});

describe('printConfig', () => {
  it('shows everything but secrets', () => {
    const printed = printConfig(load(SHOP));
    expect(printed).toContain('memoryLimit: 16GiB');
    expect(printed).toContain('queryMemoryLimit: 512MiB');
    expect(printed).toContain('retention: 90d');
    expect(printed).toContain('secret: (hidden)');
    expect(printed).not.toContain('whsec_');
    const withoutSecret = printed.replace(/secret: .*/, '{}');
    expect(load(withoutSecret.replace(/webhook:\s+\{\}/, 'webhook: {}'))).toEqual({
      ...load(SHOP),
      delivery: { allowPrivateNetworks: false, webhook: {} },
    });
  });
});

describe('units', () => {
  it('are written in the largest that is exact', () => {
    expect([formatBytes(1536), formatBytes(2 ** 40), formatBytes(7)]).toEqual(['1536B', '1TiB', '7B']);
    expect([formatDuration(36e5), formatDuration(14 * DAY_MS), formatDuration(9e4)]).toEqual([
      '1h',
      '2w',
      '90s',
    ]);
  });

  it('of another family are no sizes', () => {
    expect(['1GB', '1', 'GiB', '-1KiB', '1.5GiB', '99999999999999TiB'].map(parseBytes)).toEqual(
      Array(6).fill(undefined),
    );
  });
});
