import { multiStep } from './tasks.ts';
import { anyOfThese } from './authorizers.ts';
import { readMarkers, receipt, typing } from '../personal/receipts-and-typing.ts';
import type { Endpoint } from '../request/endpoint.ts';

const R = '/_matrix/client/{v}/rooms/{roomId}';
const sign = {
  kind: 'task',
  does: 'multiStep',
  room: 'path',
  body: 'json-if-any',
  shown: 'nothing',
} as const;

/**
 * Typing, receipts and markers: clients send them unasked, so without the capability they are taken and
 * nothing is done.
 */
export const ROOM_SIGNS: readonly Endpoint[] = [
  {
    ...sign,
    id: 'setTyping',
    methods: ['PUT'],
    paths: [`${R}/typing/{userId}`],
    needs: 'typing',
    authorize: anyOfThese('read', 'typing'),
    user: 'self',
    plan: multiStep(typing),
    asked: 'with `typing`, the flag for at most 30 s; otherwise nothing',
    why: 'Clients send it by themselves; without `typing` nobody is told.',
  },
  {
    ...sign,
    id: 'postReceipt',
    methods: ['POST'],
    paths: [`${R}/receipt/{receiptType}/{eventId}`],
    needs: 'receipts',
    authorize: anyOfThese('read', 'receipts', 'markers'),
    plan: multiStep(receipt),
    asked:
      'with `receipts` (m.read) or `markers` (m.read.private, m.fully_read): the event is looked up in that room, then only its thread is sent; otherwise nothing',
    why: 'Clients send it by themselves; the subject has not read what a holder reads.',
  },
  {
    ...sign,
    id: 'setReadMarker',
    methods: ['POST'],
    paths: [`${R}/read_markers`],
    needs: 'markers',
    authorize: anyOfThese('read', 'markers', 'receipts'),
    plan: multiStep(readMarkers),
    asked:
      'the parts that `receipts` and `markers` allow, after looking up their events in that room; otherwise nothing',
    why: 'As for receipts: without the capability the subject’s marker does not move.',
  },
];
