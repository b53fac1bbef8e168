import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { HarnessError } from './harness-error.ts';

/**
 * A TCP port on 127.0.0.1 that nobody listened on a moment ago. It lies below those that systems give
 * to outgoing connections, so that a server which is stopped and started finds it free again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_000);
    if (await canListen(port)) return port;
  }
  throw new HarnessError(
    'No free port was found between 20000 and 32000 on 127.0.0.1. End some servers and try again.',
  );
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
