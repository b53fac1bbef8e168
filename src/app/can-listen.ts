import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 3;
const PAUSE_MS = 150;

/**
 * Why nothing can listen on an address of this machine, as the system's code; null where something can. Tries again,
 * since whoever else tries just now has it for a moment.
 */
export async function listenError(host: string, port: number): Promise<string | null> {
  for (let tries = 1; ; tries++) {
    const problem = await tryListening(host, port);
    if (problem !== 'EADDRINUSE' || tries === TRIES) return problem;
    await sleep(PAUSE_MS);
  }
}

function tryListening(host: string, port: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'no reason given'));
  server.listen(port, host, () => server.close(() => resolve(null)));
  return promise;
}
