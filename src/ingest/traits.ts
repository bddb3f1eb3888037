import { badRequest } from '../base/errors.ts';
import type { TraitOperation } from '../log/record.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Names } from './names.ts';
import { keptScalars, keptValue } from './values.ts';

export interface Traits {
  readonly operations: readonly TraitOperation[];
  readonly droppedValues: number;
}

/**
 * The operations that `traits` ask for (INTERFACE §2), with every trait's name behind `prefix`. Throws bad_request for
 * a malformed operation, before any name is declared.
 */
export function traitsOf(names: Names, prefix: string, traits: JsonObject, path: string): Traits {
  const wanted: (TraitOperation | undefined)[] = [];
  gather(wanted, prefix, traits, path);
  const operations: TraitOperation[] = [];
  for (const operation of wanted) {
    const trait = operation && names.trait(operation.trait);
    if (operation === undefined || trait === undefined) continue;
    operations.push(trait === operation.trait ? operation : { ...operation, trait });
  }
  return { operations, droppedValues: wanted.length - operations.length };
}

/** `wanted` gets undefined for a value over a limit. */
function gather(
  wanted: (TraitOperation | undefined)[],
  prefix: string,
  object: JsonObject,
  path: string,
): void {
  for (const key in object) {
    const trait = prefix + key;
    const raw = object[key];
    if (raw === null) wanted.push({ op: 'unset', trait });
    else if (!isObject(raw)) wanted.push(set('set', trait, raw));
    else if (Object.keys(raw).some((name) => name.startsWith('$'))) {
      wanted.push(operationOf(trait, raw, `${path}.${key}`));
    } else gather(wanted, `${trait}.`, raw, `${path}.${key}`);
  }
}

function operationOf(trait: string, object: JsonObject, path: string): TraitOperation | undefined {
  const [entry, ...others] = Object.entries(object);
  if (entry === undefined || others.length > 0)
    throw badRequest('must hold one operation and nothing else', path);
  const [operator, raw] = entry;
  switch (operator) {
    case '$add':
    case '$remove': {
      if (!Array.isArray(raw) || raw.some((element) => typeof element === 'object')) {
        throw badRequest(`${operator} must be an array of text, numbers and booleans`, path);
      }
      const elements = keptScalars(raw);
      return elements && { op: operator === '$add' ? 'add' : 'remove', trait, elements };
    }
    case '$inc':
      if (typeof raw !== 'number' || !Number.isFinite(raw)) throw badRequest('$inc must be a number', path);
      return { op: 'increment', trait, by: raw };
    case '$setOnce':
      if (raw === null || isObject(raw)) throw badRequest('$setOnce must be a value', path);
      return set('setOnce', trait, raw);
    default:
      throw badRequest('is no operation: $add, $remove, $inc, $setOnce', path);
  }
}

function set(op: 'set' | 'setOnce', trait: string, raw: unknown): TraitOperation | undefined {
  const value = keptValue(raw);
  return value === undefined ? undefined : { op, trait, value };
}
