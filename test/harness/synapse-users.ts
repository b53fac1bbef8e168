import { createHmac, randomBytes } from 'node:crypto';
import { matrixRequest } from './matrix-http.ts';

/** What is needed to make users on a running Synapse. */
export interface RegistrationAccess {
  baseUrl: string;
  registrationSecret: string;
}

/** A user made for a test, with the session that making it gave. */
export interface TestUser {
  localpart: string;
  userId: string;
  password: string;
  accessToken: string;
  deviceId: string;
}

/** Makes a user by Synapse's shared-secret registration; a server administrator if `admin`. */
export async function registerUser(
  server: RegistrationAccess,
  localpart: string,
  options: { admin?: boolean; password?: string } = {},
): Promise<TestUser> {
  const path = '/_synapse/admin/v1/register';
  const password = options.password ?? randomBytes(18).toString('base64url');
  const { nonce } = await matrixRequest<{ nonce: string }>(server.baseUrl, 'GET', path);
  const mac = createHmac('sha1', server.registrationSecret)
    .update([nonce, localpart, password, options.admin === true ? 'admin' : 'notadmin'].join('\0'))
    .digest('hex');
  const made = await matrixRequest<{ access_token: string; user_id: string; device_id: string }>(
    server.baseUrl,
    'POST',
    path,
    {
      body: { nonce, username: localpart, password, admin: options.admin === true, mac },
    },
  );
  return {
    localpart,
    userId: made.user_id,
    password,
    accessToken: made.access_token,
    deviceId: made.device_id,
  };
}

let made = 0;

/** A localpart nobody else has: `alice` becomes `alice-3-k2m9xq`. */
export function uniqueName(name: string): string {
  made += 1;
  return `${name}-${String(made)}-${randomBytes(4).toString('hex')}`;
}
