import { createServer } from 'node:net';

/** Why nothing can listen on an address of this machine, as the system's code; null where something can. */
export function listenError(host: string, port: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'no reason given'));
  server.listen(port, host, () => server.close(() => resolve(null)));
  return promise;
}
