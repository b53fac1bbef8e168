import { explanationDocument } from '../../words/explanation.ts';
import { type Arguments, required } from '../arguments.ts';
import type { Capabilities } from '../capabilities.ts';
import { defineCommand } from '../command.ts';
import { GRANT_ID, type Parameter } from '../command-description.ts';

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

/** @param find the grants that the asker may ask about */
async function explain(
  find: Capabilities['findGrant'],
  explainRequest: Capabilities['explainRequest'],
  { positionals }: Arguments,
) {
  const grant = await find(required(positionals, 'ID'));
  const question = {
    method: required(positionals, 'METHOD'),
    target: required(positionals, 'PATH'),
    body: positionals.get('BODY') ?? null,
  };
  return { grant, explanation: await explainRequest(question, grant) };
}

/**
 * `!can`: whether a request with a grant's token would pass the gateway, and why. The homeserver is not
 * asked.
 */
export const canCommand = defineCommand({
  name: 'can',
  place: 'control',
  summary: 'say whether a request with a token would pass, and why; nothing is sent',
  parameters: PARAMETERS,
  flags: [],
  examples: [`!${EXAMPLE}`, `!${EXAMPLE} '{"msgtype":"m.text","body":"hello"}'`],
  mutates: false,
  allowedWhenExposed: false,
  needs: ['findGrant', 'explainRequest'],
  async run({ findGrant, explainRequest }, args) {
    const { grant, explanation } = await explain(findGrant, explainRequest, args);
    return explanationDocument(explanation, grant);
  },
  async data({ findGrant, explainRequest }, args) {
    const { grant, explanation } = await explain(findGrant, explainRequest, args);
    return { grant: grant.id, ...explanation };
  },
});

/** `can`, in a DM: the same for tokens that speak for the person who asks. */
export const canOwnCommand = defineCommand({
  name: 'can',
  place: 'dm',
  summary: 'say whether a request with a token that speaks for you would pass, and why; nothing is sent',
  parameters: PARAMETERS,
  flags: [],
  examples: [EXAMPLE],
  mutates: false,
  allowedWhenExposed: false,
  needs: ['findOwnGrant', 'explainRequest'],
  async run({ findOwnGrant, explainRequest }, args) {
    const { grant, explanation } = await explain(findOwnGrant, explainRequest, args);
    return explanationDocument(explanation, grant);
  },
});
