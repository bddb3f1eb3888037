import { badRequest } from '../base/errors.ts';

/** Environment variables that say what the configuration file may say, each with the path of its value. */
const VARIABLES: Readonly<Record<string, readonly [path: string, kind: 'text' | 'number' | 'boolean']>> = {
  MUSTER_LISTEN_HOST: ['listen.host', 'text'],
  MUSTER_LISTEN_PORT: ['listen.port', 'number'],
  MUSTER_DATA: ['data', 'text'],
  MUSTER_THREADS: ['threads', 'number'],
  MUSTER_MEMORY_LIMIT: ['memoryLimit', 'text'],
  MUSTER_QUERY_MEMORY_LIMIT: ['queryMemoryLimit', 'text'],
  MUSTER_LOG_KIND: ['log.kind', 'text'],
  MUSTER_DELIVERY_ALLOW_PRIVATE_NETWORKS: ['delivery.allowPrivateNetworks', 'boolean'],
  MUSTER_DELIVERY_WEBHOOK_SECRET: ['delivery.webhook.secret', 'text'],
};

/** Read by commands that talk to a server, and what Kubernetes sets for a service that is called muster. */
const OTHERS = /^MUSTER_(URL|KEY|CONFIG|PORT|PORT_.*|SERVICE_.*)$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables as a configuration document. Throws MusterError `bad_request` that names a variable not known. */
export function environmentDocument(environment: Environment): object {
  const document: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('MUSTER_') || text === undefined || OTHERS.test(name)) continue;
    const variable = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
    if (variable === undefined) throw badRequest('unknown environment variable', name);
    const [path, kind] = variable;
    put(document, path.split('.'), readAs(text, kind));
  }
  return document;
}

/** The variable that was set for this path of the configuration. */
export function nameOfVariable(path: string, environment: Environment): string | undefined {
  return Object.keys(VARIABLES).find(
    (name) => VARIABLES[name]![0] === path && environment[name] !== undefined,
  );
}

/** What does not read as its kind stays text, for the schema to say what was expected. */
function readAs(text: string, kind: 'text' | 'number' | 'boolean'): unknown {
  if (kind === 'number' && /^\d+$/.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function put(document: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    document[name!] = value;
    return;
  }
  const section = (document[name!] ?? {}) as Record<string, unknown>;
  document[name!] = section;
  put(section, rest, value);
}
