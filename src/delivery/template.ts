import {
  Context,
  type Emitter,
  filters,
  Liquid,
  LiquidError,
  Tag,
  type TagToken,
  type Template,
  type TopLevelToken,
  toValue,
  toValueSync,
  Value,
} from 'liquidjs';
import { badRequest } from '../base/errors.ts';
import {
  MESSAGE_BYTES_MAX,
  NESTING_DEPTH_MAX,
  TEMPLATE_MEMORY_MAX,
  TEMPLATE_RENDER_MS_MAX,
} from '../base/limits.ts';

/** JSON whose texts are Liquid templates, or one text that is the whole body. */
export interface BodyTemplate {
  readonly root: Node;
}

type Node =
  | string
  | number
  | boolean
  | null
  | TextTemplate
  | readonly Node[]
  | { readonly [key: string]: Node };

/** What a message's templates see (context.ts makes it), and the time and zone of `"now"` and of dates. */
export interface RenderInput {
  readonly scope: object;
  readonly nowMs: number;
  readonly timezone: string;
  /** TEMPLATE_RENDER_MS_MAX of the machine's own time, unless given. */
  readonly renderMsMax?: number | undefined;
}

/** The template decided not to send: `{% abort_message "why" %}`. */
export class MessageAborted extends Error {
  override readonly name = 'MessageAborted';
}

/** The template could not be rendered, or passed a limit. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Throws bad_request with the path of the text that does not parse. `path` is that of `body`. */
export function compileBody(body: unknown, path: string): BodyTemplate {
  checkDepth(body, path, 0);
  const size = Buffer.byteLength(JSON.stringify(body) ?? '');
  if (size > MESSAGE_BYTES_MAX) throw badRequest(`a body has at most ${MESSAGE_BYTES_MAX} bytes`, path);
  return { root: compileNode(body, path) };
}

/** The body's bytes as text. Throws MessageAborted or TemplateError; nothing of it is kept between calls. */
export function renderBody(body: BodyTemplate, input: RenderInput): string {
  try {
    const value = renderNode(body.root, new Rendering(input));
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (Buffer.byteLength(text) > MESSAGE_BYTES_MAX) throw new TemplateError(TOO_LONG);
    return text;
  } catch (error) {
    const cause = error instanceof LiquidError ? error.originalError : error;
    if (cause instanceof MessageAborted) throw cause;
    throw new TemplateError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

const TOO_LONG = `the message is longer than ${MESSAGE_BYTES_MAX} bytes`;

class TextTemplate {
  readonly templates: Template[];

  constructor(templates: Template[]) {
    this.templates = templates;
  }
}

/** First of all, since nothing else here may recurse into what has no bound. */
function checkDepth(json: unknown, path: string, depth: number): void {
  if (depth > NESTING_DEPTH_MAX) throw badRequest(`nested deeper than ${NESTING_DEPTH_MAX}`, path);
  if (typeof json !== 'object' || json === null) return;
  for (const [key, value] of Object.entries(json)) {
    checkDepth(value, Array.isArray(json) ? `${path}[${key}]` : `${path}.${key}`, depth + 1);
  }
}

function compileNode(json: unknown, path: string): Node {
  if (typeof json === 'string') return compileText(json, path);
  if (Array.isArray(json)) return json.map((element, i) => compileNode(element, `${path}[${i}]`));
  if (typeof json === 'object' && json !== null) {
    return Object.fromEntries(
      Object.entries(json).map(([key, value]) => [key, compileNode(value, `${path}.${key}`)]),
    );
  }
  if (typeof json === 'number' || typeof json === 'boolean' || json === null) return json;
  throw badRequest('expected JSON', path);
}

function compileText(text: string, path: string): string | TextTemplate {
  if (!/\{[{%]/.test(text)) return text;
  try {
    return new TextTemplate(liquid.parse(text));
  } catch (error) {
    throw badRequest(`template: ${error instanceof Error ? error.message : String(error)}`, path);
  }
}

function renderNode(node: Node, rendering: Rendering): unknown {
  if (node instanceof TextTemplate) return rendering.text(node);
  if (Array.isArray(node)) return node.map((element) => renderNode(element, rendering));
  if (typeof node === 'object' && node !== null) {
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [key, renderNode(value, rendering)]),
    );
  }
  return node;
}

/** One message's rendering: its texts see nothing of each other, but share the limits of time, memory and output. */
class Rendering {
  readonly #input: RenderInput;
  readonly #limits: MessageContext;
  #charsLeft = MESSAGE_BYTES_MAX;

  constructor(input: RenderInput) {
    this.#input = input;
    this.#limits = new MessageContext(input);
  }

  text({ templates }: TextTemplate): string {
    const emitter = new BoundedEmitter(this.#charsLeft);
    const context = new MessageContext(this.#input, this.#limits);
    toValueSync(liquid.renderer.renderTemplates(templates, context, emitter));
    this.#charsLeft -= emitter.buffer.length;
    return emitter.buffer;
  }
}

class MessageContext extends Context {
  readonly nowMs: number;

  constructor({ scope, nowMs, timezone, renderMsMax }: RenderInput, limits: Partial<Context> = {}) {
    const renderLimit = renderMsMax ?? TEMPLATE_RENDER_MS_MAX;
    const options = { ...liquid.options, timezoneOffset: timezone };
    super(scope, options, { sync: true, renderLimit }, { ...limits, liquid });
    this.nowMs = nowMs;
  }
}

class BoundedEmitter implements Emitter {
  buffer = '';
  readonly #charsMax: number;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  write(value: unknown): void {
    this.buffer += textOf(value);
    if (this.buffer.length > this.#charsMax) throw new TemplateError(TOO_LONG);
  }
}

function textOf(value: unknown): string {
  const plain: unknown = toValue(value);
  if (plain === null || plain === undefined) return '';
  if (Array.isArray(plain)) return plain.map(textOf).join('');
  return typeof plain === 'object' ? JSON.stringify(plain) : String(plain);
}

class AbortTag extends Tag {
  readonly #why: Value;

  constructor(token: TagToken, rest: TopLevelToken[], engine: Liquid) {
    super(token, rest, engine);
    this.#why = new Value(token.args, engine);
  }

  override *render(context: Context): Generator<unknown, never, unknown> {
    throw new MessageAborted(textOf(yield this.#why.value(context)));
  }
}

const liquid = createEngine();

function createEngine(): Liquid {
  const engine = new Liquid({
    strictFilters: true,
    ownPropertyOnly: true,
    templates: {},
    locale: 'en-US',
    parseLimit: MESSAGE_BYTES_MAX,
    memoryLimit: TEMPLATE_MEMORY_MAX,
  });
  engine.registerTag('abort_message', AbortTag);
  // There are no other templates to include.
  for (const tag of ['include', 'render', 'layout', 'block']) delete engine.tags[tag];
  boundCaptures(engine);
  takeTimeFromContext(engine);
  return engine;
}

/** Blocks that are captured instead of written have no emitter of ours, and would grow without a limit. */
function boundCaptures({ renderer }: Liquid): void {
  const renderTemplates = renderer.renderTemplates.bind(renderer);
  renderer.renderTemplates = (templates, context, emitter = new BoundedEmitter(MESSAGE_BYTES_MAX)) =>
    renderTemplates(templates, context, emitter);
}

/** `"now" | date` would read the host's clock. */
function takeTimeFromContext(engine: Liquid): void {
  for (const name of [
    'date',
    'date_to_xmlschema',
    'date_to_rfc822',
    'date_to_string',
    'date_to_long_string',
  ]) {
    const filter = filters[name] as (this: unknown, ...parameters: unknown[]) => unknown;
    engine.registerFilter(name, function (value: unknown, ...parameters: unknown[]) {
      const isNow = value === 'now' || value === 'today';
      const time = isNow ? new Date((this.context as MessageContext).nowMs) : value;
      return filter.call(this, time, ...parameters);
    });
  }
}
