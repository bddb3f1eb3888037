import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { unpack } from './unpack.ts';
import { type Message, pack, packMessage, unpackMessage } from './wire.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const foreign = new Packr({ useRecords: false });

function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MusterError && error.code === 'bad_request') return error.message;
    throw error;
  }
  throw new Error('was not refused');
}

function randomJson(random: SeededRandom, depth: number): unknown {
  const kind = random.below(depth > 0 ? 8 : 6);
  if (kind === 0) return random.pick([null, true, false]);
  if (kind === 1)
    return random.pick([0, 127, 128, 255, 256, 65535, 65536, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER]);
  if (kind === 2) return -random.pick([1, 32, 33, 128, 129, 32768, 32769, 2 ** 31, 2 ** 31 + 1, 2 ** 50]);
  if (kind === 3) return random.fraction() * 10 ** random.below(40);
  if (kind === 4)
    return random.pick(['a', 'é', '😀']).repeat(random.pick([0, 1, 23, 24, 31, 32, 255, 256, 70_000]));
  if (kind === 5) return random.pick(['__proto__', 'constructor', '\u0000', '\ufeffx']);
  const children = Array.from({ length: random.pick([0, 1, 15, 16, 20]) }, () =>
    randomJson(random, depth - 1),
  );
  return kind === 6 ? children : Object.fromEntries(children.map((child, i) => [`k${i}`, child]));
}

describe('MessagePack', () => {
  it('brings every JSON value back', () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 300; i++) {
      const value = randomJson(random, 3);
      expect(unpack(pack(value))).toEqual(value);
    }
  });

  it('reads every form that another implementation may choose', () => {
    const forms: readonly (readonly [string, unknown])[] = [
      ['cc 05', 5],
      ['cd 0005', 5],
      ['ce 00000005', 5],
      ['cf 0000000000000005', 5],
      ['cf ffffffffffffffff', 2 ** 64],
      ['d0 ff', -1],
      ['d1 ffff', -1],
      ['d2 ffffffff', -1],
      ['d3 ffffffffffffffff', -1],
      ['ca 3fc00000', 1.5],
      ['d9 01 61', 'a'],
      ['da 0001 61', 'a'],
      ['db 00000001 61', 'a'],
      ['dc 0001 01', [1]],
      ['dd 00000001 01', [1]],
      ['de 0001 a161 01', { a: 1 }],
      ['df 00000001 a161 01', { a: 1 }],
      ['c4 02 0102', new Uint8Array([1, 2])],
      ['c5 0002 0102', new Uint8Array([1, 2])],
      ['c6 00000002 0102', new Uint8Array([1, 2])],
      ['d6 ff 00000001', '1970-01-01T00:00:01.000Z'],
      ['d7 ff 1dcd650000000001', '1970-01-01T00:00:01.125Z'],
      ['c7 0c ff 00000000 ffffffffffffffff', '1969-12-31T23:59:59.000Z'],
    ];
    for (const [bytes, value] of forms) expect(unpack(hex(bytes)), bytes).toEqual(value);
  });

  it('makes of a value what JSON makes of it', () => {
    const value = { at: new Date(1234), gone: undefined, list: [1, undefined] };
    expect(unpack(pack(value))).toEqual(JSON.parse(JSON.stringify(value)));
    expect(unpack(foreign.pack({ at: new Date(1234) }))).toEqual({ at: new Date(1234).toISOString() });
  });

  it('takes __proto__ for a key like any other', () => {
    const value = unpack(hex('81 a9 5f5f70726f746f5f5f 81 a161 01')) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(value.a).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it.each([
    ['', /ends/],
    ['dd ffffffff', /ends/],
    ['df ffffffff', /ends/],
    ['db ffffffff 61', /ends/],
    ['c6 ffffffff', /ends/],
    ['91', /ends/],
    ['c1', /no value/],
    ['01 01', /more bytes/],
    ['81 01 01', /not text/],
    ['a2 c328', /UTF-8/],
    ['d4 72 40', /extension/],
    ['d7 ff ffffffffffffffff 00', /more bytes/],
    ['c7 0c ff 00000000 7fffffffffffffff', /out of range/],
    ['91'.repeat(100_000), /deeper/],
  ])('refuses %.40s', (bytes, message) => {
    expect(refused(() => unpack(hex(bytes)))).toMatch(message);
  });

  it('holds no more values than allowed', () => {
    expect(unpack(hex('93 010203'), 4)).toEqual([1, 2, 3]);
    expect(refused(() => unpack(hex('93 010203'), 3))).toMatch(/too many/);
  });
});

describe('messages', () => {
  const messages: readonly Message[] = [
    { kind: 'request', id: 0, method: 'auth', params: { key: 'k' } },
    { kind: 'request', id: 2 ** 32 - 1, method: 'schema.get', params: undefined },
    { kind: 'response', id: 7, error: undefined, result: { count: 1 } },
    { kind: 'response', id: 7, error: { code: 'bad_request', message: 'no', path: '$.a' }, result: null },
    { kind: 'notification', method: 'segment.changed', params: { name: 's' } },
  ];

  it('come back as they were', () => {
    for (const message of messages) expect(unpackMessage(packMessage(message))).toEqual(message);
  });

  it('are MessagePack-RPC to any implementation', () => {
    expect(foreign.unpack(packMessage(messages[0]!))).toEqual([0, 0, 'auth', [{ key: 'k' }]]);
    expect(foreign.unpack(packMessage(messages[2]!))).toEqual([1, 7, null, { count: 1 }]);
    expect(foreign.unpack(packMessage(messages[4]!))).toEqual([2, 'segment.changed', [{ name: 's' }]]);
  });

  it.each([
    [[]],
    [{}],
    [[3, 1, 'a', []]],
    [[0, -1, 'a', []]],
    [[0, 1.5, 'a', []]],
    [[0, 2 ** 32, 'a', []]],
    [[0, 1, 2, []]],
    [[0, 1, 'a', {}]],
    [[0, 1, 'a', [1, 2]]],
    [[1, 1, 'text', null]],
    [[1, 1, { code: 'strange', message: '' }, null]],
    [[2, 'a']],
  ])('refuses %j', (message) => {
    expect(refused(() => unpackMessage(pack(message)))).not.toBe('');
  });

  it('fail only with bad_request, whatever the bytes are', () => {
    const random = new SeededRandom(2);
    for (let i = 0; i < 3000; i++) {
      const bytes = random.chance(0.5)
        ? random.bytes(random.below(60))
        : packMessage(random.pick(messages)).slice();
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
      try {
        unpackMessage(bytes, 1000);
      } catch (error) {
        expect(error).toBeInstanceOf(MusterError);
      }
    }
  });
});
