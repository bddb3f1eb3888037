import { unreachable } from '../base/assert.ts';
import type { Criterion } from '../query/criterion.ts';
import { byMatches } from '../query/firstLast.ts';
import { parseSaved } from '../query/saved.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition } from './condition.ts';
import { CountCondition, canKeepTimes } from './countCondition.ts';
import { MemberSet } from './memberSet.ts';
import { ProfileCondition } from './profileCondition.ts';
import { RecomputedCondition } from './recomputedCondition.ts';
import { SampleCondition } from './sampleCondition.ts';
import { isWalked, WalkedCondition } from './walkedCondition.ts';

/** A live segment: a tree of tests over shared conditions, and who is in. */
export interface Rule {
  readonly name: string;
  readonly criterion: Criterion;
  /** Whether a user is in, as the conditions stand; for users only. */
  readonly test: Test;
  /** By a key that is equal for equal conditions under equal settings. */
  readonly conditions: ReadonlyMap<string, Condition>;
  /** Saved segments that the definition leads to. */
  readonly references: ReadonlySet<string>;
  readonly members: MemberSet;
}

type Test = (ordinal: number, atMs: number) => boolean;
type LeafCriterion = Extract<Criterion, { readonly kind: 'event' | 'sequence' | 'profile' | 'sample' }>;

/** A rule without members yet, on `shared` conditions where there are equal ones, on new ones elsewhere. */
export function compileRule(
  view: TabletView,
  name: string,
  criterion: Criterion,
  shared: ReadonlyMap<string, Condition>,
): Rule {
  const compiler = new Compiler(view, shared);
  const test = compiler.compileRoot(name, criterion);
  const { conditions, references } = compiler;
  return { name, criterion, test, conditions, references, members: new MemberSet() };
}

class Compiler {
  readonly conditions = new Map<string, Condition>();
  readonly references = new Set<string>();
  readonly #view: TabletView;
  readonly #shared: ReadonlyMap<string, Condition>;
  readonly #saved = new Map<string, Test>();
  /** Grows with every question that the root is asked. */
  #question = 0;

  constructor(view: TabletView, shared: ReadonlyMap<string, Condition>) {
    this.#view = view;
    this.#shared = shared;
  }

  compileRoot(name: string, criterion: Criterion): Test {
    this.#saved.set(name, NOBODY);
    const test = this.#compile(criterion);
    return (ordinal, atMs) => {
      this.#question++;
      return test(ordinal, atMs);
    };
  }

  #compile(criterion: Criterion): Test {
    switch (criterion.kind) {
      case 'all':
        return EVERYBODY;
      case 'and': {
        const tests = criterion.criteria.map((inner) => this.#compile(inner));
        return (ordinal, atMs) => tests.every((test) => test(ordinal, atMs));
      }
      case 'or': {
        const tests = criterion.criteria.map((inner) => this.#compile(inner));
        return (ordinal, atMs) => tests.some((test) => test(ordinal, atMs));
      }
      case 'not': {
        const test = this.#compile(criterion.criterion);
        return (ordinal, atMs) => !test(ordinal, atMs);
      }
      case 'segment':
        return this.#compileSaved(criterion.name);
      case 'event': {
        const { filter, measure } = criterion;
        return measure.kind === 'first' || measure.kind === 'last'
          ? this.#compile(byMatches(filter, measure))
          : this.#compileLeaf(criterion);
      }
      case 'sequence':
      case 'profile':
      case 'sample':
        return this.#compileLeaf(criterion);
      default:
        return unreachable(criterion);
    }
  }

  #compileLeaf(criterion: LeafCriterion): Test {
    const condition = this.#conditionOf(criterion);
    return (ordinal, atMs) => condition.isTrue(ordinal, atMs);
  }

  /** Asked at most once a question: segments that share others would take exponential time. */
  #compileSaved(name: string): Test {
    const known = this.#saved.get(name);
    if (known !== undefined) return known;
    this.references.add(name);
    const criterion = parseSaved(name, (saved) => this.#view.savedSegment(saved));
    this.#saved.set(name, NOBODY); // while it is compiled: what leads in a circle leads to nobody
    const test = criterion === undefined ? NOBODY : this.#compile(criterion);
    let answered = 0;
    let answer = false;
    const testOnce: Test = (ordinal, atMs) => {
      if (answered !== this.#question) {
        answer = test(ordinal, atMs);
        answered = this.#question;
      }
      return answer;
    };
    this.#saved.set(name, testOnce);
    return testOnce;
  }

  #conditionOf(criterion: LeafCriterion): Condition {
    const { timezone, retentionMs } = this.#view.settings;
    const key = JSON.stringify([criterion, timezone, retentionMs]);
    const condition =
      this.conditions.get(key) ?? this.#shared.get(key) ?? newCondition(this.#view, criterion);
    this.conditions.set(key, condition);
    return condition;
  }
}

const EVERYBODY: Test = () => true;
const NOBODY: Test = () => false;

function newCondition(view: TabletView, criterion: LeafCriterion): Condition {
  switch (criterion.kind) {
    case 'event':
      if (canKeepTimes(criterion)) return new CountCondition(view, criterion);
      return isWalked(criterion)
        ? new WalkedCondition(view, criterion)
        : new RecomputedCondition(view, criterion);
    case 'sequence':
      return isWalked(criterion)
        ? new WalkedCondition(view, criterion)
        : new RecomputedCondition(view, criterion);
    case 'profile':
      return new ProfileCondition(view, criterion);
    case 'sample':
      return new SampleCondition(view, criterion);
    default:
      return unreachable(criterion);
  }
}
