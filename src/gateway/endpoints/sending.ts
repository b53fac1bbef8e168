import { mayRedact, parseRedaction } from '../writes/redact.ts';
import { maySend, parseSend } from '../writes/send.ts';
import type { Endpoint, TaskEndpoint } from '../request/endpoint.ts';
import { write as once } from './tasks.ts';

const R = '/_matrix/client/{v}/rooms/{roomId}';
const write = {
  kind: 'task',
  does: 'write',
  room: 'path',
  body: 'json',
  parameters: 'refused',
  shown: 'the event ID',
} as const;
const send: Pick<TaskEndpoint, 'needs' | 'authorize' | 'plan'> = {
  needs: 'send',
  authorize: maySend,
  plan: once(parseSend),
};
const redact: Pick<TaskEndpoint, 'needs' | 'authorize' | 'plan'> = {
  needs: 'redact',
  authorize: mayRedact,
  plan: once(parseRedaction),
};
const FIRST = 'the event it relates to is looked up in that room';
const ANEW = 'JSON rebuilt; the transaction ID belongs to the grant; query parameters are refused';

/** What puts an event into a room. */
export const SENDING: readonly Endpoint[] = [
  {
    ...write,
    ...send,
    id: 'sendMessage',
    methods: ['PUT'],
    paths: [`${R}/send/{eventType}/{txnId}`],
    asked: `${FIRST}, and whether the room is encrypted; then PUT, ${ANEW}`,
    why: 'Sends in the subject’s name, by type. `m.reaction` needs `react`, an edit of the subject’s event `edit`, plaintext into an encrypted room `plaintext`; `@room` and verification never pass.',
  },
  {
    ...write,
    ...send,
    id: 'sendMessageWithoutTransaction',
    formOf: 'sendMessage',
    source: 'synapse',
    methods: ['POST'],
    paths: [`${R}/send/{eventType}`],
    asked: 'as above, under a transaction ID of the gateway',
    why: 'For one-line curl commands; not in the specification.',
  },
  {
    ...write,
    ...redact,
    id: 'redactEvent',
    methods: ['PUT'],
    paths: [`${R}/redact/{eventId}/{txnId}`],
    asked: `the event is looked up in that room; then PUT, a reason; ${ANEW}`,
    why: 'For events that the subject sent; those of others need `redact-others`. State cannot be redacted: emptying it would be setting it.',
  },
  {
    ...write,
    ...redact,
    id: 'redactEventWithoutTransaction',
    formOf: 'redactEvent',
    source: 'synapse',
    methods: ['POST'],
    paths: [`${R}/redact/{eventId}`],
    asked: 'as above, under a transaction ID of the gateway',
    why: 'As above; not in the specification.',
  },
];
