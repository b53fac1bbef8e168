import { required } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { GRANT_ID } from '../command-description.ts';

/** `!revoke`: ends a grant, now. */
export const revokeCommand = defineCommand({
  name: 'revoke',
  place: 'control',
  summary: 'end a grant, now',
  parameters: [GRANT_ID],
  flags: [],
  examples: ['!revoke 7F3K9Q'],
  mutates: true,
  allowedWhenExposed: true,
  needs: ['findGrant', 'revoke'],
  async run({ findGrant, revoke }, args) {
    const grant = await findGrant(required(args.positionals, 'ID'));
    await revoke(grant);
    return { outboxReplyFor: grant.id };
  },
});

/** `revoke`, in a DM: the subject ends what speaks for them. */
export const revokeOwnCommand = defineCommand({
  name: 'revoke',
  place: 'dm',
  summary: 'end a token that speaks for you, now',
  parameters: [GRANT_ID],
  flags: [],
  examples: ['revoke 7F3K9Q'],
  mutates: true,
  allowedWhenExposed: true,
  needs: ['findOwnGrant', 'revokeOwn'],
  async run({ findOwnGrant, revokeOwn }, args) {
    const grant = await findOwnGrant(required(args.positionals, 'ID'));
    await revokeOwn(grant);
    return { outboxReplyFor: grant.id };
  },
});
