import { IMPORTS_REMEMBERED_MAX, TABLET_BITS_MAX } from '../base/limits.ts';
import type { AccountRecord, ControlRecord, ImportRecord, SplitRecord } from '../log/record.ts';
import { Schema } from '../store/schema.ts';
import type { StateHash } from '../store/stateHash.ts';
import type { AccountSettings } from '../store/view.ts';
import { PrefixTree } from './placement.ts';

/** The value of a control record `account`. */
export interface AccountValue extends AccountSettings {
  /** Tablets the account started with: a power of two. Never changes. */
  readonly tablets: number;
}

/** The value of a control record `segment`. */
export interface SegmentValue {
  /** As it was saved: JSON of INTERFACE §4, checked. */
  readonly definition: unknown;
  readonly live: boolean;
}

/** The value of a control record `key`, whose name is the key's id. */
export interface KeyValue {
  readonly role: 'write' | 'read' | 'admin';
  /** Hex. The key itself is never stored. */
  readonly sha256: string;
  readonly label?: string;
  /** Set for keys that the configuration names: they go when it no longer does. */
  readonly configured?: boolean;
}

/** How far an import has come. */
export interface ImportProgress {
  /** The first so many lines of the file are in the log. */
  readonly lines: number;
  readonly finished: boolean;
}

/**
 * The account-wide decisions, reduced from account records in log order. Every tablet holds one, and so does every
 * thread that takes requests; all of them see a decision at the same place of the log.
 */
export class AccountState {
  readonly name: string;
  readonly schema = new Schema();
  /** Another map after every change: a query keeps the one it began with. */
  segments: ReadonlyMap<string, SegmentValue> = new Map();
  readonly campaigns = new Map<string, unknown>();
  readonly keys = new Map<string, KeyValue>();
  readonly suppressions = new Map<string, unknown>();
  readonly imports = new Map<string, ImportProgress>();
  settings: AccountValue = { timezone: 'UTC', tablets: 1 };
  /** The account's tablets. */
  tree = PrefixTree.even(1);
  /** Deletions of users so far: the same number in every tablet at the same place of the log. */
  deletions = 0;

  constructor(name: string) {
    this.name = name;
  }

  apply(record: AccountRecord): void {
    switch (record.kind) {
      case 'declare':
        this.schema.declare(record);
        return;
      case 'control':
        this.#control(record);
        return;
      case 'import':
        this.#import(record);
        return;
      case 'split':
        if (isValidSplit(this.tree, record)) this.tree = this.tree.split(record.tablet);
        return;
      case 'delete':
        this.deletions++;
    }
  }

  /** Takes over what a tablet knew that splits; what it counted goes to one of the children only. */
  *inherit(parent: AccountState, isHeir: boolean): Generator<void> {
    this.settings = parent.settings;
    this.tree = parent.tree;
    this.deletions = parent.deletions;
    this.schema.inherit(parent.schema, isHeir);
    this.segments = parent.segments;
    yield* copyInto(this.campaigns, parent.campaigns);
    yield* copyInto(this.keys, parent.keys);
    yield* copyInto(this.suppressions, parent.suppressions);
    yield* copyInto(this.imports, parent.imports);
  }

  hashInto(hash: StateHash): void {
    const { settings, tree, deletions, segments, keys, imports } = this;
    hash.text(JSON.stringify([settings, tree.leaves, deletions, [...segments], [...keys], [...imports]]));
  }

  #control({ what, name, value }: ControlRecord): void {
    if (what === 'account') {
      const settings = value as AccountValue;
      if (settings.tablets !== this.settings.tablets) this.tree = PrefixTree.even(settings.tablets);
      this.settings = settings;
    } else if (what === 'segment') {
      const segments = new Map(this.segments);
      if (value === null) segments.delete(name);
      else segments.set(name, value as SegmentValue);
      this.segments = segments;
    } else {
      const table: Map<string, unknown> = {
        campaign: this.campaigns,
        key: this.keys,
        suppression: this.suppressions,
      }[what];
      if (value === null) table.delete(name);
      else table.set(name, value);
    }
  }

  /** Batches of one import arrive in order, so progress is the end of the run that began at line 1. */
  #import({ id, from, to, finished }: ImportRecord): void {
    const lines = this.imports.get(id)?.lines ?? 0;
    const continues = from <= lines + 1;
    this.imports.delete(id);
    this.imports.set(id, {
      lines: continues ? Math.max(lines, to - 1) : lines,
      finished: continues && finished,
    });
    if (this.imports.size > IMPORTS_REMEMBERED_MAX) this.imports.delete(this.imports.keys().next().value!);
  }
}

/** Entries copied between two yields. */
const ENTRIES_PER_STEP = 4096;

export function isValidSplit(tree: PrefixTree, { tablet, tabletsMax }: SplitRecord): boolean {
  return tree.has(tablet) && tablet.length < TABLET_BITS_MAX && tree.leaves.length < tabletsMax;
}

function* copyInto<T>(target: Map<string, T>, source: ReadonlyMap<string, T>): Generator<void> {
  for (const [name, value] of source) {
    target.set(name, value);
    if (target.size % ENTRIES_PER_STEP === 0) yield;
  }
}
