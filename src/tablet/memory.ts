import { Block } from '../store/blocks/block.ts';
import type { Tablet } from './tablet.ts';

/** Bytes by part; where a part is made of things with names, by these, and in brackets what is of no single one. */
export type Memory = Readonly<Record<string, number | BytesByName>>;
export type BytesByName = Readonly<Record<string, number>>;

/** In small steps. */
export function* memoryOf(tablet: Tablet): Generator<void, Memory> {
  const blocks = yield* blocksByColumn(tablet);
  return {
    ...tablet.events.memory(),
    blocks,
    users: tablet.users.memoryBytes + tablet.erasures.memoryBytes,
    profiles: tablet.profiles.memoryByTrait(),
    dedupe: tablet.dedupe.memoryBytes,
    live: tablet.live.memoryBySegment(),
    outbox: tablet.outbox.memoryBytes,
    deadLetters: tablet.deadLetters.memoryBytes,
  };
}

/** Each has the same parts. */
export function sumOfMemory(memories: readonly Memory[]): Memory {
  const parts = Object.keys(memories[0] ?? {});
  return Object.fromEntries(
    parts.map((part) => {
      const all = memories.map((memory) => memory[part]!);
      const numbers = all.filter((bytes) => typeof bytes === 'number');
      return numbers.length === all.length
        ? [part, totalOf(numbers)]
        : [part, sumByName(all.filter((bytes) => typeof bytes !== 'number'))];
    }),
  );
}

/** A part's bytes as one number. */
export function bytesByPart(memory: Memory): BytesByName {
  const parts = Object.entries(memory).map(([part, bytes]) => [part, bytesOf(bytes)] as const);
  return Object.fromEntries(parts);
}

/** Only the parts whose bytes are known by name. */
export function bytesByName(memory: Memory): Readonly<Record<string, BytesByName>> {
  const parts = Object.entries(memory).flatMap(([part, bytes]) =>
    typeof bytes === 'number' ? [] : [[part, bytes] as const],
  );
  return Object.fromEntries(parts);
}

export function memoryBytes(memory: Memory): number {
  return totalOf(Object.values(memory).map(bytesOf));
}

/** Of a property, its values and the texts that only a block has. */
function* blocksByColumn(tablet: Tablet): Generator<void, BytesByName> {
  const sums = new Map<string, number>();
  for (const part of tablet.events.parts()) {
    if (!(part instanceof Block)) continue;
    const { directory, users, events, times, properties } = part.memoryByColumn();
    const streams: [string, number][] = [
      ['(directory)', directory],
      ['(users)', users],
      ['(events)', events],
      ['(times)', times],
    ];
    for (const [code, { values, texts }] of properties) {
      const name = tablet.schema.propertyName(code);
      streams.push([name, values]);
      if (texts > 0) streams.push([`${name} (texts)`, texts]);
    }
    const named = totalOf(streams.map(([, bytes]) => bytes));
    addTo(sums, [...streams, ['(objects)', part.memoryBytes - named]]);
    yield;
  }
  return Object.fromEntries(sums);
}

function bytesOf(bytes: number | BytesByName): number {
  return typeof bytes === 'number' ? bytes : totalOf(Object.values(bytes));
}

/** Names are those of any. */
export function sumByName(all: readonly BytesByName[]): BytesByName {
  const sums = new Map<string, number>();
  for (const bytes of all) addTo(sums, Object.entries(bytes));
  return Object.fromEntries(sums);
}

function addTo(sums: Map<string, number>, bytes: readonly (readonly [string, number])[]): void {
  for (const [name, n] of bytes) sums.set(name, (sums.get(name) ?? 0) + n);
}

function totalOf(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
