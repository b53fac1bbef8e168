import { code, line, list, paragraph, strong } from '../../words/build.ts';
import { defineCommand } from '../command.ts';
import { grantLine } from '../grant-view.ts';

const MAX_SHOWN = 100;

/** `tokens`, in a DM: what speaks for the person who asks. */
export const tokensCommand = defineCommand({
  name: 'tokens',
  place: 'dm',
  summary: 'show the tokens that speak for you',
  parameters: [],
  flags: [],
  examples: ['tokens'],
  mutates: false,
  allowedWhenExposed: false,
  needs: ['listOwnGrants'],
  async run({ listOwnGrants, now }) {
    const grants = await listOwnGrants({ states: ['minting', 'live'], limit: MAX_SHOWN });
    if (grants.length === 0) return [paragraph(['No token made here speaks for you.'])];
    const count = grants.length === 1 ? '1 token speaks' : `${grants.length} tokens speak`;
    return [
      paragraph(line`${strong(`${count} for you.`)} Who made one, and why: ${code('show ID')}`),
      list(...grants.map((grant) => grantLine(grant, now, 'dm'))),
    ];
  },
});
