import { multiStep } from './tasks.ts';
import { requireOneOfAnyType } from './authorizers.ts';
import { readMarkersSteps, receiptSteps, typingSteps } from '../personal/receipts-and-typing.ts';
import type { Endpoint } from '../request/endpoint.ts';

const R = '/_matrix/client/{v}/rooms/{roomId}';
const ROOM_DATA = {
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
export const RECEIPTS_AND_TYPING: readonly Endpoint[] = [
  {
    ...ROOM_DATA,
    id: 'setTyping',
    methods: ['PUT'],
    paths: [`${R}/typing/{userId}`],
    needs: 'typing',
    authorize: requireOneOfAnyType('read', 'typing'),
    user: 'self',
    plan: multiStep(typingSteps),
    asked: 'with `typing`, the flag for at most 30 s; otherwise nothing',
    why: 'Clients send it by themselves; without `typing` nobody is told.',
  },
  {
    ...ROOM_DATA,
    id: 'postReceipt',
    methods: ['POST'],
    paths: [`${R}/receipt/{receiptType}/{eventId}`],
    needs: 'receipts',
    authorize: requireOneOfAnyType('read', 'receipts', 'markers'),
    plan: multiStep(receiptSteps),
    asked:
      'with `receipts` (m.read) or `markers` (m.read.private, m.fully_read): the event is looked up in that room, then only its thread is sent; otherwise nothing',
    why: 'Clients send it by themselves; the subject has not read what a holder reads.',
  },
  {
    ...ROOM_DATA,
    id: 'setReadMarker',
    methods: ['POST'],
    paths: [`${R}/read_markers`],
    needs: 'markers',
    authorize: requireOneOfAnyType('read', 'markers', 'receipts'),
    plan: multiStep(readMarkersSteps),
    asked:
      'the parts that `receipts` and `markers` allow, after looking up their events in that room; otherwise nothing',
    why: 'As for receipts: without the capability the subject’s marker does not move.',
  },
];
