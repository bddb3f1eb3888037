import { toUSVString } from 'node:util';
import fc from 'fast-check';
import { SeededRandom } from '../../base/random.ts';

/** Texts of all kinds: empty, not ASCII, lone surrogates, ids, and long ones. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\ud800', 'a\udc00b', '\ufffd', 'é', '🙂', '0', '00'),
  fc.nat().map(String),
  fc.string({ unit: fc.constantFrom('a', 'é', '語'), minLength: 60, maxLength: 1024 }),
);

/** The oracle of what texts are kept as. */
export function wellFormed(text: string): string {
  return toUSVString(text);
}

/** Lists as real columns have them, so many texts each that they take several groups. */
export function columnTexts(seed: number): Readonly<Record<string, readonly string[]>> {
  const random = new SeededRandom(seed);
  const words = Array.from({ length: 300 }, () => random.uint32().toString(36));
  const made = (count: number, text: () => string) => Array.from({ length: count }, text);
  return {
    none: [],
    empty: ['', '', ''],
    hex: made(6000, () => random.uint32().toString(16).padStart(12, '0')),
    decimals: made(9000, () => String(random.below(1e9))),
    subjects: made(2500, () => made(2 + random.below(8), () => random.pick(words)).join(' ')),
    unlike: made(100, () =>
      String.fromCharCode(...made(random.below(40), () => '').map(() => random.below(0x10000))),
    ),
    long: made(60, () => JSON.stringify(made(random.below(20), () => random.pick(words).repeat(100)))),
    longest: [JSON.stringify(made(100, () => 'x'.repeat(1000))), 'é'.repeat(500_000), 'y'.repeat(70_000)],
  };
}
