import { MintwardenError } from '../../../domain/errors.ts';
import type { UserId } from '../../../domain/ids.ts';
import { secretFiles } from '../account.ts';
import {
  connectSynapse,
  leaveRoom,
  openSession,
  readSecret,
  retireAccount,
  type OurAccount,
} from './accounts.ts';
import { hasReached, isRetired, type UndoState } from './state.ts';

/** Leaves the control room, then ends both accounts, the issuer last: it has the rights to end the other. */
export async function leaveAndEndAccounts(found: UndoState): Promise<void> {
  const { options, recording, target } = found;
  const { out } = options;
  const { bot, issuer, controlRoom, madeRoom, liftedLimits } = recording.record;
  const [asBot, asIssuer] = await Promise.all([
    ourAccount(found, 'bot', bot),
    ourAccount(found, 'issuer', issuer),
  ]);
  const session = await openSession(target, asIssuer);
  // Ending it is the last thing that is done with it, and it was open right before: everything else was done.
  if (session.kind === 'gone' || (session.kind === 'shut' && hasReached(recording, 'issuer-going'))) {
    await recording.change({ undone: 'accounts-gone' });
    return;
  }
  const issuerToken = session.kind === 'open' ? session.token : null;
  const rights = issuerToken ?? options.adminToken;
  if (rights === null && recording.record.madeAccounts.length > 0)
    throw new MintwardenError(
      'homeserver-refused',
      `${issuer} cannot log in any more, so that nobody may end the accounts.`,
      'Give a server administrator’s token by --admin-token-file or $MINTWARDEN_ADMIN_TOKEN.',
    );
  if (rights === null) {
    await recording.change({ undone: 'accounts-gone' });
    return;
  }
  await using synapse = connectSynapse(target, rights);
  if (controlRoom !== null && !hasReached(recording, 'left')) {
    if (options.close && madeRoom) await synapse.admin.emptyRoom(controlRoom);
    const botSession = await openSession(target, asBot);
    if (botSession.kind === 'open') await leaveRoom(target, botSession.token, controlRoom);
    out(options.close && madeRoom ? `Closed ${controlRoom}.` : `${bot} has left ${controlRoom}.`);
  }
  if (!hasReached(recording, 'left')) await recording.change({ undone: 'left' });
  if (!hasReached(recording, 'bot-gone')) {
    out(
      await retireAccount(target, synapse, asBot, {
        deactivate: isRetired(found, bot),
        restoreLimit: liftedLimits.includes(bot),
      }),
    );
    await recording.change({ undone: 'bot-gone' });
  }
  if (issuerToken !== null) await recording.change({ undone: 'issuer-going' });
  out(
    await retireAccount(
      target,
      synapse,
      { ...asIssuer, token: issuerToken },
      { deactivate: isRetired(found, issuer), restoreLimit: false },
    ),
  );
  await recording.change({ undone: 'accounts-gone' });
}

/**
 * What opens an account: from the configuration, or from the files that a run wrote which was cut off before
 * that.
 */
async function ourAccount(
  { config, secretsDir }: UndoState,
  which: 'bot' | 'issuer',
  userId: UserId,
): Promise<OurAccount> {
  const files = secretFiles(secretsDir, userId);
  return {
    userId,
    token: config?.[which].access_token ?? (await readSecret(files.token)),
    password: config?.[which].password ?? (await readSecret(files.password)),
  };
}
