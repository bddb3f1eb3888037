import { realClock } from '../base/clock.ts';
import { lockDataDirectory } from '../base/directoryLock.ts';
import { initHash } from '../base/hash.ts';
import { SECOND_MS } from '../base/limits.ts';
import { realRandom } from '../base/random.ts';
import { RealDisk } from '../base/realDisk.ts';
import { FileLog } from '../log/fileLog.ts';
import { HOST_PARTITION, Hub } from '../shard/hub.ts';
import { sha256Hex } from '../shard/methods/accounts.ts';
import { accountSection } from '../shard/shard.ts';
import { configuredDecisions } from './accounts.ts';
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

/**
 * The whole server in this process: the log in this thread, shards and listeners in threads of their own. Listens
 * before the log is read back, answering 503 until then. Rejects with MusterError or DamageError, having stopped.
 */
export async function startServer(
  config: Config,
  options: {
    readonly version: string;
    /** The program of a shard thread. */
    readonly threadProgram: URL;
    /** Told when the process must end at once: a bug, or a disk that failed. */
    readonly failed: (message: string) => void;
    readonly listening?: (url: string) => void;
  },
): Promise<RunningServer> {
  await initHash();
  const unlock = await lockDataDirectory(config.data);
  const log = await FileLog.open({
    disk: new RealDisk(config.data),
    clock: realClock,
    random: realRandom,
    directory: 'log',
    partition: HOST_PARTITION,
  });
  const uws = await loadUws();
  const listener: ListenerChoice = 'uws' in uws ? 'uWebSockets.js' : 'node:http';
  const { secret } = config.delivery.webhook;
  const threads = new Threads({
    count: config.threads,
    program: options.threadProgram,
    version: options.version,
    listener,
    sending: {
      allowPrivateNetworks: config.delivery.allowPrivateNetworks,
      ...(secret === undefined ? {} : { webhookSecret: secret }),
    },
    failed: options.failed,
  });
  const hub = new Hub({
    log,
    clock: realClock,
    shards: threads.links,
    failed: (error) => options.failed(error instanceof Error ? error.message : String(error)),
  });
  const port = await threads.listen(config.listen.host, await freePort(config.listen));
  const url = `http://${config.listen.host.includes(':') ? `[${config.listen.host}]` : config.listen.host}:${port}`;
  options.listening?.(url);

  const { frames } = await hub.replay();
  const keys = config.accounts.length > 0 ? undefined : await firstKeys(config.data, realRandom);
  const accounts = keys === undefined ? config.accounts : [defaultAccount(keys.keys)];
  for (const account of accounts) {
    const decisions = configuredDecisions(hub.directory, account, {
      threads: config.threads,
      clock: realClock,
    });
    if (decisions.length > 0) await hub.append([accountSection(account.name, ...decisions)]);
  }
  hub.goLive();
  const stopWatching = watchDisk(log, hub);
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    stopWatching();
    hub.setCondition('draining');
    await threads.closeListeners();
    await hub.drain();
    await hub.settled();
    await log.close();
    await threads.stop();
    await unlock();
  };
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

/** Refuses requests while the disk is full, and takes them again by itself. */
function watchDisk(log: FileLog, hub: Hub): () => void {
  let wasFull = false;
  const timer = setInterval(() => {
    if (log.outOfDisk === wasFull) return;
    wasFull = log.outOfDisk;
    hub.setCondition(wasFull ? 'out of disk' : undefined);
  }, SECOND_MS);
  return () => clearInterval(timer);
}
