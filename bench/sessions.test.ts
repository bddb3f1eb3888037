import { describe, expect, it } from 'vitest';
import { SESSION_NAMES, SESSION_PERIOD, sessionChecksum, sessionColumns } from './sessions.ts';

const OPTIONS = { seed: 1, events: 400_000, users: 20_000 };

describe('sessions', () => {
  const columns = sessionColumns(OPTIONS);
  const { user, timeMs, event, city, platform, amountCents, product } = columns;
  const rows = [...event.keys()];
  const share = (test: (row: number) => boolean) => rows.filter(test).length / rows.length;
  const named = (...names: string[]) => new Set(names.map((name) => SESSION_NAMES.event.indexOf(name)));

  it('are the same for the same seed', () => {
    expect(sessionChecksum(columns)).toBe('0c0f31fed94e');
    expect(sessionChecksum(sessionColumns({ ...OPTIONS, seed: 2 }))).not.toBe('0c0f31fed94e');
  });

  it('come in the order of time and fill the period', () => {
    expect(rows.every((row) => row === 0 || timeMs[row]! >= timeMs[row - 1]!)).toBe(true);
    expect(timeMs[0]).toBeGreaterThanOrEqual(SESSION_PERIOD.startMs);
    expect(timeMs.at(-1)).toBeLessThan(SESSION_PERIOD.endMs);
    expect(timeMs.at(-1)).toBeGreaterThan(SESSION_PERIOD.endMs - 3_600_000);
  });

  it('have codes that mean something', () => {
    expect(Math.max(...new Set(user))).toBeLessThan(OPTIONS.users);
    for (const [name, codes] of Object.entries({ event, city, platform, product })) {
      const known = SESSION_NAMES[name as keyof typeof SESSION_NAMES].length;
      expect(new Set<number>(codes).size).toBe(known);
      expect(Math.max(...new Set(codes))).toBe(known - 1);
    }
  });

  it('have products and amounts on the events that are about them', () => {
    const withProduct = named('Product Viewed', 'Product Added', 'Product Removed', 'Order Completed');
    const purchases = named('Order Completed');
    expect(rows.every((row) => product[row]! > 0 === withProduct.has(event[row]!))).toBe(true);
    expect(rows.every((row) => amountCents[row]! > 0 === purchases.has(event[row]!))).toBe(true);
    expect(share((row) => product[row]! > 0)).toBeCloseTo(0.42, 1);
    expect(share((row) => amountCents[row]! > 0)).toBeCloseTo(0.1, 1);
  });

  it('have about six events, and few users with many of them', () => {
    const starts = named('Session Started');
    expect(1 / share((row) => starts.has(event[row]!))).toBeCloseTo(6.4, 0);
    const counts = new Uint32Array(OPTIONS.users);
    for (const each of user) counts[each]!++;
    const busiest = counts.toSorted().subarray(-OPTIONS.users / 100);
    expect(busiest.reduce((sum, count) => sum + count, 0) / rows.length).toBeCloseTo(0.12, 1);
  });
});
