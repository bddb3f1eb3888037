import { realClock } from '../base/clock.ts';
import { lockDataDirectory } from '../base/directoryLock.ts';
import { initHash } from '../base/hash.ts';
import { SECOND_MS } from '../base/limits.ts';
import { realRandom } from '../base/random.ts';
import { RealDisk } from '../base/realDisk.ts';
import { FileLog } from '../log/fileLog.ts';
import type { ControlRecord } from '../log/record.ts';
import { HOST_PARTITION, Hub } from '../shard/hub.ts';
import { sha256Hex } from '../shard/keys.ts';
import { accountSection } from '../shard/shard.ts';
import { configuredDecisions, unnamedDecisions } from './accounts.ts';
import type { AccountConfig, Config } from './config.ts';
import { type FirstKeys, firstKeys } from './firstKeys.ts';
import { freePort } from './freePort.ts';
import { loadUws } from './listener.ts';
import type { ListenerChoice } from './threadMessages.ts';
import { Threads } from './threads.ts';

export interface RunningServer {
  /** Where it listens. */
  readonly url: string;
  readonly listener: ListenerChoice;
  /** Why it is not the native one. */
  readonly listenerReason: string | undefined;
  /** Frames read back from the log. */
  readonly replayedFrames: number;
  /** Of the account `default`, when the configuration names no account; `created` at the first start. */
  readonly keys: { readonly keys: FirstKeys; readonly created: boolean } | undefined;
  /** Refuses new requests, finishes those under way, closes the log. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly version: string;
  /** The program of a shard thread. */
  readonly threadProgram: URL;
  /** Told when the process must end at once: a bug, or a disk that failed. */
  readonly failed: (message: string) => void;
  readonly listening?: (url: string) => void;
}

/**
 * The whole server in this process: the log in this thread, shards and listeners in threads of their own. Listens
 * before the log is read back, answering 503 until then. Rejects with MusterError or DamageError, having stopped.
 */
export async function startServer(config: Config, options: ServerOptions): Promise<RunningServer> {
  await initHash();
  /** What has been begun, undone in the other order. */
  const begun: (() => Promise<void>)[] = [];
  const undo = async () => {
    for (let end = begun.pop(); end !== undefined; end = begun.pop()) await end();
  };
  try {
    begun.push(await lockDataDirectory(config.data));
    const log = await FileLog.open({
      disk: new RealDisk(config.data),
      clock: realClock,
      random: realRandom,
      directory: 'log',
      partition: HOST_PARTITION,
    });
    begun.push(() => log.close());
    const uws = await loadUws();
    const listener: ListenerChoice = 'uws' in uws ? 'uWebSockets.js' : 'node:http';
    const threads = startThreads(config, listener, options);
    begun.push(() => threads.stop());
    const hub = new Hub({
      log,
      clock: realClock,
      shards: threads.links,
      failed: (error) => options.failed(error instanceof Error ? error.message : String(error)),
    });
    const { host } = config.listen;
    const port = await threads.listen(host, await freePort(config.listen));
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    options.listening?.(url);

    const { frames } = await hub.replay();
    const keys = await decideAccounts(hub, config);
    hub.goLive();
    const stopWatching = watchCondition(hub, () => conditionOf(log, config.memoryLimitBytes));
    const stop = async () => {
      stopWatching();
      hub.setCondition('draining');
      await threads.closeListeners();
      await hub.drain();
      await hub.settled();
      await undo();
    };
    let stopped: Promise<void> | undefined;
    return {
      url,
      listener,
      listenerReason: 'reason' in uws ? uws.reason : undefined,
      replayedFrames: frames,
      keys,
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

/** Brings the accounts in the log to what the configuration says. Gives the keys of the account it makes by itself. */
async function decideAccounts(hub: Hub, { accounts, data, threads }: Config): Promise<RunningServer['keys']> {
  const keys = accounts.length > 0 ? undefined : await firstKeys(data, realRandom);
  const named = keys === undefined ? accounts : [defaultAccount(keys.keys)];
  const decide = async (account: string, decisions: readonly ControlRecord[]) => {
    if (decisions.length > 0) await hub.append([accountSection(account, ...decisions)]);
  };
  for (const entry of [...hub.directory.accounts]) {
    const { name } = entry.state;
    if (!named.some((account) => account.name === name))
      await decide(name, unnamedDecisions(entry, realClock));
  }
  for (const account of named) {
    await decide(account.name, configuredDecisions(hub.directory, account, { threads, clock: realClock }));
  }
  return keys;
}

function startThreads(config: Config, listener: ListenerChoice, options: ServerOptions): Threads {
  const { allowPrivateNetworks, webhook } = config.delivery;
  const { version, threadProgram: program, failed } = options;
  const sending = {
    allowPrivateNetworks,
    ...(webhook.secret === undefined ? {} : { webhookSecret: webhook.secret }),
  };
  const { threads: count, queryMemoryLimitBytes: queryBytesMax } = config;
  return new Threads({ count, program, version, listener, sending, queryBytesMax, failed });
}

function defaultAccount(keys: FirstKeys): AccountConfig {
  const roles = ['write', 'read', 'admin'] as const;
  return {
    name: 'default',
    timezone: 'UTC',
    tablets: 'auto',
    keys: roles.map((role) => ({ role, sha256: sha256Hex(keys[role]) })),
  };
}

/** Why less than everything can be done, if so: see DONE_WHILE of shard/shardApi.ts. */
function conditionOf(log: FileLog, memoryLimitBytes: number): string | undefined {
  if (log.outOfDisk) return 'out of disk';
  return process.memoryUsage.rss() > memoryLimitBytes ? 'out of memory' : undefined;
}

/** Tells the shards of every change; what was refused is taken again by itself. */
function watchCondition(hub: Hub, conditionNow: () => string | undefined): () => void {
  let told: string | undefined;
  const timer = setInterval(() => {
    const condition = conditionNow();
    if (condition !== told) hub.setCondition(condition);
    told = condition;
  }, SECOND_MS);
  return () => clearInterval(timer);
}
