import { DuckDBInstance } from '@duckdb/node-api';
import { SeededRandom } from '../../../src/base/random.ts';
import type { Member } from '../../../src/tablet/operations.ts';
import type { Tablet } from '../../../src/tablet/tablet.ts';
import { askTablet } from '../../askTablet.ts';
import { loadUsers } from '../../loadedEvents.ts';
import { readNaively } from '../../naive.ts';
import type { Criterion } from './definition.ts';
import { FileDefinitions } from './definitions.ts';
import { MACROS, membersSql } from './sql.ts';

export interface CheckPlan {
  /** Of an import file of `track` and `identify`, in which no known user has the id of an anonymous one. */
  readonly path: string;
  readonly definitions: number;
  readonly seed: number;
}

export interface Checked {
  readonly events: number;
  readonly users: number;
  readonly definitions: number;
  /** Of all definitions together. */
  readonly members: number;
  /** Definitions that say nothing about most users, or the opposite, prove little. */
  readonly nobodyOrAll: number;
  /** In words, one a definition. */
  readonly differences: readonly string[];
}

const TABLETS = 2;
const SHOWN = 3;
/** Progress is told so often. */
const TOLD_EVERY = 25;

/** Asks random definitions of the file's events, once of Muster and once of DuckDB, which reads the file itself. */
export async function checkFile(plan: CheckPlan, log: (line: string) => void): Promise<Checked> {
  const { path, definitions, seed } = plan;
  const file = await readNaively(path);
  const { tablets } = loadUsers(file.users, TABLETS);
  const drawn = new FileDefinitions(file, new SeededRandom(seed));
  const sql = await FileInSql.open(path);
  const users = await sql.users();
  const differences: string[] = [];
  let members = 0;
  let nobodyOrAll = 0;
  for (let i = 1; i <= definitions; i++) {
    const atMs = drawn.atMs();
    const criterion = drawn.criterion();
    const found = new Set(tablets.flatMap((tablet) => membersOf(tablet, criterion, atMs)));
    const expected = new Set(await sql.members(criterion, atMs));
    members += expected.size;
    if (expected.size === 0 || expected.size === users) nobodyOrAll++;
    const missing = [...expected].filter((user) => !found.has(user));
    const extra = [...found].filter((user) => !expected.has(user));
    if (missing.length + extra.length > 0)
      differences.push(`${JSON.stringify(criterion)} at ${new Date(atMs).toISOString()}:
  Muster lacks ${missing.length}: ${missing.slice(0, SHOWN).join()}; has ${extra.length} more: ${extra.slice(0, SHOWN).join()}`);
    if (i % TOLD_EVERY === 0) log(`${path}: ${i} definitions, ${differences.length} differ`);
  }
  sql.close();
  return { events: file.events.length, users, definitions, members, nobodyOrAll, differences };
}

function membersOf(tablet: Tablet, segment: Criterion, atMs: number): string[] {
  const args = { segment, atMs, nowMs: atMs, from: 0, limit: Number.MAX_SAFE_INTEGER, traits: undefined };
  const steps = askTablet(tablet, 'members', args);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true)
      return value.pages.flatMap((page) => (JSON.parse(page) as Member[]).map(({ id }) => id));
  }
}

/** The tables of sql.ts. */
class FileInSql {
  readonly #instance: DuckDBInstance;
  readonly #connection: Awaited<ReturnType<DuckDBInstance['connect']>>;

  static async open(path: string): Promise<FileInSql> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
    const connection = await instance.connect();
    const columns = ['type', 'userId', 'anonymousId', 'event', 'timestamp']
      .map((name) => `${name}: 'VARCHAR'`)
      .concat("properties: 'JSON'", "traits: 'JSON'");
    const calls = `SELECT row_number() OVER () AS rid, coalesce(userId, anonymousId) AS user, epoch_ms(timestamp::TIMESTAMP) AS ms, *
      FROM read_json('${path}', format = 'newline_delimited', columns = {${columns.join(', ')}})`;
    for (const sql of [
      ...MACROS,
      `CREATE TEMP TABLE calls AS ${calls}`,
      `SELECT error('an id of a known and of an anonymous user') FROM calls WHERE userId IN (SELECT anonymousId FROM calls WHERE userId IS NULL)`,
      `CREATE TABLE events AS SELECT rid, user, event, ms, properties FROM calls WHERE type = 'track' ORDER BY rid`,
      `CREATE TABLE identifies AS SELECT rid, user, ms, traits FROM calls WHERE type = 'identify' ORDER BY rid`,
      `CREATE TABLE users AS SELECT DISTINCT user FROM calls`,
      `DROP TABLE calls`,
    ])
      await connection.run(sql);
    return new FileInSql(instance, connection);
  }

  private constructor(instance: DuckDBInstance, connection: Awaited<ReturnType<DuckDBInstance['connect']>>) {
    this.#instance = instance;
    this.#connection = connection;
  }

  async users(): Promise<number> {
    const [row] = (await this.#connection.runAndReadAll('SELECT count(*) FROM users')).getRowsJS();
    return Number(row![0]);
  }

  async members(criterion: Criterion, atMs: number): Promise<string[]> {
    const result = await this.#connection.runAndReadAll(membersSql(criterion, atMs));
    return result.getRowsJS().map(([user]) => String(user));
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
