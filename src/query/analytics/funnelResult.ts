import { DURATIONS_PER_STEP, type Durations, medianSteps } from './durations.ts';
import type { FunnelPart, FunnelResult, FunnelStep } from './funnel.ts';
import { topKeysSteps } from './topKeys.ts';

/** Of one tablet, or of a key's users there. */
interface StepPart {
  readonly users: number;
  readonly durationsMs: Durations;
}

/** What the steps of all parts are together. */
export function* funnelSteps(
  parts: readonly (readonly StepPart[])[],
): Generator<void, readonly FunnelStep[]> {
  const steps: FunnelStep[] = [];
  for (let step = 0; step < (parts[0]?.length ?? 0); step++) {
    const users = parts.reduce((total, part) => total + part[step]!.users, 0);
    const medianMs = yield* medianSteps(parts.map((part) => part[step]!.durationsMs));
    steps.push({
      users,
      fromStart: share(users, steps[0]?.users ?? users),
      fromPrevious: share(users, steps.at(-1)?.users ?? users),
      medianMs: medianMs ?? null,
    });
  }
  return steps;
}

function share(users: number, of: number): number {
  return of === 0 ? 0 : users / of;
}

/** The same for the users of each of the top keys, by how many entered; then for the others and those without, if any. */
export function* funnelByKeySteps(
  parts: readonly FunnelPart[],
  top: number,
): Generator<void, NonNullable<FunnelResult['breakdown']>> {
  const entered = parts.map(({ steps, keys }) => ({ keys, weights: countKeys(steps[0]!.keys, keys.length) }));
  const { keys, slots } = yield* topKeysSteps(entered, top);
  const bySlot: StepPart[][][] = keys.map(() => []);
  for (const [part, { steps }] of parts.entries()) {
    for (const ofSlot of bySlot) ofSlot.push([]);
    for (const step of steps) {
      const apart = yield* bySlotSteps(step, slots[part]!, keys.length);
      for (const [slot, own] of apart.entries()) bySlot[slot]!.at(-1)!.push(own);
    }
  }
  const breakdown: NonNullable<FunnelResult['breakdown']>[number][] = [];
  for (const [slot, key] of keys.entries()) {
    const steps = yield* funnelSteps(bySlot[slot]!);
    if (steps[0] !== undefined && steps[0].users > 0) breakdown.push({ key, steps });
  }
  return breakdown;
}

function countKeys(keys: Uint32Array, keyCount: number): Uint32Array {
  const counts = new Uint32Array(keyCount);
  for (let i = 0; i < keys.length; i++) counts[keys[i]!]!++;
  return counts;
}

/** Those who got to a step, apart by the slot of their key. */
function* bySlotSteps(
  { keys, durationsMs }: FunnelPart['steps'][number],
  slots: Uint32Array,
  slotCount: number,
): Generator<void, readonly StepPart[]> {
  const counts = new Uint32Array(slotCount);
  for (let i = 0; i < keys.length; i++) counts[slots[keys[i]!]!]!++;
  yield;
  // The first step has users but no durations.
  const lengthOf = (users: number) => (durationsMs.length === 0 ? 0 : users);
  const parts = Array.from(counts, (users) => ({
    users,
    durationsMs:
      durationsMs instanceof Uint32Array
        ? new Uint32Array(lengthOf(users))
        : new Float64Array(lengthOf(users)),
  }));
  const filled = new Uint32Array(slotCount);
  for (let from = 0; from < durationsMs.length; from += DURATIONS_PER_STEP) {
    const to = Math.min(from + DURATIONS_PER_STEP, durationsMs.length);
    for (let i = from; i < to; i++) {
      const slot = slots[keys[i]!]!;
      parts[slot]!.durationsMs[filled[slot]!++] = durationsMs[i]!;
    }
    yield;
  }
  return parts;
}
