import { unreachable } from '../../base/assert.ts';
import { ARRAY_VALUES_MAX, TRAIT_INCREMENTS_MAX } from '../../base/limits.ts';
import { isArray, type Scalar, type Value } from '../../base/value.ts';
import type { TraitOperation } from '../../log/record.ts';

/**
 * What must be kept of one trait of one user so that operations give the same value in whatever order they arrive
 * (INTERFACE §2). Never changed in place; plain JSON. The rules:
 *
 * 1. The start is the last `set` or `unset`: the later time, at equal times the later arrival. Where there was neither,
 *    it is the earliest `setOnce`, taken as older than every other operation. An unset start, or none, is no value.
 * 2. Operations newer than the start count (as new, and arrived later, is newer); a `set` ends all older ones.
 * 3. Increments add up on a number; where there is no value, on 0.
 * 4. Of each element the last `add` or `remove` decides. They work on an array; where there is no value, and no
 *    increment, on an empty one, which is a value while it has elements.
 * 5. Operations on a value of another type change nothing while that value stands.
 *
 * Bounds, past which the order of arrival may show: of increments older than the last TRAIT_INCREMENTS_MAX only the sum
 * and the latest time are kept; an `add` to a full array is dropped; so is the oldest removal past ARRAY_VALUES_MAX of
 * them, which an even older `add` arriving late would then undo.
 */
export interface TraitState {
  /** The last set; null for unset. */
  readonly set?: Timed<Value | null>;
  /** The earliest setOnce; not kept once there is a `set`. */
  readonly once?: Timed<Value>;
  /** By time, then arrival. */
  readonly increments: readonly Timed<number>[];
  /** The last operation on each element, by time, then arrival. */
  readonly elements: readonly ElementState[];
}

export interface Timed<T> {
  readonly value: T;
  readonly timeMs: number;
}

export interface ElementState extends Timed<Scalar> {
  readonly isIn: boolean;
}

/** Counts what is lost to a limit. */
export interface Drops {
  droppedValues: number;
}

export const NO_STATE: TraitState = { increments: [], elements: [] };

export function applyOperation(
  state: TraitState,
  operation: TraitOperation,
  timeMs: number,
  drops: Drops,
): TraitState {
  switch (operation.op) {
    case 'set':
      return withSet(state, { value: operation.value, timeMs });
    case 'unset':
      return withSet(state, { value: null, timeMs });
    case 'setOnce':
      if (state.set !== undefined || (state.once !== undefined && state.once.timeMs <= timeMs)) return state;
      return { ...state, once: { value: operation.value, timeMs } };
    case 'increment':
      if (timeMs < startMs(state)) return state;
      return withIncrement(state, { value: operation.by, timeMs });
    case 'add':
    case 'remove': {
      if (timeMs < startMs(state)) return state;
      const isIn = operation.op === 'add';
      return operation.elements.reduce(
        (before: TraitState, value) => withElement(before, { value, timeMs, isIn }, drops),
        state,
      );
    }
    default:
      return unreachable(operation);
  }
}

export function traitValue(state: TraitState): Value | undefined {
  const start = startOf(state);
  if (start === null ? state.increments.length > 0 : typeof start === 'number') {
    return state.increments.reduce((sum, { value }) => addFinite(sum, value), (start ?? 0) as number);
  }
  if (start !== null && !isArray(start)) return start;
  const array = withElements(start ?? [], state.elements);
  return start === null && array.length === 0 ? undefined : array;
}

/** Whether there is a value: quicker than making it. */
export function hasValue(state: TraitState): boolean {
  return startOf(state) !== null || state.increments.length > 0 || state.elements.some(({ isIn }) => isIn);
}

/**
 * The known user's state after a merge: the known user's start stands (the anonymous user's where there is none), the
 * increments of both add up, and elements that the anonymous user added or removed stay so unless the known user's own
 * state says something about the element. Operations older than the start that stands count as made with it.
 */
export function merged(known: TraitState, anonymous: TraitState, drops: Drops): TraitState {
  const start = known.set === undefined && known.once === undefined ? anonymous : known;
  const fromMs = startMs(start);
  const raised = <T extends Timed<unknown>>(operation: T): T =>
    operation.timeMs < fromMs ? { ...operation, timeMs: fromMs } : operation;

  let state: TraitState = {
    ...(start.set === undefined ? {} : { set: start.set }),
    ...(start.once === undefined ? {} : { once: start.once }),
    increments: known.increments.map(raised),
    elements: known.elements.map(raised),
  };
  const own = new Set<Scalar>(known.elements.map(({ value }) => value));
  const knownStart = startOf(known);
  if (knownStart !== null && isArray(knownStart)) for (const element of knownStart) own.add(element);
  for (const increment of anonymous.increments) state = withIncrement(state, raised(increment));
  for (const element of anonymous.elements) {
    if (!own.has(element.value)) state = withElement(state, raised(element), drops);
  }
  return state;
}

function startOf(state: TraitState): Value | null {
  return state.set === undefined ? (state.once?.value ?? null) : state.set.value;
}

function startMs(state: TraitState): number {
  return state.set?.timeMs ?? Number.NEGATIVE_INFINITY;
}

function withSet(state: TraitState, set: Timed<Value | null>): TraitState {
  if (set.timeMs < startMs(state)) return state;
  const isNewer = ({ timeMs }: Timed<unknown>) => timeMs > set.timeMs;
  return { set, increments: state.increments.filter(isNewer), elements: state.elements.filter(isNewer) };
}

function withIncrement(state: TraitState, increment: Timed<number>): TraitState {
  const increments = inserted(state.increments, increment);
  if (increments.length > TRAIT_INCREMENTS_MAX) {
    const [oldest, next] = increments.splice(0, 2) as [Timed<number>, Timed<number>];
    increments.unshift({ value: addFinite(oldest.value, next.value), timeMs: next.timeMs });
  }
  return { ...state, increments };
}

function withElement(state: TraitState, element: ElementState, drops: Drops): TraitState {
  const before = state.elements.find(({ value }) => value === element.value);
  if (before !== undefined && before.timeMs > element.timeMs) return state;
  const others = before === undefined ? state.elements : state.elements.filter((other) => other !== before);
  if (element.isIn && !before?.isIn && !hasRoom(state, element.value)) {
    drops.droppedValues++;
    return state;
  }
  const elements = inserted(others, element);
  if (!element.isIn && elements.filter(({ isIn }) => !isIn).length > ARRAY_VALUES_MAX) {
    elements.splice(
      elements.findIndex(({ isIn }) => !isIn),
      1,
    );
  }
  return { ...state, elements };
}

/** Whether the array may get this element, which was not added before. */
function hasRoom(state: TraitState, element: Scalar): boolean {
  const start = startOf(state);
  if (start !== null && isArray(start)) {
    const array = withElements(start, state.elements);
    return array.length < ARRAY_VALUES_MAX || array.includes(element);
  }
  return state.elements.filter(({ isIn }) => isIn).length < ARRAY_VALUES_MAX;
}

/** The start without what was removed, then what was added; cut where a late `set` made it too long. */
function withElements(start: readonly Scalar[], elements: readonly ElementState[]): readonly Scalar[] {
  if (elements.length === 0) return start;
  const removed = new Set(elements.filter(({ isIn }) => !isIn).map(({ value }) => value));
  const array = new Set(start.filter((element) => !removed.has(element)));
  for (const { value, isIn } of elements) if (isIn) array.add(value);
  return [...array].slice(0, ARRAY_VALUES_MAX);
}

/** A copy with the operation behind those of the same time. */
function inserted<T extends Timed<unknown>>(operations: readonly T[], operation: T): T[] {
  const after = operations.findIndex(({ timeMs }) => timeMs > operation.timeMs);
  const copy = [...operations];
  copy.splice(after === -1 ? copy.length : after, 0, operation);
  return copy;
}

/** Values are finite: a sum past the largest double stays there. */
function addFinite(a: number, b: number): number {
  return Math.min(Math.max(a + b, -Number.MAX_VALUE), Number.MAX_VALUE);
}
