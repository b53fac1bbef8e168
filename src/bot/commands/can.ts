import { locate } from '../../lifecycle/locate.ts';
import { explanationDocument } from '../../words/explanation.ts';
import { type Arguments, required } from '../arguments.ts';
import { GRANT_ID, senderUserId, type Command, type CommandContext, type Parameter } from '../command.ts';

const PARAMETERS: readonly Parameter[] = [
  GRANT_ID,
  { name: 'METHOD', help: 'GET, PUT, POST or DELETE', required: true },
  {
    name: 'PATH',
    help: 'what is asked for, with or without what follows the “?”; a whole address will do',
    required: true,
  },
  {
    name: 'BODY',
    help: 'the request’s JSON, in single quotes; without it, it is judged with an empty one',
    required: false,
  },
];
const EXAMPLE = 'can 7F3K9Q PUT /_matrix/client/v3/rooms/!x:example.org/send/m.room.message/1';

/** @param ofSender whether only grants that speak for whoever asks are there */
async function explain(context: CommandContext, { positionals: words }: Arguments, ofSender: boolean) {
  const { services, requests } = context;
  const grant = await locate(services, required(words, 'ID'), ofSender ? senderUserId(context) : null);
  const question = {
    method: required(words, 'METHOD'),
    target: required(words, 'PATH'),
    body: words.get('BODY') ?? null,
  };
  return { grant, explanation: await requests.explain(question, grant) };
}

async function reply(context: CommandContext, args: Arguments, ofSender: boolean) {
  const { grant, explanation } = await explain(context, args, ofSender);
  return explanationDocument(explanation, grant);
}

/**
 * `!can`: whether a request with a grant's token would pass the gateway, and why. The homeserver is not
 * asked.
 */
export const canCommand: Command = {
  name: 'can',
  place: 'control',
  summary: 'say whether a request with a token would pass, and why; nothing is sent',
  parameters: PARAMETERS,
  flags: [],
  examples: [`!${EXAMPLE}`, `!${EXAMPLE} '{"msgtype":"m.text","body":"hello"}'`],
  mutates: false,
  allowedWhenExposed: false,
  run: (context, args) => reply(context, args, false),
  async data(context, args) {
    const { grant, explanation } = await explain(context, args, false);
    return { grant: grant.id, ...explanation };
  },
};

/** `can`, in a DM: the same for tokens that speak for the person who asks. */
export const canOwnCommand: Command = {
  name: 'can',
  place: 'dm',
  summary: 'say whether a request with a token that speaks for you would pass, and why; nothing is sent',
  parameters: PARAMETERS,
  flags: [],
  examples: [EXAMPLE],
  mutates: false,
  allowedWhenExposed: false,
  run: (context, args) => reply(context, args, true),
};
