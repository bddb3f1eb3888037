import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { ErrorBody } from '../base/errors.ts';
import type { SenderSettings } from '../delivery/sender.ts';
import type { Link } from '../shard/messages.ts';

/** What the main thread tells a shard thread about its life, and the other way round. Data goes over other ports. */
export type ToThread =
  | { readonly kind: 'listen'; readonly host: string; readonly port: number }
  /** Stop accepting, finish what is under way, close. */
  | { readonly kind: 'close'; readonly patienceMs?: number }
  | { readonly kind: 'collectMetrics'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string }
  | { readonly kind: 'metricsFailed'; readonly id: number; readonly message: string };

export type FromThread =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'refused'; readonly error: ErrorBody }
  | { readonly kind: 'closed' }
  /** This thread's registry as JSON, for aggregation. */
  | { readonly kind: 'metricsPart'; readonly id: number; readonly part: object }
  /** A client asks for the whole process's metrics. */
  | { readonly kind: 'metricsWanted'; readonly id: number }
  /** A bug, or a disk that failed: the process must end. */
  | { readonly kind: 'fatal'; readonly message: string };

/** Given to a shard thread at its start. */
export interface ThreadData {
  readonly index: number;
  readonly version: string;
  readonly listener: ListenerChoice;
  readonly sending: SenderSettings;
  readonly queryBytesMax: number;
  readonly hub: MessagePort;
  /** By shard index; the thread's own place is undefined. */
  readonly peers: readonly (MessagePort | undefined)[];
}

export type ListenerChoice = 'uWebSockets.js' | 'node:http';

/** A MessagePort as a link. Nothing is lost before `onMessage`: the port queues until then. */
export function portLink<Out, In>(port: MessagePort): Link<Out, In> {
  let handle: ((message: In) => void) | undefined;
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    onMessage: (set) => {
      handle = set;
      port.on('message', set);
    },
    drain: () => {
      if (handle === undefined) return;
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        handle(next.message as In);
    },
  };
}
