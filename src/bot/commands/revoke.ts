import { locate } from '../../lifecycle/locate.ts';
import { revoke } from '../../lifecycle/revocation/revoke.ts';
import { required } from '../arguments.ts';
import { GRANT_ID, senderUserId, type Command } from '../command.ts';

/** `!revoke`: ends a grant, now. */
export const revokeCommand: Command = {
  name: 'revoke',
  place: 'control',
  summary: 'end a grant, now',
  parameters: [GRANT_ID],
  flags: [],
  examples: ['!revoke 7F3K9Q'],
  mutates: true,
  allowedWhenExposed: true,
  async run({ services, sender, key }, args) {
    const grant = await locate(services, required(args.positionals, 'ID'), null);
    await revoke(services, { grant, by: sender, as: 'admin', command: key });
    return { outboxReplyFor: grant.id };
  },
};

/** `revoke`, in a DM: the subject ends what speaks for them. */
export const revokeOwnCommand: Command = {
  name: 'revoke',
  place: 'dm',
  summary: 'end a token that speaks for you, now',
  parameters: [GRANT_ID],
  flags: [],
  examples: ['revoke 7F3K9Q'],
  mutates: true,
  allowedWhenExposed: true,
  async run(context, args) {
    const { services, key } = context;
    const by = senderUserId(context);
    const grant = await locate(services, required(args.positionals, 'ID'), by);
    await revoke(services, { grant, by, as: 'subject', command: key });
    return { outboxReplyFor: grant.id };
  },
};
