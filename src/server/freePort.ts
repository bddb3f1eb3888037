import { type AddressInfo, createServer } from 'node:net';
import { MusterError } from '../base/errors.ts';

export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * The port, when nobody listens on it. Listeners that share a port would join another server's without an error, and
 * the kernel shares none that it chose itself: so this is asked once, before the first of them listens. Rejects with
 * MusterError `conflict`.
 */
export function freePort({ host, port }: Address): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', (cause) => reject(cannotListen({ host, port }, cause)));
    server.listen({ host, port, exclusive: true }, () => {
      const free = (server.address() as AddressInfo).port;
      server.close(() => resolve(free));
    });
  });
}

export function cannotListen({ host, port }: Address, cause?: unknown): MusterError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new MusterError('conflict', `cannot listen on ${host} port ${port}${reason}`, { cause });
}
