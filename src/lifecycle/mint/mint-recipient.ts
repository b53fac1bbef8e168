import type { Pin } from '../../domain/change.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { isOperator, parseUserId, serverOf, type Operator, type UserId } from '../../domain/ids.ts';
import type { Dm, Keys } from '../../ports/chat.ts';
import type { SubjectFacts } from '../../ports/directory.ts';
import { refusesBotHint, refusesBotSentence } from '../../words/refuses-bot.ts';
import { refusesBot } from '../subjects/refuses-bot.ts';
import type { MintRequest } from '../requests.ts';
import type { Services } from '../services.ts';

/**
 * Who is to get the token: who was named, or the minter; an operator only where they named a file.
 * @throws MintwardenError `usage` | `recipient-unusable`
 */
export function resolveRecipient(
  services: Pick<Services, 'directory' | 'ownAccounts' | 'chat'>,
  request: MintRequest,
): UserId | Operator {
  if (request.intoFile === true && isOperator(request.minter)) return request.minter;
  const recipient = request.recipient ?? parseUserId(request.minter);
  if (recipient === null) {
    throw new MintwardenError(
      'usage',
      'An operator at the machine has no chat that the token could go to, and it is never shown.',
      'Say who gets it, by encrypted message: `--to @user:server`; or a new file that it is written into: `--out FILE`',
    );
  }
  if (recipient === services.chat.userId || services.ownAccounts.includes(recipient)) {
    throw new MintwardenError(
      'recipient-unusable',
      `${recipient} is an account of Mintwarden's own and takes no tokens.`,
      'Name a person with --to.',
    );
  }
  if (serverOf(recipient) !== services.directory.serverName) {
    throw new MintwardenError(
      'recipient-unusable',
      `${recipient} is not a user of this homeserver, and tokens do not leave it.`,
      `Name a user of ${services.directory.serverName} with --to.`,
    );
  }
  return recipient;
}

/**
 * Whether the recipient's account and settings let the token reach them.
 * @param facts null where there is no such user
 * @throws MintwardenError `recipient-unusable`
 */
export function checkRecipientFacts(recipient: UserId, facts: SubjectFacts | null, dm: Dm | null): void {
  if (facts === null || facts.deactivated || facts.locked)
    throw new MintwardenError(
      'recipient-unusable',
      facts === null
        ? `There is no user ${recipient} on this homeserver.`
        : `The account of ${recipient} is ${facts.deactivated ? 'deactivated' : 'locked'}.`,
      'Name somebody else with --to.',
    );
  const refuses = refusesBot(facts, dm);
  if (refuses === null) return;
  throw new MintwardenError(
    'recipient-unusable',
    `${refusesBotSentence(recipient, refuses)}: the token could not reach them.`,
    `${refusesBotHint(refuses)}; or name somebody else with --to.`,
  );
}

/**
 * Whether a token could be encrypted to the recipient, and to nobody else.
 * @throws MintwardenError `recipient-unusable`
 */
export function checkRecipientKeys(recipient: UserId, keys: Keys, pin: Pin | null): void {
  if (keys.isReplaced || (pin !== null && keys.masterKey !== null && pin.masterKey !== keys.masterKey)) {
    throw new MintwardenError(
      'recipient-unusable',
      `${recipient} has another cryptographic identity than the one first seen; it may not be them.`,
      `Ask them in person whether they reset it; then an operator confirms the new one with \`mintwarden trust\`. Or name somebody else with --to.`,
    );
  }
  if (keys.masterKey === null || keys.signedDevices === 0) {
    throw new MintwardenError(
      'recipient-unusable',
      `${recipient} has no verified session that a token could be encrypted to.`,
      'They set up encryption in their client (in Element: Settings, Encryption, verify this session); then send the command again.',
    );
  }
}
