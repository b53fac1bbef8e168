import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on any free port, and says which to the process that started this one. */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.once('disconnect', () => process.exit());
}
