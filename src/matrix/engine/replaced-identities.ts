import { OtherUserIdentity, UserId, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';

/**
 * Whether a user's master key is another than the one first seen or last pinned. The operator of their
 * homeserver can put one in its place and sign devices with it.
 */
export async function hasReplacedIdentity(machine: OlmMachine, userId: string): Promise<boolean> {
  const identity = await machine.getIdentity(new UserId(userId));
  return identity instanceof OtherUserIdentity && identity.identityNeedsUserApproval();
}

/** Those of `users` to whose devices a secret may go. */
export async function withoutReplaced(machine: OlmMachine, users: readonly UserId[]): Promise<UserId[]> {
  const kept: UserId[] = [];
  for (const user of users) if (!(await hasReplacedIdentity(machine, user.toString()))) kept.push(user);
  return kept;
}
