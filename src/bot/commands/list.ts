import type { Grant } from '../../domain/grant.ts';
import { code, line, list, paragraph, pill, strong } from '../../words/build.ts';
import type { Line } from '../../words/document.ts';
import type { Arguments } from '../arguments.ts';
import { grantData } from '../reply-data.ts';
import type { Capabilities } from '../capabilities.ts';
import { defineCommand } from '../command.ts';
import { flag, switchFlag } from '../command-description.ts';
import { grantLine } from '../grant-view.ts';
import { parseUserReference } from '../values/user.ts';

const MAX_SHOWN = 200;
const LIVE_STATES: readonly Grant['state'][] = ['minting', 'live'];

async function queryGrants(
  { listGrants, serverName }: Pick<Capabilities, 'listGrants' | 'serverName'>,
  args: Arguments,
) {
  const user = args.values.get('user');
  const subject = user === undefined ? null : parseUserReference(user, serverName);
  const all = args.switches.has('all');
  const grants = await listGrants({
    ...(all ? {} : { states: LIVE_STATES }),
    ...(subject === null ? {} : { subject }),
    limit: MAX_SHOWN + 1,
  });
  return { subject, all, grants };
}

/** `!list`: the live grants, or all there were. */
export const listCommand = defineCommand({
  name: 'list',
  place: 'control',
  summary: 'show the live grants',
  parameters: [],
  flags: [
    flag('user', 'value', 'USER', 'only those that speak for this user'),
    switchFlag('all', 'ended and failed ones too'),
  ],
  examples: ['!list', '!list --user @alice --all'],
  mutates: false,
  allowedWhenExposed: false,
  needs: ['listGrants', 'serverName'],
  async run(context, args) {
    const { serverName, now } = context;
    const { subject, all, grants } = await queryGrants(context, args);
    const whose: Line = subject === null ? [] : line` for ${pill(subject)}`;
    const kind = all ? 'grants' : 'live grants';
    if (grants.length === 0) {
      const who = subject ?? `@alice:${serverName}`;
      return [
        paragraph(line`No ${kind}${whose}. To make one: ${code(`!mint ${who} --rooms ROOMS --ttl 1h`)}`),
      ];
    }
    const shown = grants.slice(0, MAX_SHOWN);
    const count =
      grants.length > MAX_SHOWN
        ? `The newest ${MAX_SHOWN} ${kind}`
        : shown.length === 1
          ? `1 ${kind.slice(0, -1)}`
          : `${shown.length} ${kind}`;
    return [
      paragraph(line`${strong(count)}${whose}, the newest first. More about one: ${code('!show ID')}`),
      list(...shown.map((grant) => grantLine(grant, now, 'control'))),
    ];
  },
  async data(context, args) {
    const { grants } = await queryGrants(context, args);
    return {
      grants: grants.slice(0, MAX_SHOWN).map((grant) => grantData(grant, context.now)),
      more: grants.length > MAX_SHOWN,
    };
  },
});
