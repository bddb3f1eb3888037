import { expect, it } from 'vitest';
import { Fifo } from './fifo.ts';
import { SeededRandom } from './random.ts';

it('takes in the order of pushing', () => {
  const random = new SeededRandom(1);
  const fifo = new Fifo<number>();
  const plain: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    if (random.chance(i < 5000 ? 0.6 : 0.4)) {
      fifo.push(i);
      plain.push(i);
    } else expect(fifo.take()).toBe(plain.shift());
    expect([fifo.length, fifo.first, fifo.last]).toEqual([plain.length, plain[0], plain.at(-1)]);
  }
});
