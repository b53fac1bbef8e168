import { join } from 'node:path';
import { startClientProcess } from './client-process.ts';
import type { ClientUser } from './client-process.ts';
import type { EncryptedClient } from './encrypted-client.ts';

/** A matrix-js-sdk client with the Rust crypto engine. */
export interface JsClient extends EncryptedClient {
  /** Replaces the person's cross-signing keys, as one does who has lost every device. */
  resetCrossSigning(): Promise<void>;
}

/**
 * Logs a user in with matrix-js-sdk, as a new device, in a process of its own (1.5 s).
 * `crossSigned` (the default) makes cross-signing keys for the user and signs the device; do that once
 * for each user. `signedDevicesOnly` is Element's "exclude insecure devices".
 * `baseUrl` may also be that of a proxy before the homeserver.
 */
export async function startJsClient(
  server: { baseUrl: string },
  user: ClientUser,
  options: { crossSigned?: boolean; signedDevicesOnly?: boolean } = {},
): Promise<JsClient> {
  const client = await startClientProcess({
    kind: 'matrix-js-sdk client',
    command: process.execPath,
    args: [join(import.meta.dirname, 'js-client-worker.ts')],
    baseUrl: server.baseUrl,
    user: { userId: user.userId, password: user.password },
    login: {
      crossSigned: options.crossSigned ?? true,
      signedDevicesOnly: options.signedDevicesOnly ?? false,
    },
  });
  return {
    ...client,
    resetCrossSigning: async () => {
      await client.call('resetCrossSigning');
    },
  };
}
