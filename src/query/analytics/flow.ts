import { badRequest } from '../../base/errors.ts';
import { FLOW_STEPS_MAX, FLOW_TOP, FLOW_TOP_MAX } from '../../base/limits.ts';
import { arraysOf } from '../../base/memoryBudget.ts';
import type { SchemaView } from '../../store/view.ts';
import type { EventFilter } from '../criterion.ts';
import type { EventPage } from '../eventPage.ts';
import { eventPages } from '../eventPages.ts';
import { type WantedEvents, wantedEvents } from '../filter.ts';
import { parseDurationMs } from '../parseTest.ts';
import type { Span } from '../predicate.ts';
import { asWholeNumber } from '../shape.ts';
import type { Analysis } from './analysis.ts';
import { flowSteps } from './flowResult.ts';
import { frameSpan, parseEventFilter } from './frameEvents.ts';
import { type UserWalker, walkEach, walkUsersSteps } from './userWalk.ts';

export interface FlowRequest {
  /** The event that paths start from, or end with. */
  readonly anchor: EventFilter;
  readonly direction: 'start' | 'end';
  /** Events of a path besides the anchor. */
  readonly steps: number;
  /** How far from the anchor they may be. */
  readonly windowMs: number;
  readonly top: number;
}

/** Of one tablet: how many paths go from one event to the next. An entry each in these arrays. */
export interface FlowPart {
  readonly names: readonly string[];
  /** From which step, counted from the anchor, to the one after it. */
  readonly steps: Uint32Array;
  /** Indices into `names`. */
  readonly sources: Uint32Array;
  /** The same; `names.length` where a path ends. */
  readonly targets: Uint32Array;
  readonly users: Uint32Array;
}

export interface FlowResult {
  /** In the order of steps; of one step those with most users first. */
  readonly nodes: readonly FlowNode[];
  /** Between nodes of one step and the next, in time. */
  readonly links: readonly { readonly source: string; readonly target: string; readonly users: number }[];
}

export interface FlowNode {
  readonly id: string;
  /** 0 is the anchor; what comes before it has negative ones. */
  readonly step: number;
  readonly event: string;
  readonly users: number;
}

/** Which ways users go from an event on, or came to it: one path a user. */
export const flow: Analysis<FlowRequest, FlowPart, FlowResult> = {
  keys: ['start', 'end', 'steps', 'window', 'top'],

  parse: ({ start, end, steps, window, top = FLOW_TOP }) => {
    if (start !== undefined && end !== undefined) throw badRequest('must not be beside start', 'end');
    const direction = end === undefined ? 'start' : 'end';
    return {
      anchor: parseEventFilter(end ?? start, direction),
      direction,
      steps: asWholeNumber(steps, 'steps', { from: 1, to: FLOW_STEPS_MAX }),
      windowMs: parseDurationMs(window, 'window'),
      top: asWholeNumber(top, 'top', { from: 1, to: FLOW_TOP_MAX }),
    };
  },

  *map(context, request) {
    const { view, frame, users, stats } = context;
    const { direction, windowMs } = request;
    const anchors = wantedEvents(view.schema, request.anchor, frameSpan(context), frame);
    const around = direction === 'start' ? { laterMs: windowMs } : { earlierMs: windowMs };
    const kinds = [anchors, allEvents(view.schema, frameSpan(context, around))];
    const arrays = arraysOf(view.budget);
    const walker = new PathWalker(view.schema, request);
    let codes = arrays.words(0);
    yield* eventPages({ view, kinds, users, stats }, function* (page) {
      if (codes.length < page.eventCount) {
        arrays.giveBack(codes);
        codes = arrays.words(2 * page.eventCount);
      }
      page.readEvents(codes);
      yield;
      yield* walkUsersSteps(page, walker.onPage(codes));
    });
    arrays.giveBack(codes);
    return walker.part();
  },

  reduce: (parts, request) => flowSteps(parts, request),
};

function allEvents({ eventCount }: SchemaView, span: Span): WantedEvents {
  const eventCodes = Array.from({ length: eventCount }, (_, code) => code);
  return { ...span, filter: { events: new Set(), where: [] }, eventCodes };
}

/** The kind of anchors. */
const ANCHOR = 1;
const NONE = -1;

/** With fewer links than so many there is a count of each, whether it occurs or not. */
const DENSE_LINKS_MAX = 1 << 14;

class LinkCounts {
  readonly #dense: Uint32Array;
  readonly #rare = new Map<number, number>();

  /** Links are below `end`. */
  constructor(end: number) {
    this.#dense = new Uint32Array(end <= DENSE_LINKS_MAX ? end : 0);
  }

  add(link: number): void {
    if (this.#dense.length > 0) this.#dense[link]!++;
    else this.#rare.set(link, (this.#rare.get(link) ?? 0) + 1);
  }

  /** Those that occur, and how often each does. */
  found(): { readonly links: readonly number[]; readonly counts: readonly number[] } {
    const links = [...this.#dense.keys()].filter((link) => this.#dense[link]! > 0);
    const counts = links.map((link) => this.#dense[link]!);
    return { links: [...links, ...this.#rare.keys()], counts: [...counts, ...this.#rare.values()] };
  }
}

/** Finds each user's anchor, and counts the path from there. */
class PathWalker implements UserWalker {
  readonly #schema: SchemaView;
  readonly #request: FlowRequest;
  /** How many paths go from event a at step s to event b: at (s · #codeEnd + a) · #codeEnd + b. */
  readonly #counts: LinkCounts;
  /** By event of the page. */
  #codes: Uint32Array = new Uint32Array(0);
  /** In the place of an event's code where a path ends. */
  readonly #end: number;
  readonly #codeEnd: number;
  #anchor = NONE;

  constructor(schema: SchemaView, request: FlowRequest) {
    this.#schema = schema;
    this.#request = request;
    this.#end = schema.eventCount;
    this.#codeEnd = schema.eventCount + 1;
    this.#counts = new LinkCounts(request.steps * this.#codeEnd ** 2);
  }

  /** `codes`: those of the names of the events that are walked from now on. */
  onPage(codes: Uint32Array): this {
    this.#codes = codes;
    return this;
  }

  walkUsers(page: EventPage, from: number, to: number): void {
    walkEach(this, page, from, to);
  }

  begin(): void {
    this.#anchor = NONE;
  }

  walk({ kinds }: EventPage, from: number, to: number): void {
    if (this.#request.direction === 'start') {
      if (this.#anchor !== NONE) return;
      let i = from;
      while (i < to && (kinds[i]! & ANCHOR) === 0) i++;
      if (i < to) this.#anchor = i;
    } else {
      let i = to - 1;
      while (i >= from && (kinds[i]! & ANCHOR) === 0) i--;
      if (i >= from) this.#anchor = i;
    }
  }

  end(page: EventPage, user: number): void {
    const anchor = this.#anchor;
    if (anchor === NONE) return;
    const { direction, steps, windowMs } = this.#request;
    const by = direction === 'start' ? 1 : -1;
    const [first, last] = [page.starts[user]!, page.starts[user + 1]! - 1];
    const anchorMs = page.timesMs[anchor]!;
    let source = this.#codes[anchor]!;
    for (let step = 0; step < steps; step++) {
      const i = anchor + (step + 1) * by;
      const isOnPath = i >= first && i <= last && Math.abs(page.timesMs[i]! - anchorMs) <= windowMs;
      const target = isOnPath ? this.#codes[i]! : this.#end;
      this.#counts.add((step * this.#codeEnd + source) * this.#codeEnd + target);
      if (!isOnPath) return;
      source = target;
    }
  }

  part(): FlowPart {
    const { links, counts } = this.#counts.found();
    const sourceOf = (link: number) => Math.floor(link / this.#codeEnd) % this.#codeEnd;
    return {
      names: Array.from({ length: this.#end }, (_, code) => this.#schema.eventName(code)),
      steps: Uint32Array.from(links, (link) => Math.floor(link / this.#codeEnd ** 2)),
      sources: Uint32Array.from(links, sourceOf),
      targets: Uint32Array.from(links, (link) => link % this.#codeEnd),
      users: Uint32Array.from(counts),
    };
  }
}
