import { badRequest } from '../../base/errors.ts';
import { asName, asObject, onlyKey } from '../shape.ts';

/** What is told of the events of a cell: how many they are or whose, or what numbers they have of a property. */
export type CellMeasure =
  | { readonly kind: 'events' | 'users'; readonly prop?: undefined }
  | { readonly kind: 'sum' | 'avg' | 'min' | 'max'; readonly prop: string };

export function parseCellMeasure(json: unknown, path: string): CellMeasure {
  if (json === 'events' || json === 'users') return { kind: json };
  if (typeof json === 'string' || json === undefined) {
    throw badRequest('must be events, users, or one of sum, avg, min, max of a property', path);
  }
  const object = asObject(json, path);
  const kind = onlyKey(object, path, ['sum', 'avg', 'min', 'max']);
  return { kind, prop: asName(object[kind], `${path}.${kind}`) };
}
