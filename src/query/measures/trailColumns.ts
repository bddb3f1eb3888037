import type { Value } from '../../base/value.ts';
import { readTrail, type TrailRow } from '../../store/trail.ts';
import type { TabletView } from '../../store/view.ts';
import { matchesEvent, type WantedEvents } from '../filter.ts';
import { NO_VALUE, ValueIds } from '../valueIds.ts';
import type { EventColumns } from './columns.ts';

/** One user's events of the kinds wanted, as columns, read by walking that user's trail only. */
export class TrailColumns implements EventColumns {
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
  readonly values = new ValueIds();
  readonly #view: TabletView;
  readonly #rows: readonly TrailRow[];

  constructor(view: TabletView, user: number, wanted: readonly WantedEvents[]) {
    this.#view = view;
    const range = {
      fromMs: Math.min(...wanted.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...wanted.map(({ toMs }) => toMs)),
    };
    const trail = readTrail(view.events, [user, ...view.users.mergedInto(user)], range);
    const found = trail
      .map((row) => [row, kindsOf(view, row, wanted)] as const)
      .filter(([, kinds]) => kinds !== 0);
    this.#rows = found.map(([row]) => row);
    this.timesMs = Float64Array.from(this.#rows, ({ timeMs }) => timeMs);
    this.kinds = Uint32Array.from(found, ([, kinds]) => kinds);
  }

  get count(): number {
    return this.#rows.length;
  }

  numbers(prop: string): Float64Array {
    const numberOf = (value: Value | undefined) => (typeof value === 'number' ? value : Number.NaN);
    return Float64Array.from(this.#valuesOf(prop), numberOf);
  }

  valueIds(prop: string): Uint32Array {
    const idOf = (value: Value | undefined) => (value === undefined ? NO_VALUE : this.values.idOf(value));
    return Uint32Array.from(this.#valuesOf(prop), idOf);
  }

  #valuesOf(prop: string): readonly (Value | undefined)[] {
    const code = this.#view.schema.propertyCode(prop);
    return this.#rows.map(({ part, row }) => (code === undefined ? undefined : part.valueAt(row, code)));
  }
}

function kindsOf(
  { schema }: TabletView,
  { part, row, timeMs }: TrailRow,
  wanted: readonly WantedEvents[],
): number {
  const event = schema.eventName(part.eventAt(row));
  const property = (prop: string) => {
    const code = schema.propertyCode(prop);
    return code === undefined ? undefined : part.valueAt(row, code);
  };
  let kinds = 0;
  for (const [kind, { filter, fromMs, toMs }] of wanted.entries()) {
    if (timeMs < fromMs || timeMs >= toMs) continue;
    if (matchesEvent(filter, event, property)) kinds |= 1 << kind;
  }
  return kinds;
}
