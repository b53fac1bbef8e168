import { defineCommand } from '../command.ts';
import { MINT_FLAGS } from './mint-flags.ts';
import { mintPreview } from './mint-preview.ts';
import { mintRequest } from './mint-request.ts';

/** `!mint`: makes a grant, or shows what it would make. */
export const mintCommand = defineCommand({
  name: 'mint',
  place: 'control',
  summary: 'make a token that speaks for a user, in the rooms you name, for a time',
  parameters: [
    {
      name: 'USER',
      help: 'the user the token speaks for: @alice, @alice:server, a pill or a link',
      required: true,
    },
  ],
  flags: MINT_FLAGS,
  examples: [
    '!mint @alice --rooms #ops:example.org --read-only --ttl 1h --reason "weekly report"',
    '!mint @alice --rooms !abc…,!def… --to @bob --dry-run',
  ],
  mutates: true,
  allowedWhenExposed: false,
  needs: ['serverName', 'policy', 'mint', 'previewMint', 'findEarlierMint'],
  async run(context, args) {
    const request = mintRequest(context, args);
    if (args.switches.has('dry-run')) return mintPreview(await context.previewMint(request), context.now);
    const begun = await context.mint(request);
    return { outboxReplyFor: begun.kind === 'begun' ? begun.grant.id : await context.findEarlierMint() };
  },
});
