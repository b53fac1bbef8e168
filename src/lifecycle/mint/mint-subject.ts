import { MintwardenError } from '../../domain/errors.ts';
import { serverOf, type UserId } from '../../domain/ids.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Dm } from '../../ports/chat.ts';
import type { SubjectFacts } from '../../ports/directory.ts';
import { refusesBot, subjectUnreachable } from '../subjects/refuses-bot.ts';
import type { Services } from '../services.ts';

/**
 * What can be said against a subject without asking the homeserver.
 * @throws MintwardenError `refused-by-policy` | `subject-unusable`
 */
export function checkSubjectName(
  services: Pick<Services, 'directory' | 'ownAccounts'>,
  policy: Policy,
  subject: UserId,
): void {
  if (services.ownAccounts.includes(subject)) {
    throw new MintwardenError(
      'refused-by-policy',
      `${subject} is an account of Mintwarden's own; no token is ever made for it.`,
      'Name another user.',
    );
  }
  if (serverOf(subject) !== services.directory.serverName) {
    throw new MintwardenError(
      'subject-unusable',
      `${subject} is not a user of this homeserver.`,
      `Tokens can be made only for users of ${services.directory.serverName}.`,
    );
  }
  if (policy.protectedSubjects.includes(subject)) {
    throw new MintwardenError(
      'refused-by-policy',
      `${subject} is protected: policy allows no tokens for them.`,
      'An operator can change policy.protected_subjects in the configuration.',
    );
  }
  if (policy.admins.includes(subject) && !policy.privilegedSubjects.includes(subject))
    throw privileged(subject, 'may mint tokens');
}

function privileged(subject: UserId, why: string): MintwardenError {
  return new MintwardenError(
    'refused-by-policy',
    `${subject} ${why}, and a token for them would be worth more than its scope.`,
    `Try it with a test user without rights. If it must be ${subject}, an operator adds them to policy.privileged_subjects in the configuration.`,
  );
}

/**
 * What the homeserver's word on a subject means for a mint or a lease.
 * @throws MintwardenError `subject-unusable` | `refused-by-policy` | `subject-unreachable`
 */
export function checkSubjectFacts(
  policy: Policy,
  subject: UserId,
  facts: SubjectFacts | null,
  ways: { readonly hasServerNotices: boolean; readonly dm: Dm | null },
): SubjectFacts {
  if (facts === null) {
    throw new MintwardenError(
      'subject-unusable',
      `There is no user ${subject} on this homeserver.`,
      'Check the spelling of the user id.',
    );
  }
  if (facts.deactivated) {
    throw new MintwardenError(
      'subject-unusable',
      `${subject} is deactivated.`,
      'Reactivate the account first, or name another user.',
    );
  }
  if (facts.locked) {
    throw new MintwardenError(
      'subject-unusable',
      `${subject} is locked.`,
      'Unlock the account first, or name another user.',
    );
  }
  if (facts.admin && !policy.privilegedSubjects.includes(subject))
    throw privileged(subject, 'is a server administrator');
  const refuses = refusesBot(facts, ways.dm);
  if (refuses !== null && !(ways.hasServerNotices && !facts.refusesNotices))
    throw subjectUnreachable(subject, refuses, ways.hasServerNotices);
  return facts;
}
