import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { RoomId, UserId } from '../../domain/ids.ts';
import type { Synapse } from '../../issuers/synapse/synapse.ts';
import { createControlRoom } from '../../matrix/accounts.ts';
import { createHomeserverClient } from '../../matrix/homeserver.ts';
import { INVITES_DISABLED_HINT, mayInvite } from '../../matrix/invites.ts';
import { privateFolder, writePrivate } from '../private-files.ts';
import { ensureAccount } from './account.ts';
import { joinAdoptedRoom } from './adopt-room.ts';
import { configContent } from './config-content.ts';
import { areKeysLost } from './plan.ts';
import { openRecording } from './record.ts';
import { synapseAs, type InitState } from './state.ts';

const HEADER = `# Made by mintwarden init. Every key is explained in bot.example.yaml; mintwarden doctor checks this file.
`;

/** What there is afterwards. */
export type InitResult = {
  readonly configFile: string;
  readonly controlRoom: RoomId;
  readonly botUserId: UserId;
  readonly issuerUserId: UserId;
};

/** Makes what is missing: accounts, sessions, the control room, the configuration. @throws MintwardenError */
export async function carryOut(found: InitState): Promise<InitResult> {
  const {
    options,
    homeserverUrl,
    directory,
    configFile,
    secretsDir,
    serverName,
    bot,
    issuer,
    answers,
    admins,
    existing,
    givenRoom,
  } = found;
  const { adminToken, out } = options;
  out(`${serverName} is a Synapse ${found.version}, and the token is an administrator's.`);
  for (const line of found.kept) out(line);
  await privateFolder(directory);
  await privateFolder(secretsDir);
  await privateFolder(join(directory, 'state'));
  const nothing = { madeAccounts: [], liftedLimits: [], controlRoom: null, madeRoom: false, farewell: null };
  const beginning =
    existing === null
      ? { homeserverUrl, serverName, bot: bot.userId, issuer: issuer.userId, ...nothing }
      : null;
  const recording = await openRecording(directory, beginning);
  await recording?.change({ homeserverUrl, serverName, bot: bot.userId, issuer: issuer.userId });

  await using asAdmin = synapseAs(found, adminToken);
  const common = { admin: asAdmin.admin, homeserverUrl, secretsDir, newPassword, recording, out };
  const botToken = await ensureAccount({
    ...common,
    wanted: bot,
    sessionLost: existing !== null && areKeysLost(existing),
  });
  await checkInvites(homeserverUrl, botToken, bot.userId);
  if (await isRateLimited(asAdmin, bot.userId)) {
    if (recording !== null)
      await recording.change({ liftedLimits: [...new Set([...recording.record.liftedLimits, bot.userId])] });
    await asAdmin.admin.liftRateLimit(bot.userId);
    out(`Lifted the rate limits of ${bot.userId}: a notice must not have to wait.`);
  }
  const issuerToken = await ensureAccount({ ...common, wanted: issuer });
  await using asIssuer = synapseAs(found, issuerToken);
  if (!(await asIssuer.admin.isAdmin())) {
    throw new MintwardenError(
      'homeserver-refused',
      `${issuer.userId} has no right to the admin API, though it is an administrator.`,
      'Look at the homeserver.',
    );
  }

  let controlRoom = existing?.control_room ?? givenRoom;
  if (givenRoom !== null) {
    await joinAdoptedRoom({ homeserverUrl, adminToken, botToken, botUserId: bot.userId, roomId: givenRoom });
    await recording?.change({ controlRoom: givenRoom, madeRoom: false });
  }
  controlRoom ??= await createControlRoom({
    homeserverUrl,
    accessToken: botToken,
    userId: bot.userId,
    admins,
    name: 'Mintwarden control room',
  });
  const isMade = existing === null && givenRoom === null;
  if (isMade) await recording?.change({ controlRoom, madeRoom: true });
  out(`The control room is ${controlRoom}.${isMade ? ` Invited: ${admins.join(', ')}.` : ''}`);

  if (existing === null) {
    await writePrivate(
      configFile,
      HEADER + stringify(configContent({ ...answers, controlRoom }, directory), { lineWidth: 0 }),
    );
    out(`Wrote ${configFile}.`);
  }
  await loadConfig(configFile, {});
  return { configFile, controlRoom, botUserId: bot.userId, issuerUserId: issuer.userId };
}

/**
 * Only the bot's account can show it, so that it has to be there; nothing else is made before.
 * @throws MintwardenError `homeserver-refused`
 */
async function checkInvites(homeserverUrl: string, accessToken: string, userId: UserId): Promise<void> {
  if (await mayInvite(createHomeserverClient({ homeserverUrl, accessToken }), userId)) return;
  throw new MintwardenError(
    'homeserver-refused',
    `On this homeserver only server administrators may invite people (block_non_admin_invites). Only the account ${userId} was made so far.`,
    `${INVITES_DISABLED_HINT} Then run init again: it goes on from there. Or run mintwarden init --undo, which ends that account.`,
  );
}

/** Whether the homeserver limits how fast the account may write. */
export async function isRateLimited({ admin }: Synapse, userId: UserId): Promise<boolean> {
  const limit = await admin.rateLimit(userId);
  return limit === null || limit.messagesPerSecond !== 0 || limit.burstCount !== 0;
}

function newPassword(): string {
  return randomBytes(32).toString('base64url');
}
