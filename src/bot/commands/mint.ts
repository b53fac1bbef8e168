import { parseDuration } from '../../domain/duration.ts';
import { ENFORCED, unenforced } from '../../domain/enforced.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import { isOperator } from '../../domain/ids.ts';
import { mint } from '../../lifecycle/mint/mint.ts';
import { planMint } from '../../lifecycle/mint/plan-mint.ts';
import type { MintPlan, MintRequest } from '../../lifecycle/requests.ts';
import { code, line, list, paragraph, pill, strong } from '../../words/build.ts';
import { mintLine } from '../../words/command-line.ts';
import type { Document, Line } from '../../words/document.ts';
import { scopeList, scopeSentence } from '../../words/scope-sentence.ts';
import { actorName, reason } from '../../words/text/en.ts';
import { unenforcedSentence } from '../../words/unenforced.ts';
import { wildWarning } from '../../words/wild-creators.ts';
import { required, type Arguments } from '../arguments.ts';
import { OUT_FLAG, type Command, type CommandContext } from '../command.ts';
import { parseScope } from '../values/scope.ts';
import { parseUserReference } from '../values/user.ts';

const RECENT_GRANTS = 1_000;

/** What the words ask for. @throws MintwardenError `usage` */
export function mintRequest(context: CommandContext, args: Arguments): MintRequest {
  const { serverName } = context.services.directory;
  const to = args.values.get('to');
  const ttl = args.values.get('ttl');
  if (to !== undefined && args.values.has(OUT_FLAG.name)) {
    throw new MintwardenError(
      'usage',
      'Either somebody is sent the token, or it goes into a file.',
      'Leave out --to, or --out.',
    );
  }
  return {
    minter: context.sender,
    subject: parseUserReference(required(args.positionals, 'USER'), serverName),
    recipient: to === undefined ? null : parseUserReference(to, serverName),
    ...(args.values.has(OUT_FLAG.name) ? { intoFile: true as const } : {}),
    ...parseScope(args, serverName, context.services.policy().presets),
    ttlMs: ttl === undefined ? null : parseDuration(ttl),
    reason: args.values.get('reason') ?? null,
    command: context.key,
  };
}

/**
 * What came of the same request before: an operator's client that lost its connection asks again under the
 * same id.
 */
async function earlierGrant({ services, sender, key }: CommandContext): Promise<Grant['id'] | null> {
  const grants = await services.ledger.grants({ minter: sender, limit: RECENT_GRANTS });
  return grants.find(({ command }) => command === key.eventId)?.id ?? null;
}

function deliveryLine(recipient: MintPlan['grant']['recipient'], joined: boolean): Line {
  if (isOperator(recipient)) return line`The token would go to ${actorName(recipient)}, into the file.`;
  return joined
    ? line`The token would go to ${pill(recipient)}, by encrypted direct message.`
    : line`The token would wait until ${pill(recipient)} accepts my invitation to a direct message.`;
}

function preview({ grant, recipientJoined }: MintPlan, now: number): Document {
  const text = mintLine(grant);
  const missing = unenforced(grant.scope, ENFORCED);
  const points = scopeList(grant, now);
  if (missing.length > 0) {
    return [
      paragraph(
        line`${strong('Nothing was made, and this cannot be granted yet.')} ${unenforcedSentence(missing)}`,
      ),
      paragraph(
        line`It would be a grant that speaks for ${pill(grant.subject)} and ${points === null ? line`${scopeSentence(grant, now)}.` : ':'}`,
      ),
      ...(points === null ? [] : [list(...points)]),
      ...wildWarning(grant.scope),
    ];
  }
  return [
    paragraph(
      line`${strong('Nothing was made.')} Without ${code('--dry-run')} there would be a grant that speaks for ${pill(grant.subject)} and ${points === null ? line`${scopeSentence(grant, now)}.` : ':'}`,
    ),
    ...(points === null ? [] : [list(...points)]),
    list(
      reason(grant),
      line`${pill(grant.subject)} would be told first.`,
      deliveryLine(grant.recipient, recipientJoined),
      line`To make it: ${text === null ? 'send it again without --dry-run.' : code(text)}`,
    ),
    ...wildWarning(grant.scope),
  ];
}

/** `!mint`: makes a grant, or shows what it would make. */
export const mintCommand: Command = {
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
  flags: [
    {
      name: 'rooms',
      kind: 'list',
      placeholder: 'ROOMS',
      help: 'what it can see: ids, beginnings of ids, aliases or links, with commas between them; or all',
      required: true,
      alternative: 'rooms-by',
    },
    {
      name: 'read-only',
      kind: 'switch',
      placeholder: '',
      help: 'it can read and nothing else; so it is also if not said',
      required: false,
    },
    {
      name: 'can',
      kind: 'list',
      placeholder: 'CAPABILITIES',
      help: 'what it can do, with commas between; see !help capabilities',
      required: false,
    },
    {
      name: 'ttl',
      kind: 'value',
      placeholder: 'TIME',
      help: 'how long it lives: 30m, 1h30m, 2d',
      required: false,
    },
    {
      name: 'to',
      kind: 'value',
      placeholder: 'USER',
      help: 'who gets the token, instead of you',
      required: false,
    },
    {
      name: 'reason',
      kind: 'text',
      placeholder: 'TEXT',
      help: 'why; the user it speaks for reads this',
      required: false,
    },
    {
      name: 'dry-run',
      kind: 'switch',
      placeholder: '',
      help: 'show what would be made, and make nothing',
      required: false,
    },
    {
      name: 'rooms-by',
      kind: 'list',
      placeholder: 'USERS',
      help: 'instead of --rooms: every room that one of these made, later ones too; @bot, @bridge_*',
      required: false,
    },
    {
      name: 'preset',
      kind: 'value',
      placeholder: 'NAME',
      help: 'a named answer to --can; see !help presets',
      required: false,
    },
    {
      name: 'types',
      kind: 'list',
      placeholder: 'TYPES',
      help: 'of what it sends, only events of these types',
      required: false,
    },
    {
      name: 'power',
      kind: 'value',
      placeholder: 'LEVEL',
      help: 'it acts as if the user had at most this power level',
      required: false,
    },
    {
      name: 'allow',
      kind: 'text',
      placeholder: 'ENDPOINTS',
      help: 'only these endpoints: PUT /_matrix/client/v3/rooms/*/send/**, …',
      required: false,
    },
    {
      name: 'deny',
      kind: 'text',
      placeholder: 'ENDPOINTS',
      help: 'none of these endpoints, whatever --allow says',
      required: false,
    },
    {
      name: 'from',
      kind: 'list',
      placeholder: 'NETWORKS',
      help: 'where requests may come from: 10.0.0.0/8, 2001:db8::/32',
      required: false,
    },
    {
      name: 'uses',
      kind: 'value',
      placeholder: 'COUNT',
      help: 'how many requests it is good for',
      required: false,
    },
    {
      name: 'follow-upgrades',
      kind: 'switch',
      placeholder: '',
      help: 'when a room is replaced, the new one is in scope too',
      required: false,
    },
  ],
  examples: [
    '!mint @alice --rooms #ops:example.org --read-only --ttl 1h --reason "weekly report"',
    '!mint @alice --rooms !abc…,!def… --to @bob --dry-run',
  ],
  mutates: true,
  allowedWhenExposed: false,
  async run(context, args) {
    const request = mintRequest(context, args);
    if (args.switches.has('dry-run'))
      return preview(await planMint(context.services, { ...request, command: null }, 'preview'), context.now);
    const begun = await mint(context.services, request);
    return { outboxReplyFor: begun.kind === 'begun' ? begun.grant.id : await earlierGrant(context) };
  },
};
