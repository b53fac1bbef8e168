import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MintwardenError } from '../../domain/errors.ts';

/**
 * Makes sure that nobody listens there, which processes that share a port would not notice of another service
 * that shares its own, and picks a port where it is 0.
 * @throws MintwardenError `configuration`
 */
export async function reservePort(host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', (cause) =>
    reject(
      new MintwardenError(
        'configuration',
        `The gateway cannot listen on ${host}:${port}.`,
        'Is the port taken?',
        { cause },
      ),
    ),
  );
  server.listen({ host, port }, () => {
    const { port: found } = server.address() as AddressInfo;
    server.close(() => resolve(found));
  });
  return promise;
}
