import { join } from 'node:path';
import { startClientProcess } from './client-process.ts';
import type { ClientUser } from './client-process.ts';
import type { EncryptedClient } from './encrypted-client.ts';
import { ensurePythonEnv } from './python-env.ts';

/** A matrix-nio client: Python, vodozemac, and a state machine that shares nothing with the Rust SDK's. */
export type NioClient = EncryptedClient;

/**
 * Logs a user in with matrix-nio, as a new device, in a process of its own (1.5 s).
 * nio knows no cross-signing: with `crossSigned` (the default) its script makes the keys and the
 * signatures itself, so that the device may be told secrets. Once for each user.
 */
export async function startNioClient(
  server: { baseUrl: string },
  user: ClientUser,
  options: { crossSigned?: boolean } = {},
): Promise<NioClient> {
  const { python } = await ensurePythonEnv();
  return startClientProcess({
    kind: 'matrix-nio client',
    command: python,
    args: ['-B', join(import.meta.dirname, 'nio_client.py')],
    baseUrl: server.baseUrl,
    user: { userId: user.userId, password: user.password },
    login: { crossSigned: options.crossSigned ?? true },
  });
}
