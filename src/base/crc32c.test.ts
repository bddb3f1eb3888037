import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';
import { SeededRandom } from './random.ts';

const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
const iscsiRead = Uint8Array.from(
  Buffer.from(
    '01c00000000000000000000000000000140000000000040000000014000000182800000000000000' + '0200000000000000',
    'hex',
  ),
);

test.each([
  ['nothing', new Uint8Array(0), 0],
  ['32 bytes of zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 bytes counting up', counting, 0x46dd794e],
  ['32 bytes counting down', counting.toReversed(), 0x113fdb5c],
  ['an iSCSI read command', iscsiRead, 0xd9963a56],
  ['the usual check value', new TextEncoder().encode('123456789'), 0xe3069283],
])('RFC 3720: %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('agrees with the bitwise definition at every length and alignment, and chains', () => {
  const bytes = new SeededRandom(1).bytes(100);
  for (let start = 0; start < 9; start++) {
    for (let end = start; end < 60; end++) {
      const part = bytes.subarray(start, end);
      const expected = bitwise(part);
      expect(crc32c(part)).toBe(expected);
      const middle = (start + end) >>> 1;
      expect(crc32c(bytes.subarray(middle, end), crc32c(bytes.subarray(start, middle)))).toBe(expected);
    }
  }
});

function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  }
  return ~crc >>> 0;
}
