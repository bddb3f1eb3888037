import type { Value } from '../base/value.ts';
import type { JsonObject } from './json.ts';
import { isObject } from './json.ts';
import type { Names } from './names.ts';
import { keptValue } from './values.ts';

/** What is kept of `context`, besides all of `campaign`. The address of the sender never is. */
const CONTEXT_FIELDS = contextFields({
  library: ['name'],
  device: ['type'],
  os: ['name', 'version'],
  app: ['version'],
  page: ['path', 'referrer'],
});
const CONTEXT_SCALARS = ['locale', 'timezone'].map((field) => ({ field, name: `$context.${field}` }));

function contextFields(groups: Record<string, readonly string[]>) {
  return Object.entries(groups).map(([group, fields]) => ({
    group,
    fields: fields.map((field) => ({ field, name: `$context.${group}.${field}` })),
  }));
}

/** The properties of one event: flattened, checked, and without what is over a limit. */
export class Properties {
  readonly values: Record<string, Value> = {};
  droppedValues = 0;
  readonly #names: Names;
  readonly #event: string;

  constructor(names: Names, event: string) {
    this.#names = names;
    this.#event = event;
  }

  /** Adds all of `object`, under `prefix` when it is not empty. Nested objects join their names with dots. */
  addAll(prefix: string, object: JsonObject): void {
    for (const key in object) this.add(prefix === '' ? key : `${prefix}.${key}`, object[key]);
  }

  add(name: string, raw: unknown): void {
    if (raw === null || raw === undefined) return;
    if (isObject(raw)) {
      this.addAll(name, raw);
      return;
    }
    const value = keptValue(raw);
    const property = value === undefined ? undefined : this.#names.property(this.#event, name);
    if (value === undefined || property === undefined) this.droppedValues++;
    else this.values[property] = value;
  }

  addContext(context: JsonObject): void {
    for (const { group, fields } of CONTEXT_FIELDS) {
      const object = context[group];
      if (!isObject(object)) continue;
      for (const { field, name } of fields) this.#addScalar(name, object[field]);
    }
    for (const { field, name } of CONTEXT_SCALARS) this.#addScalar(name, context[field]);
    if (isObject(context.campaign)) this.addAll('$context.campaign', context.campaign);
  }

  #addScalar(name: string, raw: unknown): void {
    if (typeof raw !== 'object') this.add(name, raw);
  }
}
