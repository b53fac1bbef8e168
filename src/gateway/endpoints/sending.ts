import { mayRedact, redacting } from '../writes/redact.ts';
import { maySend, sending } from '../writes/send.ts';
import type { Endpoint, TaskEndpoint } from '../request/endpoint.ts';
import { write as once } from './tasks.ts';

const R = '/_matrix/client/{v}/rooms/{roomId}';
const write = { kind: 'task', does: 'write', room: 'path', body: 'json', shown: 'the event’s id' } as const;
const send: Pick<TaskEndpoint, 'needs' | 'authorize' | 'plan'> = {
  needs: 'send',
  authorize: maySend,
  plan: once(sending),
};
const redact: Pick<TaskEndpoint, 'needs' | 'authorize' | 'plan'> = {
  needs: 'redact',
  authorize: mayRedact,
  plan: once(redacting),
};
const FIRST = 'what it relates to is looked up in that room';
const ANEW = 'JSON written anew; the transaction id belongs to the grant; a parameter is refused';

/** What puts an event into a room. */
export const SENDING: readonly Endpoint[] = [
  {
    ...write,
    ...send,
    id: 'sendMessage',
    methods: ['PUT'],
    paths: [`${R}/send/{eventType}/{txnId}`],
    asked: `${FIRST}, and whether it is encrypted; then PUT, ${ANEW}`,
    why: 'Speaks in the subject’s name, by type. `m.reaction` needs `react`, an edit of an own event `edit`, plaintext into an encrypted room `plaintext`; `@room` and verification never pass.',
  },
  {
    ...write,
    ...send,
    id: 'sendMessageWithoutTransaction',
    source: 'synapse',
    methods: ['POST'],
    paths: [`${R}/send/{eventType}`],
    asked: 'as with one, under a transaction id of the gateway’s',
    why: 'What one line of curl does; no specification names it.',
  },
  {
    ...write,
    ...redact,
    id: 'redactEvent',
    methods: ['PUT'],
    paths: [`${R}/redact/{eventId}/{txnId}`],
    asked: `the event is looked up in that room; then PUT, a reason; ${ANEW}`,
    why: 'Of own events; of others’ it needs `redact-others`. State stays: emptying it would be setting it.',
  },
  {
    ...write,
    ...redact,
    id: 'redactEventWithoutTransaction',
    source: 'synapse',
    methods: ['POST'],
    paths: [`${R}/redact/{eventId}`],
    asked: 'as with one, under a transaction id of the gateway’s',
    why: 'As above; no specification names it.',
  },
];
