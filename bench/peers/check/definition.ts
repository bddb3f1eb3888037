import type { Scalar } from '../../../src/base/value.ts';
import type { Measure, Within } from '../../../src/client/types.ts';

/** The part of the segment language (INTERFACE §4) that SQL can be asked for, as types. */
export type Criterion =
  | { readonly and: readonly Criterion[] }
  | { readonly or: readonly Criterion[] }
  | { readonly not: Criterion }
  | ({ readonly profile: string } & Test)
  | EventCriterion
  | SequenceCriterion;

/** With one measure at most. */
export type EventCriterion = Filter & { readonly within?: Within } & Omit<Measure, 'lastValue'> & {
    readonly lastValue?: PropertyTest;
  };

/** Of two steps, or of three that are of different event names. */
export interface SequenceCriterion {
  readonly sequence: readonly (Filter & { readonly within?: string })[];
  readonly within?: Within;
}

export interface Filter {
  readonly event: readonly string[];
  readonly where?: readonly PropertyTest[];
}

export type PropertyTest = { readonly prop: string } & Test;

export type Test =
  | { readonly op: 'exists' | 'notExists' }
  | { readonly op: 'in' | 'notIn'; readonly value: readonly Scalar[] }
  | { readonly op: 'eq' | 'neq' | 'contains' | 'notContains'; readonly value: Scalar }
  | { readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly value: string | number }
  | { readonly op: 'between'; readonly value: readonly [string | number, string | number] }
  | { readonly op: 'startsWith' | 'endsWith' | 'matches'; readonly value: string };
