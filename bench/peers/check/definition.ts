/** The part of the segment language (INTERFACE §4) that SQL can be asked for, as types. */
export type Criterion =
  | { readonly and: readonly Criterion[] }
  | { readonly or: readonly Criterion[] }
  | { readonly not: Criterion }
  | ({ readonly profile: string } & Test)
  | EventCriterion
  | SequenceCriterion;

/** With one measure at most. */
export interface EventCriterion extends Filter {
  readonly within?: Within;
  readonly count?: Comparison;
  readonly days?: Comparison;
  readonly sum?: PropertyComparison;
  readonly avg?: PropertyComparison;
  readonly min?: PropertyComparison;
  readonly max?: PropertyComparison;
  readonly distinct?: PropertyComparison;
  readonly first?: Within;
  readonly last?: Within;
  readonly lastValue?: PropertyTest;
  readonly mostFrequent?: { readonly prop: string; readonly value: Scalar };
}

/** Of two steps, or of three that are of different event names. */
export interface SequenceCriterion {
  readonly sequence: readonly (Filter & { readonly within?: string })[];
  readonly within?: Within;
}

export interface Filter {
  readonly event: readonly string[];
  readonly where?: readonly PropertyTest[];
}

export type Within =
  | { readonly last: string }
  | { readonly from?: string; readonly to?: string }
  | { readonly on: string };

export type Scalar = string | number | boolean;

export type PropertyTest = { readonly prop: string } & Test;

export type Test =
  | { readonly op: 'exists' | 'notExists' }
  | { readonly op: 'in' | 'notIn'; readonly value: readonly Scalar[] }
  | { readonly op: 'eq' | 'neq' | 'contains' | 'notContains'; readonly value: Scalar }
  | { readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly value: string | number }
  | { readonly op: 'between'; readonly value: readonly [string | number, string | number] }
  | { readonly op: 'startsWith' | 'endsWith' | 'matches'; readonly value: string };

export type Comparison = Readonly<Partial<Record<'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte', number>>> & {
  readonly between?: readonly [number, number];
};

export type PropertyComparison = { readonly prop: string } & Comparison;
