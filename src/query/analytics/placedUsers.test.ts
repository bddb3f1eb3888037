import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { SpareArrays } from '../../base/spareArrays.ts';
import { PlacedUsers } from './placedUsers.ts';
import { WideUsers } from './wideUsers.ts';

it('users of rows in batches, wherever these are cut, are those of a page', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const intervalCount = 1 + random.below(4);
    const keyEnd = 1 + random.below(5);
    const keyOfCode = Int32Array.from({ length: 1 + random.below(8) }, () => random.below(keyEnd));
    const rows: { user: number; interval: number; code: number }[] = [];
    for (let user = 0; user < 20; user++) {
      const own = Array.from({ length: random.below(10) }, () => random.below(intervalCount));
      for (const interval of own.sort()) rows.push({ user, interval, code: random.below(keyOfCode.length) });
    }

    const users = new WideUsers(intervalCount, undefined);
    const size = { codes: keyOfCode.length, intervals: intervalCount };
    const placed = new PlacedUsers(users, size, new SpareArrays(), (code) => keyOfCode[code]!);
    for (let from = 0; from < rows.length; ) {
      const batch: ((typeof rows)[number] & { size: number })[] = [];
      for (let left = 1 + random.below(random.pick([3, 50])); left > 0 && from < rows.length; left--) {
        const row = rows[from++]!;
        const last = batch.at(-1);
        const isAlike = last?.user === row.user && last.interval === row.interval && last.code === row.code;
        if (isAlike && random.chance(0.7)) last.size++;
        else batch.push({ ...row, size: 1 });
      }
      const column = (name: keyof (typeof batch)[number]) => Uint32Array.from(batch, (entry) => entry[name]);
      placed.add({
        count: batch.length,
        rows: () => new Uint32Array(0),
        users: column('user'),
        sizes: column('size'),
        places: [column('code'), column('interval')],
      });
    }
    const counts = Array.from(keyOfCode, (_, code) => rows.filter((row) => row.code === code).length);
    expect([...placed.finish()]).toEqual(counts);

    const expected = new Map<string, Set<number>>();
    for (const { user, interval, code } of rows) {
      const group = expected.get(`${user} ${interval}`) ?? new Set();
      expected.set(`${user} ${interval}`, group.add(keyOfCode[code]!));
    }
    const [all, alone] = [new Float64Array(users.all().length), new Float64Array(users.all().length)];
    const sets = new Map<string, number>();
    for (const [name, keys] of expected) {
      const interval = Number(name.split(' ')[1]);
      for (const key of keys) all[key * intervalCount + interval]!++;
      const others = [...keys].filter((key) => key !== 0).sort((a, b) => a - b);
      if (keys.size === 1) alone[[...keys][0]! * intervalCount + interval]!++;
      else if (others.length === 1) alone[others[0]! * intervalCount + interval]!++;
      else sets.set(`${interval}: ${others}`, (sets.get(`${interval}: ${others}`) ?? 0) + 1);
    }
    expect(users.all()).toEqual(all);
    expect(users.alone()).toEqual(alone);
    const found = users.sets();
    const names = Array.from(found.users, (_, i) => {
      return `${found.intervals[i]}: ${found.keys.subarray(found.starts[i], found.starts[i + 1])}`;
    });
    expect(new Map(names.map((name, i) => [name, found.users[i]!]))).toEqual(sets);
  }
});
