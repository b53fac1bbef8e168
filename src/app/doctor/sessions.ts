import type { Config } from '../../config/index.ts';
import type { UserId } from '../../domain/ids.ts';
import { path as adminPath } from '../../issuers/synapse/http.ts';
import { arrayAt, createHomeserverClient, path, stringAt } from '../../matrix/homeserver.ts';
import { safeInline, shortened } from '../../words/safe-text.ts';
import { type Finding, ok, warn } from './finding.ts';
import { adminRequest, AS_ADMIN } from './shell.ts';

const MAX_SHOWN = 5;

/** Whether the session of this token is the account's only one. */
export async function checkSessions(
  id: 'bot-sessions' | 'issuer-sessions',
  config: Config,
  userId: UserId,
  token: string,
): Promise<Finding> {
  const as = (accessToken: string) =>
    createHomeserverClient({ homeserverUrl: config.homeserver.url, accessToken });
  const own = stringAt(await as(token).request('GET', path`/account/whoami`), 'device_id');
  const answer = await as(config.issuer.access_token).request(
    'GET',
    adminPath`/_synapse/admin/v2/users/${userId}/devices`,
  );
  const others = arrayAt(answer, 'devices').flatMap((device) => {
    const deviceId = stringAt(device, 'device_id');
    return deviceId === null || deviceId === own
      ? []
      : [{ deviceId, name: stringAt(device, 'display_name') }];
  });
  if (others.length === 0) return ok(id, `${userId} has one session.`);
  const named = others
    .slice(0, MAX_SHOWN)
    .map(
      ({ deviceId, name }) =>
        safeInline(deviceId) + (name === null ? '' : ` (${shortened(safeInline(name), 40)})`),
    );
  const more = others.length > MAX_SHOWN ? `, and ${String(others.length - MAX_SHOWN)} more` : '';
  const command = others
    .map(({ deviceId }) =>
      adminRequest(config, 'DELETE', adminPath`/_synapse/admin/v2/users/${userId}/devices/${deviceId}`),
    )
    .join('\n');
  return warn(id, `Besides ours ${userId} has other sessions: ${named.join(', ')}${more}.`, {
    fix: `End them, unless you know them. ${AS_ADMIN}`,
    command,
  });
}
